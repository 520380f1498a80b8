// y[o, k, i] = x[o, index[k], i], NaN where index[k] is no row
//
// Rung 1: one thread per element.

struct Shape {
    outer: u32,
    rows: u32,
    inner: u32,
    count: u32,
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> x: array<u32>;         // [outer, rows, inner], bits of floats
@group(0) @binding(2) var<storage, read> index: array<u32>;     // [count]
@group(0) @binding(3) var<storage, read_write> y: array<u32>;   // [outer, count, inner], bits of floats

const NAN: u32 = 0x7fc00000;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let id = (group.y * groups.x + group.x) * 64u + thread;
    if id >= s.outer * s.count * s.inner {
        return;
    }
    let slice = id / s.inner;
    let row = index[slice % s.count];
    var value = NAN;
    if row < s.rows {
        value = x[(slice / s.count * s.rows + row) * s.inner + id % s.inner];
    }
    y[id] = value;
}
