// dw[o, c, p, q] = Σ_{n, i, j} dy[n, o, i, j] · x[n, c', i·stride + p·dilation - pad, j·stride + q·dilation - pad]
//
// Rung 1: one thread per weight walks over all positions of all images.

struct Shape {
    n: u32, c: u32, h: u32, w: u32,             // x: [n, c, h, w]
    o: u32, oh: u32, ow: u32,                   // y: [n, o, oh, ow]
    kh: u32, kw: u32,                           // weight: [o, c / groups, kh, kw]
    stride_h: u32, stride_w: u32,
    pad_h: u32, pad_w: u32,                     // zeros before; those after follow from oh and ow
    dilation_h: u32, dilation_w: u32,
    groups: u32,
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> x: array<f32>;          // [n, c, h, w]
@group(0) @binding(2) var<storage, read> dy: array<f32>;         // [n, o, oh, ow]
@group(0) @binding(3) var<storage, read_write> dw: array<f32>;   // [o, c / groups, kh, kw]

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let id = (group.y * groups.x + group.x) * 64u + thread;
    let per_group = s.c / s.groups;
    if id >= s.o * per_group * s.kh * s.kw {
        return;
    }
    let q = id % s.kw;
    let p = id / s.kw % s.kh;
    let c = id / (s.kw * s.kh) % per_group;
    let o = id / (s.kw * s.kh * per_group);
    let channel = o / (s.o / s.groups) * per_group + c;
    var sum = 0.0;
    for (var n = 0u; n < s.n; n++) {
        for (var i = 0u; i < s.oh; i++) {
            let row = i * s.stride_h + p * s.dilation_h;
            if row < s.pad_h || row - s.pad_h >= s.h {
                continue;
            }
            for (var j = 0u; j < s.ow; j++) {
                let column = j * s.stride_w + q * s.dilation_w;
                if column < s.pad_w || column - s.pad_w >= s.w {
                    continue;
                }
                let pixel = ((n * s.c + channel) * s.h + row - s.pad_h) * s.w + column - s.pad_w;
                sum += dy[((n * s.o + o) * s.oh + i) * s.ow + j] * x[pixel];
            }
        }
    }
    dw[id] = sum;
}
