// dx[i] = Σ of dy / places over the windows that hold i
//
// Rung 2: window and steps are constants of the pipeline, so that divisions by them become multiplications and, where
// windows do not overlap, the loops vanish; a workgroup covers 8 rows × 32 columns of dx, so that one division finds
// the row. Under global pooling a plane's threads all read the same word. Not measured on a card yet.

struct Shape {
    planes: u32,            // images · channels
    h: u32, w: u32,
    oh: u32, ow: u32,
    kernel_y: u32, kernel_x: u32,   // here as KY, KX
    stride_y: u32, stride_x: u32,   // here as SY, SX
    pad_y: u32, pad_x: u32, // above, left
    include_pad: u32,       // whether padding counts among the places
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> dy: array<f32>;        // [planes, oh, ow]
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;  // [planes, h, w]

override KY: u32 = 1;
override KX: u32 = 1;
override SY: u32 = 1;
override SX: u32 = 1;

// How much of a window that starts at `start` of the padded axis lies inside an axis of this length.
fn inside(start: u32, window: u32, pad: u32, length: u32) -> u32 {
    return min(start + window - pad, length) - (max(start, pad) - pad);
}

@compute @workgroup_size(32, 8)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let block = group.y * groups.x + group.x;
    let blocks = (s.w + 31u) / 32u;    // in a row
    let ix = block % blocks * 32u + local.x;
    let row = block / blocks * 8u + local.y;
    if ix >= s.w || row >= s.planes * s.h {
        return;
    }
    let plane = row / s.h;
    let py = row - plane * s.h + s.pad_y;
    let px = ix + s.pad_x;
    // At most ⌈K / S⌉ windows reach an element along each axis: the last, and those before it.
    var sum = 0.0;
    for (var back_y = (KY + SY - 1u) / SY; back_y > 0u; back_y--) {
        let oy = py / SY - (back_y - 1u);    // wraps around where there is none
        for (var back_x = (KX + SX - 1u) / SX; back_x > 0u; back_x--) {
            let ox = px / SX - (back_x - 1u);
            if oy < s.oh && ox < s.ow && py - oy * SY < KY && px - ox * SX < KX {
                var places = KY * KX;
                if s.include_pad == 0u {
                    places = inside(oy * SY, KY, s.pad_y, s.h) * inside(ox * SX, KX, s.pad_x, s.w);
                }
                sum += dy[(plane * s.oh + oy) * s.ow + ox] / f32(places);
            }
        }
    }
    dx[row * s.w + ix] = sum;
}
