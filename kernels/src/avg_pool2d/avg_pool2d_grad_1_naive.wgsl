// dx[i] = Σ of dy / places over the windows that hold i
//
// Rung 1: one thread per element of dx, which asks every window that reaches it. Each element of dx is written once,
// so no atomics are needed and the order of the sum is fixed, also where windows overlap.

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
@group(0) @binding(1) var<storage, read> dy: array<f32>;        // [planes, oh, ow]
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;  // [planes, h, w]

// The first window that reaches position p of the padded axis.
fn first(p: u32, window: u32, stride: u32) -> u32 {
    return select(0u, (p - window) / stride + 1u, p >= window);
}

// How much of window o lies inside an axis of this length.
fn inside(o: u32, window: u32, stride: u32, pad: u32, length: u32) -> u32 {
    return min(o * stride + window - pad, length) - (max(o * stride, pad) - pad);
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let id = (group.y * groups.x + group.x) * 64u + thread;
    if id >= s.planes * s.h * s.w {
        return;
    }
    let plane = id / (s.h * s.w);
    let py = id / s.w % s.h + s.pad_y;
    let px = id % s.w + s.pad_x;
    let end_y = min(py / s.stride_y + 1u, s.oh);
    let end_x = min(px / s.stride_x + 1u, s.ow);
    var sum = 0.0;
    for (var oy = first(py, s.kernel_y, s.stride_y); oy < end_y; oy++) {
        for (var ox = first(px, s.kernel_x, s.stride_x); ox < end_x; ox++) {
            var places = s.kernel_y * s.kernel_x;
            if s.include_pad == 0u {
                places = inside(oy, s.kernel_y, s.stride_y, s.pad_y, s.h)
                    * inside(ox, s.kernel_x, s.stride_x, s.pad_x, s.w);
            }
            sum += dy[(plane * s.oh + oy) * s.ow + ox] / f32(places);
        }
    }
    dx[id] = sum;
}
