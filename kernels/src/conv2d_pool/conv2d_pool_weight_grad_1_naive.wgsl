// dw[o, c, p, q] = Σ_{n, a, b} dz[n, o, a, b] · x[n, c', what tap (p, q) sees at the winner of window (a, b)]
// with dz = dy·act'(y)
//
// Rung 1: one thread per weight walks over all windows of all images.

struct Shape {
    n: u32, c: u32, h: u32, w: u32,             // x: [n, c, h, w]
    o: u32, oh: u32, ow: u32,                   // of the convolution, before the pooling
    kh: u32, kw: u32,                           // weight: [o, c / groups, kh, kw]
    stride_h: u32, stride_w: u32,
    pad_h: u32, pad_w: u32,                     // zeros before; those after follow from oh and ow
    dilation_h: u32, dilation_w: u32,
    groups: u32,
    ph: u32, pw: u32,                           // y: [n, o, ph, pw]
    window_h: u32, window_w: u32,               // of the pooling
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> x: array<f32>;             // [n, c, h, w]
@group(0) @binding(2) var<storage, read> dy: array<f32>;            // [n, o, ph, pw]
@group(0) @binding(3) var<storage, read> y: array<f32>;             // [n, o, ph, pw]
@group(0) @binding(4) var<storage, read> index: array<u32>;         // [n, o, ph, pw], place in its window
@group(0) @binding(5) var<storage, read_write> dw: array<f32>;      // [o, c / groups, kh, kw]

override ACTIVATION: u32 = 0;

// The gradient before the activation, from its output and the gradient behind it.
fn inactivate(y: f32, dy: f32) -> f32 {
    switch ACTIVATION {
        case 1u: { return select(0.0, dy, y > 0.0); }                   // relu
        case 2u: { return select(0.01 * dy, dy, y > 0.0); }             // leaky relu
        case 3u: { return select(dy * (y + 1.0), dy, y > 0.0); }        // elu
        case 4u: { return dy * (1.0 - y * y); }                         // tanh
        case 5u: { return dy * (y * (1.0 - y)); }                       // sigmoid
        default: { return dy; }
    }
}

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
        for (var a = 0u; a < s.ph; a++) {
            for (var b = 0u; b < s.pw; b++) {
                let at = ((n * s.o + o) * s.ph + a) * s.pw + b;
                let place = index[at];
                let i = a * s.window_h + place / s.window_w;
                let j = b * s.window_w + place % s.window_w;
                // Where it begins in the padding, this wraps around: then no smaller than h or w.
                let row = i * s.stride_h + p * s.dilation_h - s.pad_h;
                let column = j * s.stride_w + q * s.dilation_w - s.pad_w;
                if row < s.h && column < s.w {
                    sum += inactivate(y[at], dy[at]) * x[((n * s.c + channel) * s.h + row) * s.w + column];
                }
            }
        }
    }
    dw[id] = sum;
}
