// t[k, i] = w[i, k]
//
// The weights for the rungs that walk a whole sequence: threads of neighbouring units then read neighbouring words.

struct Shape {
    rows: u32,
    columns: u32,
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> w: array<f32>;         // [rows, columns]
@group(0) @binding(2) var<storage, read_write> t: array<f32>;   // [columns, rows]

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let id = (group.y * groups.x + group.x) * 64u + thread;
    if id >= s.rows * s.columns {
        return;
    }
    t[id] = w[id % s.rows * s.columns + id / s.rows];
}
