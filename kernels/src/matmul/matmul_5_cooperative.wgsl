// y[i, j] = act(Σ_k a[i, k] · b[k, j] + bias[j])
//
// Rung 5, two passes: the product on the adapter's matrix units (cooperative matrices), which multiply halves (f16), sum in f32.
// An f32 has 24 bits, a half 11: each number travels as two, x = high + low, and a product as three,
// a·b = low·high + high·low + high·high, which leaves out at most 2⁻²¹ of |a·b|. A half ends at 65 504: each row of a and
// each column of b is scaled by the power of two that takes its largest number to [2¹⁴, 2¹⁵), and the sums are scaled back.
//
// STAGE 0: a workgroup for each row of a and each column of b finds the exponent of its largest number. STAGE 1: a
// workgroup of four subgroups computes a tile of 4 × 4 blocks, each subgroup a quarter of it. Where the driver makes
// smaller subgroups, several compute the same quarter and store the same sums. A row or column that holds infinities
// or NaN is left out, and what it takes part in is summed plainly. Not measured on a card yet.

enable f16;
enable wgpu_cooperative_matrix;

struct Shape {
    m: u32,
    n: u32,
    k: u32,
    a_row: u32, a_k: u32,       // a[i, k] = a[i·a_row + k·a_k]: transposes are strides
    b_column: u32, b_k: u32,    // b[k, j] = b[j·b_column + k·b_k]
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> a: array<f32>;              // [m, k] or [k, m]
@group(0) @binding(2) var<storage, read> b: array<f32>;              // [k, n] or [n, k]
@group(0) @binding(3) var<storage, read> bias: array<f32>;           // [n], read only where BIAS
@group(0) @binding(4) var<storage, read_write> y: array<f32>;        // [m, n]
@group(0) @binding(5) var<storage, read_write> exponent: array<u32>; // [m + n]: of rows of a, of columns of b

override STAGE: u32 = 0;
override BIAS: u32 = 0;
override ACTIVATION: u32 = 0;
override THREADS: u32 = 32;    // four of the adapter's largest subgroups

// Shader compilers may assume that there is no NaN: ask the bits.
fn is_nan(v: f32) -> bool {
    return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u;
}

fn activate(x: f32) -> f32 {
    switch ACTIVATION {
        case 1u: { return select(x, 0.0, x < 0.0); }                    // relu
        case 2u: { return select(x, 0.01 * x, x < 0.0); }               // leaky relu
        case 3u: { return select(x, exp(x) - 1.0, x < 0.0); }           // elu
        case 4u: { return select(tanh(clamp(x, -15.0, 15.0)), x, is_nan(x)); } // tanh
        case 5u: { return 1.0 / (1.0 + exp(-x)); }                      // sigmoid
        default: { return x; }
    }
}

alias Left = coop_mat8x8<f16, A>;
alias Right = coop_mat8x8<f16, B>;
alias Sums = coop_mat8x8<f32, C>;

const SIDE: u32 = 8;             // of a block; 16 where the adapter wants it
const TILE: u32 = 4 * SIDE;

var<workgroup> peak: atomic<u32>;
var<workgroup> a_high: array<f16, TILE * SIDE>;    // [row, k]
var<workgroup> a_low: array<f16, TILE * SIDE>;
var<workgroup> b_high: array<f16, TILE * SIDE>;    // [k, column]
var<workgroup> b_low: array<f16, TILE * SIDE>;
var<workgroup> sums: array<f32, TILE * TILE>;       // [row, column]

// Infinities and NaN have it.
const ENDLESS: u32 = 255;

// 2^(141 - exponent), which takes a number of this exponent to [2¹⁴, 2¹⁵).
fn scale(exponent: u32) -> f32 {
    return bitcast<f32>((268u - clamp(exponent, 15u, 254u)) << 23u);
}

// 1 / scale(exponent).
fn unscale(exponent: u32) -> f32 {
    return bitcast<f32>((clamp(exponent, 15u, 254u) - 14u) << 23u);
}

// The nearest number of 11 bits. Its bits are cut off by hand: compilers may take f32(f16(v)) for v.
fn high(v: f32) -> f32 {
    return bitcast<f32>((bitcast<u32>(v) + 0x1000u) & 0xffffe000u);
}

fn find_exponent(row: u32, thread: u32) {
    if thread == 0u {
        atomicStore(&peak, 0u);
    }
    workgroupBarrier();
    var most = 0u;
    for (var k = thread; k < s.k; k += THREADS) {
        var v = 0.0;
        if row < s.m {
            v = a[row * s.a_row + k * s.a_k];
        } else {
            v = b[(row - s.m) * s.b_column + k * s.b_k];
        }
        most = max(most, bitcast<u32>(v) & 0x7fffffffu);
    }
    atomicMax(&peak, most);
    workgroupBarrier();
    if thread == 0u {
        exponent[row] = atomicLoad(&peak) >> 23u;
    }
}

fn scaled_a(i: u32, k: u32) -> f32 {
    if i < s.m && k < s.k && exponent[i] != ENDLESS {
        return a[i * s.a_row + k * s.a_k] * scale(exponent[i]);
    }
    return 0.0;
}

fn scaled_b(j: u32, k: u32) -> f32 {
    if j < s.n && k < s.k && exponent[s.m + j] != ENDLESS {
        return b[j * s.b_column + k * s.b_k] * scale(exponent[s.m + j]);
    }
    return 0.0;
}

// Neighbouring threads read neighbouring numbers, whichever way a and b lie.
fn load(i_tile: u32, j_tile: u32, k0: u32, thread: u32) {
    for (var e = thread; e < TILE * SIDE; e += THREADS) {
        let a_at = select(vec2(e % TILE, e / TILE), vec2(e / SIDE, e % SIDE), s.a_k == 1u);    // row, k
        let va = scaled_a(i_tile + a_at.x, k0 + a_at.y);
        a_high[a_at.x * SIDE + a_at.y] = f16(high(va));
        a_low[a_at.x * SIDE + a_at.y] = f16(va - high(va));
        let b_at = select(vec2(e % TILE, e / TILE), vec2(e / SIDE, e % SIDE), s.b_k == 1u);    // column, k
        let vb = scaled_b(j_tile + b_at.x, k0 + b_at.y);
        b_high[b_at.y * TILE + b_at.x] = f16(high(vb));
        b_low[b_at.y * TILE + b_at.x] = f16(vb - high(vb));
    }
}

fn plain(i: u32, j: u32) -> f32 {
    var sum = 0.0;
    for (var k = 0u; k < s.k; k++) {
        sum += a[i * s.a_row + k * s.a_k] * b[j * s.b_column + k * s.b_k];
    }
    return sum;
}

fn store(i: u32, j: u32, product: f32) {
    if i >= s.m || j >= s.n {
        return;
    }
    let e = vec2(exponent[i], exponent[s.m + j]);
    // The smaller first: their product alone may be past the largest number.
    let back = vec2(unscale(min(e.x, e.y)), unscale(max(e.x, e.y)));
    var sum = product * back.x * back.y;
    if max(e.x, e.y) == ENDLESS {
        sum = plain(i, j);
    }
    if BIAS == 1u {
        sum += bias[j];
    }
    y[i * s.n + j] = activate(sum);
}

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
    @builtin(subgroup_id) subgroup: u32,
) {
    let id = group.y * groups.x + group.x;
    if STAGE == 0u {
        if id < s.m + s.n {
            find_exponent(id, thread);
        }
        return;
    }
    let columns = (s.n + TILE - 1u) / TILE;
    // The same for the whole workgroup, so that all of it leaves before the first barrier.
    if id >= (s.m + TILE - 1u) / TILE * columns {
        return;
    }
    let i_tile = id / columns * TILE;
    let j_tile = id % columns * TILE;
    let row = subgroup / 2u % 2u * 2u * SIDE;    // this subgroup's quarter of the tile
    let column = subgroup % 2u * 2u * SIDE;
    var sum00 = Sums();
    var sum01 = Sums();
    var sum10 = Sums();
    var sum11 = Sums();
    for (var k0 = 0u; k0 < s.k; k0 += SIDE) {
        load(i_tile, j_tile, k0, thread);
        workgroupBarrier();
        let x0 = row * SIDE;
        let x1 = (row + SIDE) * SIDE;
        let right = column + SIDE;
        let x0_high = coopLoadT<Left>(&a_high[x0], SIDE);
        let x1_high = coopLoadT<Left>(&a_high[x1], SIDE);
        let w0_high = coopLoadT<Right>(&b_high[column], TILE);
        let w1_high = coopLoadT<Right>(&b_high[right], TILE);
        let x0_low = coopLoadT<Left>(&a_low[x0], SIDE);
        let x1_low = coopLoadT<Left>(&a_low[x1], SIDE);
        let w0_low = coopLoadT<Right>(&b_low[column], TILE);
        let w1_low = coopLoadT<Right>(&b_low[right], TILE);
        sum00 = coopMultiplyAdd(x0_high, w0_high, coopMultiplyAdd(x0_low, w0_high, coopMultiplyAdd(x0_high, w0_low, sum00)));
        sum01 = coopMultiplyAdd(x0_high, w1_high, coopMultiplyAdd(x0_low, w1_high, coopMultiplyAdd(x0_high, w1_low, sum01)));
        sum10 = coopMultiplyAdd(x1_high, w0_high, coopMultiplyAdd(x1_low, w0_high, coopMultiplyAdd(x1_high, w0_low, sum10)));
        sum11 = coopMultiplyAdd(x1_high, w1_high, coopMultiplyAdd(x1_low, w1_high, coopMultiplyAdd(x1_high, w1_low, sum11)));
        workgroupBarrier();
    }
    let at = row * TILE + column;
    let below = at + SIDE * TILE;
    coopStoreT(sum00, &sums[at], TILE);
    coopStoreT(sum01, &sums[at + SIDE], TILE);
    coopStoreT(sum10, &sums[below], TILE);
    coopStoreT(sum11, &sums[below + SIDE], TILE);
    workgroupBarrier();
    for (var e = thread; e < TILE * TILE; e += THREADS) {
        store(i_tile + e / TILE, j_tile + e % TILE, sums[e]);
    }
}
