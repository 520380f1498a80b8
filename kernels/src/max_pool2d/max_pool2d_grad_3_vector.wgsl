// dx[i] = dy of the window that holds i, if its maximum stood at i
//
// Rung 3: for windows that do not overlap, where an element lies in one window at most: no loops, and 4 neighbouring
// numbers a thread, written as one, along rows and across their ends, so that no thread idles in narrow planes. Not
// measured on a card yet.

struct Shape {
    planes: u32,            // images · channels
    h: u32, w: u32,
    oh: u32, ow: u32,
    kernel_y: u32, kernel_x: u32,   // here as KY, KX
    stride_y: u32, stride_x: u32,   // here as SY, SX
    pad_y: u32, pad_x: u32, // above, left
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> dy: array<f32>;                // [planes, oh, ow]
@group(0) @binding(2) var<storage, read> index: array<u32>;             // [planes, oh, ow], position in h · w
@group(0) @binding(3) var<storage, read_write> dx: array<vec4<f32>>;    // [planes · h · w / 4]

override KY: u32 = 1;
override KX: u32 = 1;
override SY: u32 = 1;
override SX: u32 = 1;

fn gradient(plane: u32, at: u32) -> f32 {
    let iy = at / s.w;
    let oy = (iy + s.pad_y) / SY;
    let ox = (at - iy * s.w + s.pad_x) / SX;
    if oy >= s.oh || ox >= s.ow {
        return 0.0;
    }
    let window = (plane * s.oh + oy) * s.ow + ox;
    return select(0.0, dy[window], index[window] == at);
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let id = (group.y * groups.x + group.x) * 64u + thread;
    if id >= s.planes * s.h * s.w / 4u {
        return;
    }
    let inside = s.h * s.w;
    let plane = id * 4u / inside;
    let at = id * 4u - plane * inside;
    // Planes are not always multiples of 4.
    let wraps = vec3(at + 1u, at + 2u, at + 3u) / inside;
    dx[id] = vec4(
        gradient(plane, at),
        gradient(plane + wraps.x, at + 1u - wraps.x * inside),
        gradient(plane + wraps.y, at + 2u - wraps.y * inside),
        gradient(plane + wraps.z, at + 3u - wraps.z * inside),
    );
}
