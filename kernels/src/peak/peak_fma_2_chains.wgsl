// y = x, then `steps` times y = 0.75·y + 0.25
//
// Rung 2: sixteen numbers per thread, in four vectors. Sixteen chains that do not wait for each other keep the
// arithmetic busy, and one turn of the loop pays for all of them. Not measured on a card yet.

struct Shape {
    threads: u32,
    steps: u32,
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;          // [threads, 4] vectors
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;    // [threads, 4] vectors

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = (group.y * groups.x + group.x) * 256u + thread;
    if i >= s.threads {
        return;
    }
    let a = vec4(0.75);
    let b = vec4(0.25);
    // Neighbours read neighbouring vectors.
    let width = min(256u, s.threads - (i / 256u) * 256u);
    let base = (i / 256u) * 1024u + i % 256u;
    var v0 = x[base];
    var v1 = x[base + width];
    var v2 = x[base + 2u * width];
    var v3 = x[base + 3u * width];
    for (var step = 0u; step < s.steps; step++) {
        v0 = fma(v0, a, b);
        v1 = fma(v1, a, b);
        v2 = fma(v2, a, b);
        v3 = fma(v3, a, b);
    }
    y[base] = v0;
    y[base + width] = v1;
    y[base + 2u * width] = v2;
    y[base + 3u * width] = v3;
}
