// y[oy, ox] = Σ over ky, kx of x[oy·stride_y + ky - pad_y, ox·stride_x + kx - pad_x] / places
//
// Rung 2: window and steps are constants of the pipeline, so that the driver unrolls the window's loops and no thread
// divides by them; a workgroup covers 8 rows × 32 columns of the output, so that neighbours in a row read neighbouring
// words and one division finds the row. It should buy most where windows are small; not measured on a card yet.

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
@group(0) @binding(1) var<storage, read> x: array<f32>;         // [planes, h, w]
@group(0) @binding(2) var<storage, read_write> y: array<f32>;   // [planes, oh, ow]

override KY: u32 = 1;
override KX: u32 = 1;
override SY: u32 = 1;
override SX: u32 = 1;

@compute @workgroup_size(32, 8)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let block = group.y * groups.x + group.x;
    let blocks = (s.ow + 31u) / 32u;    // in a row
    let ox = block % blocks * 32u + local.x;
    let row = block / blocks * 8u + local.y;
    if ox >= s.ow || row >= s.planes * s.oh {
        return;
    }
    let plane = row / s.oh;
    let start = plane * s.h * s.w;
    // Wraps around where the window begins in the padding: then no smaller than h or w.
    let top = (row - plane * s.oh) * SY - s.pad_y;
    let left = ox * SX - s.pad_x;
    var sum = 0.0;
    var inside = 0u;
    for (var ky = 0u; ky < KY; ky++) {
        for (var kx = 0u; kx < KX; kx++) {
            if top + ky < s.h && left + kx < s.w {
                sum += x[start + (top + ky) * s.w + left + kx];
                inside++;
            }
        }
    }
    y[row * s.ow + ox] = sum / f32(select(inside, KY * KX, s.include_pad == 1u));
}
