// y = act((x - mean) / √(var + eps) · weight + bias), channel by channel
//
// The last stage of rung 2, with the statistics known: a workgroup takes 1024 neighbouring numbers, 4 a thread.

struct Shape {
    n: u32,
    c: u32,
    plane: u32,
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> x: array<f32>;             // [n, c, plane]
@group(0) @binding(2) var<storage, read> weight: array<f32>;        // [c], read only where AFFINE
@group(0) @binding(3) var<storage, read> bias: array<f32>;          // [c], read only where AFFINE
@group(0) @binding(4) var<storage, read_write> stats: array<f32>;   // [2, c]: mean, 1 / √(var + eps)
@group(0) @binding(5) var<storage, read_write> y: array<f32>;       // [n, c, plane]

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

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let first = (group.y * groups.x + group.x) * 1024u + thread;
    let end = min(first + 1024u, s.n * s.c * s.plane);
    for (var i = first; i < end; i += 256u) {
        let channel = i / s.plane % s.c;
        var v = (x[i] - stats[channel]) * stats[s.c + channel];
        if AFFINE == 1u {
            v = v * weight[channel] + bias[channel];
        }
        y[i] = activate(v);
    }
}
