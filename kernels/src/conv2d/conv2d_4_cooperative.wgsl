// y[n, o, i, j] = act(bias[o] + Σ_{c, p, q} weight[o, c, p, q] · x[n, c', i·stride + p·dilation - pad, j·stride + q·dilation - pad])
//
// Rung 4, two passes: rung 3's implicit GEMM on the adapter's matrix units (cooperative matrices), with the arithmetic of
// matmul's rung 5. A number travels as two halves, x = high + low, a product as three, summed in f32; an output
// channel's weights and a group's channels of an image are scaled by powers of two to fit halves.
//
// STAGE 0: a workgroup for each output channel and each plane of x finds the exponent of its largest number. STAGE 1: a
// workgroup of four subgroups computes a tile of 4 × 4 blocks, each subgroup a quarter of it. An output channel or an
// image that holds infinities or NaN is left out, and summed plainly. Not measured on a card yet.

enable f16;
enable wgpu_cooperative_matrix;

struct Shape {
    n: u32, c: u32, h: u32, w: u32,             // x: [n, c, h, w]
    o: u32, oh: u32, ow: u32,                   // y: [n, o, oh, ow]
    kh: u32, kw: u32,                           // weight: [o, c / groups, kh, kw]
    stride_h: u32, stride_w: u32,
    pad_h: u32, pad_w: u32,                     // zeros before; those after follow from oh and ow
    dilation_h: u32, dilation_w: u32,
    groups: u32,
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> x: array<f32>;              // [n, c, h, w]
@group(0) @binding(2) var<storage, read> weight: array<f32>;         // [o, c / groups, kh, kw]
@group(0) @binding(3) var<storage, read> bias: array<f32>;           // [o], read only where BIAS
@group(0) @binding(4) var<storage, read_write> y: array<f32>;        // [n, o, oh, ow]
@group(0) @binding(5) var<storage, read_write> exponent: array<u32>; // [o + n·c]: of channels of weight, of planes of x

override STAGE: u32 = 0;
override BIAS: u32 = 0;
override ACTIVATION: u32 = 0;
// The kernel's size, known when the shader is compiled: dividing by it becomes a multiplication.
override KH: u32 = 1;
override KW: u32 = 1;
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

// Where output position `column` (of all images) sees its first tap: offset of the image's first channel in this
// group (-1 past the end), row, column.
fn corner(column: u32, first: u32) -> vec3<i32> {
    let n = column / (s.oh * s.ow);
    let i = column / s.ow % s.oh;
    let j = column % s.ow;
    if n >= s.n {
        return vec3(-1, 0, 0);
    }
    return vec3(
        i32((n * s.c + first) * s.h * s.w),
        i32(i * s.stride_h) - i32(s.pad_h),
        i32(j * s.stride_w) - i32(s.pad_w),
    );
}

// Element k = (c, p, q) of the patch there.
fn tap(corner: vec3<i32>, k: u32) -> f32 {
    let c = k / (KH * KW);
    let row = corner.y + i32(k / KW % KH * s.dilation_h);
    let column = corner.z + i32(k % KW * s.dilation_w);
    if corner.x < 0 || row < 0 || column < 0 || row >= i32(s.h) || column >= i32(s.w) {
        return 0.0;
    }
    return x[u32(corner.x) + (c * s.h + u32(row)) * s.w + u32(column)];
}

alias Left = coop_mat8x8<f16, A>;
alias Right = coop_mat8x8<f16, B>;
alias Sums = coop_mat8x8<f32, C>;

const SIDE: u32 = 8;             // of a block; 16 where the adapter wants it
const TILE: u32 = 4 * SIDE;

var<workgroup> peak: atomic<u32>;
var<workgroup> a_high: array<f16, TILE * SIDE>;    // [output channel, k]
var<workgroup> a_low: array<f16, TILE * SIDE>;
var<workgroup> b_high: array<f16, TILE * SIDE>;    // [k, position]
var<workgroup> b_low: array<f16, TILE * SIDE>;
var<workgroup> sums: array<f32, TILE * TILE>;       // [output channel, position]
var<workgroup> image: array<u32, TILE>;             // exponents of what the positions see

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

fn find_exponent(id: u32, thread: u32) {
    if thread == 0u {
        atomicStore(&peak, 0u);
    }
    workgroupBarrier();
    let taps = s.c / s.groups * KH * KW;
    let plane = id - s.o;
    var most = 0u;
    if id < s.o {
        for (var k = thread; k < taps; k += THREADS) {
            most = max(most, bitcast<u32>(weight[id * taps + k]) & 0x7fffffffu);
        }
    } else {
        for (var k = thread; k < s.h * s.w; k += THREADS) {
            most = max(most, bitcast<u32>(x[plane * s.h * s.w + k]) & 0x7fffffffu);
        }
    }
    atomicMax(&peak, most);
    workgroupBarrier();
    if thread == 0u {
        exponent[id] = atomicLoad(&peak) >> 23u;
    }
}

// The largest exponent among the channels of group g in the image that position `column` lies in.
fn image_exponent(g: u32, column: u32) -> u32 {
    let n = column / (s.oh * s.ow);
    var most = 0u;
    for (var c = 0u; n < s.n && c < s.c / s.groups; c++) {
        most = max(most, exponent[s.o + n * s.c + g * (s.c / s.groups) + c]);
    }
    return most;
}

// Neighbouring threads read neighbouring taps of the weight, and neighbouring positions of the image.
fn load(g: u32, i_tile: u32, j_tile: u32, k0: u32, thread: u32) {
    let rows = s.o / s.groups;
    let depth = s.c / s.groups * KH * KW;
    for (var e = thread; e < TILE * SIDE; e += THREADS) {
        let row = i_tile + e / SIDE;
        let tap_k = k0 + e % SIDE;
        var va = 0.0;
        if row < rows && tap_k < depth && exponent[g * rows + row] != ENDLESS {
            va = weight[(g * rows + row) * depth + tap_k] * scale(exponent[g * rows + row]);
        }
        a_high[e] = f16(high(va));
        a_low[e] = f16(va - high(va));
        let k = k0 + e / TILE;
        var vb = 0.0;
        if k < depth && image[e % TILE] != ENDLESS {
            vb = tap(corner(j_tile + e % TILE, g * (s.c / s.groups)), k) * scale(image[e % TILE]);
        }
        b_high[e] = f16(high(vb));
        b_low[e] = f16(vb - high(vb));
    }
}

fn plain(g: u32, o: u32, column: u32) -> f32 {
    let depth = s.c / s.groups * KH * KW;
    let here = corner(column, g * (s.c / s.groups));
    var sum = 0.0;
    for (var k = 0u; k < depth; k++) {
        sum += weight[o * depth + k] * tap(here, k);
    }
    return sum;
}

fn store(g: u32, row: u32, column: u32, image: u32, product: f32) {
    let rows = s.o / s.groups;
    let plane = s.oh * s.ow;
    if row >= rows || column >= s.n * plane {
        return;
    }
    let o = g * rows + row;
    let e = vec2(exponent[o], image);
    // The smaller first: their product alone may be past the largest number.
    let back = vec2(unscale(min(e.x, e.y)), unscale(max(e.x, e.y)));
    var sum = product * back.x * back.y;
    if max(e.x, e.y) == ENDLESS {
        sum = plain(g, o, column);
    }
    if BIAS == 1u {
        sum += bias[o];
    }
    y[(column / plane * s.o + o) * plane + column % plane] = activate(sum);
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
        if id < s.o + s.n * s.c {
            find_exponent(id, thread);
        }
        return;
    }
    let depth = s.c / s.groups * KH * KW;
    let row_tiles = (s.o / s.groups + TILE - 1u) / TILE;
    let tiles = row_tiles * ((s.n * s.oh * s.ow + TILE - 1u) / TILE);
    let g = id / tiles;
    // The same for the whole workgroup, so that all of it leaves before the first barrier.
    if g >= s.groups {
        return;
    }
    let i_tile = id % tiles % row_tiles * TILE;    // neighbours share their patches
    let j_tile = id % tiles / row_tiles * TILE;
    for (var e = thread; e < TILE; e += THREADS) {
        image[e] = image_exponent(g, j_tile + e);
    }
    workgroupBarrier();
    let row = subgroup / 2u % 2u * 2u * SIDE;    // this subgroup's quarter of the tile
    let column = subgroup % 2u * 2u * SIDE;
    var sum00 = Sums();
    var sum01 = Sums();
    var sum10 = Sums();
    var sum11 = Sums();
    for (var k0 = 0u; k0 < depth; k0 += SIDE) {
        load(g, i_tile, j_tile, k0, thread);
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
        store(g, i_tile + e / TILE, j_tile + e % TILE, image[e % TILE], sums[e]);
    }
}
