// y[oy, ox] = max over ky, kx of x[oy·stride_y + ky - pad_y, ox·stride_x + kx - pad_x], index = where it stands
//
// Rung 1: one thread per output, which walks its window in reading order. Neighbouring threads read `stride` apart, so
// each cache line is fetched for few useful words at a time and the shape costs divisions in every thread.

struct Shape {
    planes: u32,            // images · channels
    h: u32, w: u32,
    oh: u32, ow: u32,
    kernel_y: u32, kernel_x: u32,
    stride_y: u32, stride_x: u32,
    pad_y: u32, pad_x: u32, // above, left
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> x: array<f32>;             // [planes, h, w]
@group(0) @binding(2) var<storage, read_write> y: array<f32>;       // [planes, oh, ow]
@group(0) @binding(3) var<storage, read_write> index: array<u32>;   // [planes, oh, ow], position in h · w

// Shader compilers may assume that there is no NaN: ask the bits.
fn is_nan(v: f32) -> bool {
    return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u;
}

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
    let start = plane * s.h * s.w;
    var at = y0 * s.w + x0;
    var best = x[start + at];
    for (var iy = y0; iy < y1; iy++) {
        for (var ix = x0; ix < x1; ix++) {
            let candidate = iy * s.w + ix;
            let v = x[start + candidate];
            if is_nan(v) || (v > best && !is_nan(best)) {
                best = v;
                at = candidate;
            }
        }
    }
    y[id] = best;
    index[id] = at;
}
