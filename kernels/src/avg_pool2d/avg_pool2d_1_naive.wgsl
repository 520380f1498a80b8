// y[oy, ox] = Σ over ky, kx of x[oy·stride_y + ky - pad_y, ox·stride_x + kx - pad_x] / places
//
// with zeros outside the plane. places: those of the window, or of its part inside the plane.
//
// Rung 1: one thread per output, which walks its window. Neighbouring threads read `stride` apart, and the shape costs
// divisions in every thread.

struct Shape {
    planes: u32,            // images · channels
    h: u32, w: u32,
    oh: u32, ow: u32,
    kernel_y: u32, kernel_x: u32,
    stride_y: u32, stride_x: u32,
    pad_y: u32, pad_x: u32, // above, left
    include_pad: u32,       // whether padding counts among the places
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> x: array<f32>;         // [planes, h, w]
@group(0) @binding(2) var<storage, read_write> y: array<f32>;   // [planes, oh, ow]

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let id = (group.y * groups.x + group.x) * 64u + thread;
    if id >= s.planes * s.oh * s.ow {
        return;
    }
    let ox = id % s.ow;
    let oy = id / s.ow % s.oh;
    let plane = id / (s.ow * s.oh);
    // The part of the window that lies inside the plane: never empty.
    let y0 = max(oy * s.stride_y, s.pad_y) - s.pad_y;
    let x0 = max(ox * s.stride_x, s.pad_x) - s.pad_x;
    let y1 = min(oy * s.stride_y + s.kernel_y - s.pad_y, s.h);
    let x1 = min(ox * s.stride_x + s.kernel_x - s.pad_x, s.w);
    var sum = 0.0;
    for (var iy = y0; iy < y1; iy++) {
        for (var ix = x0; ix < x1; ix++) {
            sum += x[(plane * s.h + iy) * s.w + ix];
        }
    }
    let places = select((y1 - y0) * (x1 - x0), s.kernel_y * s.kernel_x, s.include_pad == 1u);
    y[id] = sum / f32(places);
}
