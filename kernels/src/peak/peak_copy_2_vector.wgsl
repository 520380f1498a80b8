// y = x
//
// Rung 2: one vector of four numbers per thread: a quarter of the instructions, each with all that memory gives at
// once. Not measured on a card yet.

struct Shape {
    threads: u32,
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;          // [threads] vectors
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;    // [threads] vectors

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = (group.y * groups.x + group.x) * 256u + thread;
    if i < s.threads {
        y[i] = x[i];
    }
}
