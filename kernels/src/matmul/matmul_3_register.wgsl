// y[i, j] = act(Σ_k a[i, k] · b[k, j] + bias[j])
//
// Rung 3: a workgroup of 256 threads computes a 64 × 64 tile of y, each thread a 4 × 4 block of it in registers. One
// step of k reads 4 + 4 numbers from workgroup memory for 16 multiply-adds, where rung 2 reads 2 for one, and global
// loads fall to a quarter of rung 2's. The block is written out by hand because WGSL has no unroll hint. On llvmpipe
// that bought 5 × over rung 2, 3.7 × over rung 1, for 10 240 × 192 out of 64; no card is measured yet.

struct Shape {
    m: u32,
    n: u32,
    k: u32,
    a_row: u32, a_k: u32,       // a[i, k] = a[i·a_row + k·a_k]: transposes are strides
    b_column: u32, b_k: u32,    // b[k, j] = b[j·b_column + k·b_k]
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> a: array<f32>;          // [m, k] or [k, m]
@group(0) @binding(2) var<storage, read> b: array<f32>;          // [k, n] or [n, k]
@group(0) @binding(3) var<storage, read> bias: array<f32>;       // [n], read only where BIAS
@group(0) @binding(4) var<storage, read_write> y: array<f32>;    // [m, n]

override BIAS: u32 = 0;
override ACTIVATION: u32 = 0;

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

const TILE: u32 = 64;
const DEPTH: u32 = 16;

var<workgroup> a_tile: array<vec4<f32>, 256>;    // [k, row / 4]
var<workgroup> b_tile: array<vec4<f32>, 256>;    // [k, column / 4]

fn load_a(i: u32, k: u32) -> f32 {
    if i < s.m && k < s.k {
        return a[i * s.a_row + k * s.a_k];
    }
    return 0.0;
}

fn load_b(j: u32, k: u32) -> f32 {
    if j < s.n && k < s.k {
        return b[j * s.b_column + k * s.b_k];
    }
    return 0.0;
}

fn store(i: u32, j0: u32, sums: vec4<f32>) {
    if i >= s.m {
        return;
    }
    for (var c = 0u; c < 4u; c++) {
        let j = j0 + c;
        if j < s.n {
            var sum = sums[c];
            if BIAS == 1u {
                sum += bias[j];
            }
            y[i * s.n + j] = activate(sum);
        }
    }
}

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let id = group.y * groups.x + group.x;
    let columns = (s.n + TILE - 1u) / TILE;
    let i_tile = id / columns * TILE;
    let j_tile = id % columns * TILE;
    let row = thread / 16u;       // this thread's block in the tile, in fours
    let column = thread % 16u;
    var sum0 = vec4<f32>();
    var sum1 = vec4<f32>();
    var sum2 = vec4<f32>();
    var sum3 = vec4<f32>();
    for (var k0 = 0u; k0 < s.k; k0 += DEPTH) {
        // Each thread brings four rows of a and four columns of b for one k.
        let k = thread / 16u;
        let quad = thread % 16u;
        let i = i_tile + 4u * quad;
        let j = j_tile + 4u * quad;
        a_tile[thread] = vec4(load_a(i, k0 + k), load_a(i + 1u, k0 + k), load_a(i + 2u, k0 + k), load_a(i + 3u, k0 + k));
        b_tile[thread] = vec4(load_b(j, k0 + k), load_b(j + 1u, k0 + k), load_b(j + 2u, k0 + k), load_b(j + 3u, k0 + k));
        workgroupBarrier();
        for (var p = 0u; p < DEPTH; p += 4u) {
            let x0 = a_tile[p * 16u + row];
            let w0 = b_tile[p * 16u + column];
            sum0 += x0.x * w0;
            sum1 += x0.y * w0;
            sum2 += x0.z * w0;
            sum3 += x0.w * w0;
            let x1 = a_tile[(p + 1u) * 16u + row];
            let w1 = b_tile[(p + 1u) * 16u + column];
            sum0 += x1.x * w1;
            sum1 += x1.y * w1;
            sum2 += x1.z * w1;
            sum3 += x1.w * w1;
            let x2 = a_tile[(p + 2u) * 16u + row];
            let w2 = b_tile[(p + 2u) * 16u + column];
            sum0 += x2.x * w2;
            sum1 += x2.y * w2;
            sum2 += x2.z * w2;
            sum3 += x2.w * w2;
            let x3 = a_tile[(p + 3u) * 16u + row];
            let w3 = b_tile[(p + 3u) * 16u + column];
            sum0 += x3.x * w3;
            sum1 += x3.y * w3;
            sum2 += x3.z * w3;
            sum3 += x3.w * w3;
        }
        workgroupBarrier();
    }
    let i0 = i_tile + 4u * row;
    let j0 = j_tile + 4u * column;
    store(i0 + 0u, j0, sum0);
    store(i0 + 1u, j0, sum1);
    store(i0 + 2u, j0, sum2);
    store(i0 + 3u, j0, sum3);
}
