// dx[i] = Σ of dy over the windows whose maximum stood at i
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
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> dy: array<f32>;        // [planes, oh, ow]
@group(0) @binding(2) var<storage, read> index: array<u32>;     // [planes, oh, ow], position in h · w
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;  // [planes, h, w]

// The first window that reaches position p of the padded axis.
fn first(p: u32, window: u32, stride: u32) -> u32 {
    return select(0u, (p - window) / stride + 1u, p >= window);
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
    let at = id % (s.h * s.w);
    let plane = id / (s.h * s.w);
    let py = at / s.w + s.pad_y;
    let px = at % s.w + s.pad_x;
    let last_y = min(py / s.stride_y, s.oh - 1u);
    let last_x = min(px / s.stride_x, s.ow - 1u);
    var sum = 0.0;
    for (var oy = first(py, s.kernel_y, s.stride_y); oy <= last_y; oy++) {
        for (var ox = first(px, s.kernel_x, s.stride_x); ox <= last_x; ox++) {
            let window = (plane * s.oh + oy) * s.ow + ox;
            if index[window] == at {
                sum += dy[window];
            }
        }
    }
    dx[id] = sum;
}
