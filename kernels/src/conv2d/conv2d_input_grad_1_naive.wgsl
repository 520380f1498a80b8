// dx[n, c, a, b] = Σ over every (o, p, q) whose output saw this input: weight[o, c, p, q] · dy[n, o, i, j],
// where i = (a + pad - p·dilation) / stride comes out even and lies inside, and j likewise.
//
// Rung 1: one thread per element of dx gathers; nothing is scattered, so no atomics are needed.

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
@group(0) @binding(1) var<storage, read> dy: array<f32>;         // [n, o, oh, ow]
@group(0) @binding(2) var<storage, read> weight: array<f32>;     // [o, c / groups, kh, kw]
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;   // [n, c, h, w]

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let id = (group.y * groups.x + group.x) * 64u + thread;
    if id >= s.n * s.c * s.h * s.w {
        return;
    }
    let b = id % s.w;
    let a = id / s.w % s.h;
    let channel = id / (s.w * s.h) % s.c;
    let n = id / (s.w * s.h * s.c);
    let per_group = s.c / s.groups;
    let outputs = s.o / s.groups;
    let c = channel % per_group;
    let first = channel / per_group * outputs;    // the first output that saw this channel
    var sum = 0.0;
    for (var p = 0u; p < s.kh; p++) {
        let row = a + s.pad_h - min(p * s.dilation_h, a + s.pad_h);
        if p * s.dilation_h > a + s.pad_h || row % s.stride_h != 0u || row / s.stride_h >= s.oh {
            continue;
        }
        for (var q = 0u; q < s.kw; q++) {
            let column = b + s.pad_w - min(q * s.dilation_w, b + s.pad_w);
            if q * s.dilation_w > b + s.pad_w || column % s.stride_w != 0u || column / s.stride_w >= s.ow {
                continue;
            }
            for (var o = first; o < first + outputs; o++) {
                let at = ((n * s.o + o) * s.oh + row / s.stride_h) * s.ow + column / s.stride_w;
                sum += weight[((o * per_group + c) * s.kh + p) * s.kw + q] * dy[at];
            }
        }
    }
    dx[id] = sum;
}
