// dw[i] = Σ over the parts of part[p, i]
//
// The second pass of rung 3: one thread per weight adds the parts in order.

struct Shape {
    len: u32,
    parts: u32,
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read_write> part: array<f32>; // [parts, len]
@group(0) @binding(2) var<storage, read_write> dw: array<f32>;   // [len]

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
    var sum = 0.0;
    for (var p = 0u; p < s.parts; p++) {
        sum += part[p * s.len + i];
    }
    dw[i] = sum;
}
