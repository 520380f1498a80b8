// g = clamp(scale·gradient, ±limit) + penalty·p, square = alpha·square + (1 - alpha)·g², step = g / (√square + eps),
// velocity = momentum·velocity + step, p = p - lr·velocity
// CENTERED: mean = alpha·mean + (1 - alpha)·g, and √(square - mean²) in place of √square. Without MOMENTUM: p - lr·step.
//
// Rung 1: one thread per parameter, one word at a time.

struct Params {
    len: u32,
    lr: f32,
    alpha: f32, rest: f32,  // rest = 1 - alpha
    eps: f32,
    momentum: f32,
    limit: f32,
}

@group(0) @binding(0) var<uniform> s: Params;
@group(0) @binding(1) var<storage, read> gradient: array<f32>;          // [len]
@group(0) @binding(2) var<storage, read> scale: array<f32>;             // [1]
@group(0) @binding(3) var<storage, read> penalty: array<f32>;           // [⌈len / 64⌉]
@group(0) @binding(4) var<storage, read_write> p: array<f32>;           // [len]
@group(0) @binding(5) var<storage, read_write> square: array<f32>;      // [len]
@group(0) @binding(6) var<storage, read_write> mean: array<f32>;        // [len], used only where CENTERED
@group(0) @binding(7) var<storage, read_write> velocity: array<f32>;    // [len], used only where MOMENTUM

override CENTERED: u32 = 1;
override MOMENTUM: u32 = 1;

// Within ±limit; a NaN stays one, which `clamp` does not promise.
fn clipped(g: f32) -> f32 {
    return select(select(g, -s.limit, g < -s.limit), s.limit, g > s.limit);
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = (group.y * groups.x + group.x) * 64u + thread;
    if i >= s.len {
        return;
    }
    let g = clipped(gradient[i] * scale[0]) + penalty[i / 64u] * p[i];
    var variance = s.alpha * square[i] + s.rest * g * g;
    square[i] = variance;
    if CENTERED == 1u {
        let next = s.alpha * mean[i] + s.rest * g;
        mean[i] = next;
        variance -= next * next;
        variance = select(variance, 0.0, variance < 0.0);
    }
    var step = g / (sqrt(variance) + s.eps);
    if MOMENTUM == 1u {
        step += s.momentum * velocity[i];
        velocity[i] = step;
    }
    p[i] -= s.lr * step;
}
