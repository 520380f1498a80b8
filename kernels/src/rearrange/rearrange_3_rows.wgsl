// y[i] = x[j], where j is i with its axes in another order, moved along each; a value where x has no such element
//
// Rung 3: a thread takes the number of a row apart once, and then goes along the row: a workgroup covers 8 rows × 256
// columns, 32 neighbours side by side. For y whose rows are rows of x too (slices, padding, concatenation), where all
// that costs beside memory are rung 1's divisions, two for each axis and element. That is an eighth of the divisions in
// rows of 256 and more, half in rows of 64. Not measured on a card yet.

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

override RANK: u32 = 1;

const COLUMNS: u32 = 256;

@compute @workgroup_size(32, 8)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let row = s.axes[RANK - 1u];
    let parts = (row.len + COLUMNS - 1u) / COLUMNS;
    let id = group.y * groups.x + group.x;
    var rest = id / parts * 8u + local.y;
    var at_x = s.x;
    var at_y = s.y;
    var inside = true;
    for (var k = RANK - 1u; k > 0u; k--) {
        let axis = s.axes[k - 1u];
        let i = rest % axis.len;
        rest /= axis.len;
        at_x += i * axis.x_stride;
        at_y += i * axis.y_stride;
        inside = inside && i >= axis.low && i < axis.high;
    }
    // Rows past the end have something left.
    if rest != 0u {
        return;
    }
    let begin = id % parts * COLUMNS;
    let end = min(begin + COLUMNS, row.len);
    for (var column = begin + local.x; column < end; column += 32u) {
        var value = s.fill;
        if inside && column >= row.low && column < row.high {
            value = x[at_x + column * row.x_stride];
        }
        y[at_y + column] = value;
    }
}
