// y[i] = x[j], where j is i with its axes in another order, moved along each; a value where x has no such element
//
// Rung 2: a workgroup takes a tile of 32 rows × 32 columns of y: reads it along x's rows into workgroup memory, and
// writes it along y's. For y whose rows run across x's (NCHW to NHWC, a matrix transposed), where rung 1 reads a stride
// apart: 32 threads touch 32 cache lines for 128 bytes. A row of the tile has 33 words, so that a column's words lie in
// different banks. Expected to bring a transposition near the speed of a copy; not measured on a card yet.

struct Axis {
    len: u32,
    x_stride: u32,
    y_stride: u32,
    low: u32, high: u32,    // x has the elements low..high
    unused_1: u32, unused_2: u32, unused_3: u32,
}

struct Shape {
    count: u32,             // elements of y to write
    x: u32,                 // where index 0 lies in x; wraps around below zero
    y: u32,                 // where index 0 lies in y
    fill: u32,              // bits of the value
    axes: array<Axis, 6>,   // the first RANK of them, outermost first
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> x: array<u32>;         // bits of floats
@group(0) @binding(2) var<storage, read_write> y: array<u32>;   // bits of floats

override RANK: u32 = 2;
override TALL: u32 = 0;     // the axis of y whose elements are neighbours in x; those of the last are in y

var<workgroup> tile: array<u32, 1056>;  // [column of y, 33], row of y

@compute @workgroup_size(32, 8)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let tall = s.axes[TALL];
    let wide = s.axes[RANK - 1u];
    let columns = (wide.len + 31u) / 32u;
    let rows = (tall.len + 31u) / 32u;
    var rest = group.y * groups.x + group.x;
    let left = rest % columns * 32u;
    rest /= columns;
    let top = rest % rows * 32u;
    rest /= rows;
    var at_x = s.x;
    var at_y = s.y;
    var inside = true;
    for (var k = RANK - 1u; k > 0u; k--) {
        if k - 1u != TALL {
            let axis = s.axes[k - 1u];
            let i = rest % axis.len;
            rest /= axis.len;
            at_x += i * axis.x_stride;
            at_y += i * axis.y_stride;
            inside = inside && i >= axis.low && i < axis.high;
        }
    }
    // Groups past the end have something left.
    let ours = rest == 0u;
    let row_in = top + local.x;
    let row_inside = ours && inside && row_in >= tall.low && row_in < tall.high;
    for (var c = local.y; c < 32u; c += 8u) {
        let column = left + c;
        var value = s.fill;
        if row_inside && column >= wide.low && column < wide.high {
            value = x[at_x + row_in + column * wide.x_stride];
        }
        tile[c * 33u + local.x] = value;
    }
    workgroupBarrier();
    let column_out = left + local.x;
    for (var r = local.y; r < 32u; r += 8u) {
        let row = top + r;
        if ours && row < tall.len && column_out < wide.len {
            y[at_y + row * tall.y_stride + column_out] = tile[local.x * 33u + r];
        }
    }
}
