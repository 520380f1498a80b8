// y = act((x - mean) / √(var + eps) · weight + bias), channel by channel
//
// with the running mean and var.
//
// Rung 1: one thread per number; the channel's first also notes the statistics for the way back.

struct Shape {
    n: u32,
    c: u32,
    plane: u32,
    eps: f32,
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> x: array<f32>;                   // [n, c, plane]
@group(0) @binding(2) var<storage, read> running_mean: array<f32>;      // [c]
@group(0) @binding(3) var<storage, read> running_var: array<f32>;       // [c]
@group(0) @binding(4) var<storage, read> weight: array<f32>;            // [c], read only where AFFINE
@group(0) @binding(5) var<storage, read> bias: array<f32>;              // [c], read only where AFFINE
@group(0) @binding(6) var<storage, read_write> y: array<f32>;            // [n, c, plane]
@group(0) @binding(7) var<storage, read_write> stats: array<f32>;       // [2, c]: mean, 1 / √(var + eps)

override AFFINE: u32 = 0;
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
    let row = id / (s.plane);
    if row >= s.n * s.c {
        return;
    }
    let channel = row % s.c;
    let mean = running_mean[channel];
    let rstd = 1.0 / sqrt(running_var[channel] + s.eps);
    if row < s.c && id == row * (s.plane) {
        stats[channel] = mean;
        stats[s.c + channel] = rstd;
    }
    var v = (x[id] - mean) * rstd;
    if AFFINE == 1u {
        v = v * weight[channel] + bias[channel];
    }
    y[id] = activate(v);
}
