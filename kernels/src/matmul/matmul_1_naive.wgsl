// y[i, j] = act(Σ_k a[i, k] · b[k, j] + bias[j])
//
// Rung 1: one thread per element of y, everything from global memory. Every element of a is read n times and every
// element of b m times: 2·m·n·k loads for 2·m·n·k operations, so memory decides.

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

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let id = (group.y * groups.x + group.x) * 64u + thread;
    if id >= s.m * s.n {
        return;
    }
    let i = id / s.n;
    let j = id % s.n;
    var sum = 0.0;
    for (var k = 0u; k < s.k; k++) {
        sum += a[i * s.a_row + k * s.a_k] * b[j * s.b_column + k * s.b_k];
    }
    if BIAS == 1u {
        sum += bias[j];
    }
    y[id] = activate(sum);
}
