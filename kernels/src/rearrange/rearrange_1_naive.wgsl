// y[i] = x[j], where j is i with its axes in another order, moved along each; a value where x has no such element
//
// Rung 1: one thread per element of y, which takes its number apart into indices. Neighbouring threads write
// neighbouring words; where y's last axis is x's last too, they read neighbouring words as well, and this is all there
// is to do.

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

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let id = (group.y * groups.x + group.x) * 64u + thread;
    if id >= s.count {
        return;
    }
    var rest = id;
    var at_x = s.x;
    var at_y = s.y;
    var inside = true;
    for (var k = RANK; k > 0u; k--) {
        let axis = s.axes[k - 1u];
        let i = rest % axis.len;
        rest /= axis.len;
        at_x += i * axis.x_stride;
        at_y += i * axis.y_stride;
        inside = inside && i >= axis.low && i < axis.high;
    }
    var value = s.fill;
    if inside {
        value = x[at_x];
    }
    y[at_y] = value;
}
