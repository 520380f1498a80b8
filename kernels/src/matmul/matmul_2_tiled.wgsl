// y[i, j] = act(Σ_k a[i, k] · b[k, j] + bias[j])
//
// Rung 2: a workgroup of 16 × 16 threads computes a 16 × 16 tile of y from tiles of a and b that it copies into
// workgroup memory: it walks along k in steps of 16, fetches the two 16 × 16 tiles it needs once, and every thread then
// reads them 16 times from there. Global loads fall to a sixteenth of rung 1's. On llvmpipe, where workgroup memory is
// memory like any other, that costs 1.4 × for 10 240 × 192 out of 64; no card is measured yet.

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

const TILE: u32 = 16;

var<workgroup> a_tile: array<f32, 256>;    // [row, k]
var<workgroup> b_tile: array<f32, 256>;    // [k, column]

@compute @workgroup_size(16, 16)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let id = group.y * groups.x + group.x;
    let columns = (s.n + TILE - 1u) / TILE;
    let i = id / columns * TILE + local.y;
    let j = id % columns * TILE + local.x;
    var sum = 0.0;
    for (var k0 = 0u; k0 < s.k; k0 += TILE) {
        // Past the edge zeros are multiplied, so that no thread leaves before a barrier.
        let ka = k0 + local.x;
        let kb = k0 + local.y;
        var x = 0.0;
        if i < s.m && ka < s.k {
            x = a[i * s.a_row + ka * s.a_k];
        }
        var w = 0.0;
        if j < s.n && kb < s.k {
            w = b[j * s.b_column + kb * s.b_k];
        }
        a_tile[local.y * TILE + local.x] = x;
        b_tile[local.y * TILE + local.x] = w;
        workgroupBarrier();
        for (var k = 0u; k < TILE; k++) {
            sum += a_tile[local.y * TILE + k] * b_tile[k * TILE + local.x];
        }
        workgroupBarrier();
    }
    if i < s.m && j < s.n {
        if BIAS == 1u {
            sum += bias[j];
        }
        y[i * s.n + j] = activate(sum);
    }
}
