// y[oy, ox] = max over ky, kx of x[oy·stride_y + ky - pad_y, ox·stride_x + kx - pad_x], index = where it stands
//
// Rung 2: window and steps are constants of the pipeline, so that the driver unrolls the window's loops and no thread
// divides by them; a workgroup covers 8 rows × 32 columns of the output, so that neighbours in a row read neighbouring
// words and one division finds the row. On llvmpipe that bought 1.4 × for 3 × 3 windows in steps of 2 and nothing for 2
// × 2; no card is measured yet.

struct Shape {
    planes: u32,            // images · channels
    h: u32, w: u32,
    oh: u32, ow: u32,
    kernel_y: u32, kernel_x: u32,   // here as KY, KX
    stride_y: u32, stride_x: u32,   // here as SY, SX
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
    var best = 0.0;
    var at = 0xffffffffu;
    for (var ky = 0u; ky < KY; ky++) {
        for (var kx = 0u; kx < KX; kx++) {
            if top + ky < s.h && left + kx < s.w {
                let candidate = (top + ky) * s.w + left + kx;
                let v = x[start + candidate];
                if at == 0xffffffffu || is_nan(v) || (v > best && !is_nan(best)) {
                    best = v;
                    at = candidate;
                }
            }
        }
    }
    let id = row * s.ow + ox;
    y[id] = best;
    index[id] = at;
}
