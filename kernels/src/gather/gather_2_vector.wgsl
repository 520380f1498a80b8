// y[o, k, i] = x[o, index[k], i], NaN where index[k] is no row
//
// Rung 2: four elements of a slice a thread, in one 16-byte access to each array: a quarter of the divisions and of the
// reads of the index. Serves slices whose length is a multiple of four. Not measured on a card yet.

struct Shape {
    outer: u32,
    rows: u32,
    inner: u32,
    count: u32,
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> x: array<vec4<u32>>;       // [outer, rows, inner / 4], bits of floats
@group(0) @binding(2) var<storage, read> index: array<u32>;         // [count]
@group(0) @binding(3) var<storage, read_write> y: array<vec4<u32>>; // [outer, count, inner / 4], bits of floats

const NAN: u32 = 0x7fc00000;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let id = (group.y * groups.x + group.x) * 64u + thread;
    let inner = s.inner / 4u;
    if id >= s.outer * s.count * inner {
        return;
    }
    let slice = id / inner;
    let row = index[slice % s.count];
    var value = vec4(NAN, NAN, NAN, NAN);
    if row < s.rows {
        value = x[(slice / s.count * s.rows + row) * inner + id % inner];
    }
    y[id] = value;
}
