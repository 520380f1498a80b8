// g = clamp(scale·gradient, ±limit) + penalty·p, square = alpha·square + (1 - alpha)·g², step = g / (√square + eps),
// velocity = momentum·velocity + step, p = p - lr·velocity
// CENTERED: mean = alpha·mean + (1 - alpha)·g, and √(square - mean²) in place of √square. Without MOMENTUM: p - lr·step.
//
// Rung 2: four parameters a thread in one 16-byte access to each buffer: a quarter of the memory instructions. Serves
// lengths that are multiples of four. What it is to bring is what it brings Adam; not measured on a card yet.

struct Params {
    quads: u32,             // len / 4
    lr: f32,
    alpha: f32, rest: f32,  // rest = 1 - alpha
    eps: f32,
    momentum: f32,
    limit: f32,
}

@group(0) @binding(0) var<uniform> s: Params;
@group(0) @binding(1) var<storage, read> gradient: array<vec4<f32>>;        // [len / 4]
@group(0) @binding(2) var<storage, read> scale: array<f32>;             // [1]
@group(0) @binding(3) var<storage, read> penalty: array<f32>;           // [⌈len / 64⌉]
@group(0) @binding(4) var<storage, read_write> p: array<vec4<f32>>;         // [len / 4]
@group(0) @binding(5) var<storage, read_write> square: array<vec4<f32>>;    // [len / 4]
@group(0) @binding(6) var<storage, read_write> mean: array<vec4<f32>>;      // [len / 4], used only where CENTERED
@group(0) @binding(7) var<storage, read_write> velocity: array<vec4<f32>>;  // [len / 4], used only where MOMENTUM

override CENTERED: u32 = 1;
override MOMENTUM: u32 = 1;

// Within ±limit; a NaN stays one, which `clamp` does not promise.
fn clipped(g: vec4<f32>) -> vec4<f32> {
    let limit = vec4(s.limit);
    return select(select(g, -limit, g < -limit), limit, g > limit);
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = (group.y * groups.x + group.x) * 64u + thread;
    if i >= s.quads {
        return;
    }
    let g = clipped(gradient[i] * scale[0]) + penalty[i / 16u] * p[i];
    var variance = s.alpha * square[i] + s.rest * g * g;
    square[i] = variance;
    if CENTERED == 1u {
        let next = s.alpha * mean[i] + s.rest * g;
        mean[i] = next;
        variance -= next * next;
        variance = select(variance, vec4(0.0), variance < vec4(0.0));
    }
    var step = g / (sqrt(variance) + s.eps);
    if MOMENTUM == 1u {
        step += s.momentum * velocity[i];
        velocity[i] = step;
    }
    p[i] -= s.lr * step;
}
