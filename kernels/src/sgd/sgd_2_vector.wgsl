// g = clamp(scale·gradient, ±limit) + penalty·p, velocity = momentum·velocity + g, p = p - lr·velocity,
// or with Nesterov's look ahead p - lr·(g + momentum·velocity), or without momentum p - lr·g
//
// Rung 2: four parameters a thread in one 16-byte access to each buffer: a quarter of the memory instructions. Serves
// lengths that are multiples of four. What it is to bring is what it brings Adam; not measured on a card yet.

struct Params {
    quads: u32,     // len / 4
    lr: f32,
    momentum: f32,
    limit: f32,
}

@group(0) @binding(0) var<uniform> s: Params;
@group(0) @binding(1) var<storage, read> gradient: array<vec4<f32>>;        // [len / 4]
@group(0) @binding(2) var<storage, read> scale: array<f32>;             // [1]
@group(0) @binding(3) var<storage, read> penalty: array<f32>;           // [⌈len / 64⌉]
@group(0) @binding(4) var<storage, read_write> p: array<vec4<f32>>;         // [len / 4]
@group(0) @binding(5) var<storage, read_write> velocity: array<vec4<f32>>;  // [len / 4], used only where MOMENTUM

override MOMENTUM: u32 = 1;
override NESTEROV: u32 = 0;

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
    var step = g;
    if MOMENTUM == 1u {
        let next = s.momentum * velocity[i] + g;
        velocity[i] = next;
        step = select(next, g + s.momentum * next, NESTEROV == 1u);
    }
    p[i] -= s.lr * step;
}
