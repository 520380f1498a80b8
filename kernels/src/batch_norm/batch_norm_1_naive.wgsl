// y = act((x - mean) / √(var + eps) · weight + bias), channel by channel
//
// with mean and var of the batch; running = (1 - momentum)·running + momentum·(mean, var·N / (N - 1)).
//
// Rung 1: one thread per channel, which walks it three times: for the mean, for the squared deviations from it, and to
// write. Channels are few, so most of the card idles, and neighbouring threads read a whole plane apart.

struct Shape {
    n: u32,
    c: u32,
    plane: u32,
    eps: f32,
    momentum: f32,
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> x: array<f32>;                     // [n, c, plane]
@group(0) @binding(2) var<storage, read> weight: array<f32>;                // [c], read only where AFFINE
@group(0) @binding(3) var<storage, read> bias: array<f32>;                  // [c], read only where AFFINE
@group(0) @binding(4) var<storage, read_write> y: array<f32>;               // [n, c, plane]
@group(0) @binding(5) var<storage, read_write> stats: array<f32>;           // [2, c]: mean, 1 / √(var + eps)
@group(0) @binding(6) var<storage, read_write> running_mean: array<f32>;    // [c]
@group(0) @binding(7) var<storage, read_write> running_var: array<f32>;     // [c]

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

// Where number i of a channel lies.
fn place(channel: u32, i: u32) -> u32 {
    return (i / s.plane * (s.c - 1u) + channel) * s.plane + i;
}

// v, or 0 where it is an infinity or NaN.
fn finite(v: f32) -> f32 {
    return select(0.0, v, abs(v) < 3e38);
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let channel = (group.y * groups.x + group.x) * 64u + thread;
    if channel >= s.c {
        return;
    }
    let count = s.n * s.plane;
    // Distances from some number of the channel are small where the channel lies far from zero, and sum exactly.
    let some = finite(x[place(channel, 0u)]);
    var sum = 0.0;
    for (var i = 0u; i < count; i++) {
        sum += x[place(channel, i)] - some;
    }
    let rough = some + sum / f32(count);
    // What the rounding of the mean left over corrects both. There is none of an infinity.
    var rest = 0.0;
    var squares = 0.0;
    for (var i = 0u; i < count; i++) {
        let apart = x[place(channel, i)] - rough;
        rest += apart;
        squares += apart * apart;
    }
    var mean = rough;
    if abs(rest) < 3e38 {
        mean += rest / f32(count);
    }
    squares -= rest * rest / f32(count);
    let rstd = 1.0 / sqrt(squares / f32(count) + s.eps);
    stats[channel] = mean;
    stats[s.c + channel] = rstd;
    running_mean[channel] = (1.0 - s.momentum) * running_mean[channel] + s.momentum * mean;
    running_var[channel] = (1.0 - s.momentum) * running_var[channel] + s.momentum * squares / f32(count - 1u);
    var scale = rstd;
    var shift = 0.0;
    if AFFINE == 1u {
        scale *= weight[channel];
        shift = bias[channel];
    }
    for (var i = 0u; i < count; i++) {
        y[place(channel, i)] = activate((x[place(channel, i)] - mean) * scale + shift);
    }
}
