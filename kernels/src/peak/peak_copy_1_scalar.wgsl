// y = x
//
// Rung 1: one number per thread.

struct Shape {
    threads: u32,
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> x: array<f32>;          // [threads]
@group(0) @binding(2) var<storage, read_write> y: array<f32>;    // [threads]

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
