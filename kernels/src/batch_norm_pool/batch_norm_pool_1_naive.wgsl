// y = max over each window of act((x - mean) / √(var + eps) · weight + bias), channel by channel
//
// Rung 1: the statistics are those of batch_norm_2_split; then one thread per output walks its window in reading order for
// the largest x, or the smallest where the weight is negative, and normalises that one. What it bought over batch_norm and
// max_pool2d apart: the normalised map is neither written nor read.

struct Shape {
    n: u32,
    c: u32,
    h: u32, w: u32,
    oh: u32, ow: u32,
    window_y: u32, window_x: u32,
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> x: array<f32>;             // [n, c, h, w]
@group(0) @binding(2) var<storage, read> weight: array<f32>;        // [c], read only where AFFINE
@group(0) @binding(3) var<storage, read> bias: array<f32>;          // [c], read only where AFFINE
@group(0) @binding(4) var<storage, read_write> stats: array<f32>;   // [2, c]: mean, 1 / √(var + eps)
@group(0) @binding(5) var<storage, read_write> y: array<f32>;       // [n, c, oh, ow]
@group(0) @binding(6) var<storage, read_write> index: array<u32>;   // [n, c, oh, ow], place in the window
@group(0) @binding(7) var<storage, read_write> won: array<f32>;     // [n, c, oh, ow], x at that place

override AFFINE: u32 = 0;
override ACTIVATION: u32 = 0;

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

// Shader compilers may assume that there is no NaN: ask the bits.
fn is_nan(v: f32) -> bool {
    return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u;
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let id = (group.y * groups.x + group.x) * 64u + thread;
    if id >= s.n * s.c * s.oh * s.ow {
        return;
    }
    let ox = id % s.ow;
    let oy = id / s.ow % s.oh;
    let plane = id / (s.ow * s.oh);
    let channel = plane % s.c;
    var scale = stats[s.c + channel];
    var shift = 0.0;
    var negative = false;
    if AFFINE == 1u {
        negative = weight[channel] < 0.0;
        scale *= weight[channel];
        shift = bias[channel];
    }
    let start = (plane * s.h + oy * s.window_y) * s.w + ox * s.window_x;
    var best = x[start];
    var at = 0u;
    for (var p = 0u; p < s.window_y; p++) {
        for (var q = 0u; q < s.window_x; q++) {
            let v = x[start + p * s.w + q];
            let above = select(v > best, v < best, negative);
            if is_nan(v) || (above && !is_nan(best)) {
                best = v;
                at = p * s.window_x + q;
            }
        }
    }
    y[id] = activate((best - stats[channel]) * scale + shift);
    index[id] = at;
    won[id] = best;
}
