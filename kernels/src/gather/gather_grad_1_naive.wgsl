// dx[o, r, i] = Σ of dy[o, k, i] over the k with index[k] = r, in order
//
// Rung 1: one thread per element of dx, which goes through the whole index. Nothing is added by two threads to one
// place, so the sums are the same every time.

struct Shape {
    outer: u32,
    rows: u32,
    inner: u32,
    count: u32,
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> dy: array<f32>;        // [outer, count, inner]
@group(0) @binding(2) var<storage, read> index: array<u32>;     // [count]
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;  // [outer, rows, inner]

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let id = (group.y * groups.x + group.x) * 64u + thread;
    if id >= s.outer * s.rows * s.inner {
        return;
    }
    let slice = id / s.inner;
    let row = slice % s.rows;
    let first = slice / s.rows * s.count;
    var sum = 0.0;
    for (var k = 0u; k < s.count; k++) {
        if index[k] == row {
            sum += dy[(first + k) * s.inner + id % s.inner];
        }
    }
    dx[id] = sum;
}
