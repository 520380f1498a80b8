// dx[n, c, r, t] = Σ over every (o, p, q) that saw this input at a winner: weight[o, c, p, q] · dy·act'(y)[n, o, a, b],
// where i = (r + pad - p·dilation) / stride comes out even, a = i / window_h lies inside, and i is where a's winner stands
// (j and b likewise).
//
// Rung 1: one thread per element of dx asks every tap whether it stood at a winner.

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
@group(0) @binding(1) var<storage, read> dy: array<f32>;            // [n, o, ph, pw]
@group(0) @binding(2) var<storage, read> y: array<f32>;             // [n, o, ph, pw]
@group(0) @binding(3) var<storage, read> index: array<u32>;         // [n, o, ph, pw], place in its window
@group(0) @binding(4) var<storage, read> weight: array<f32>;        // [o, c / groups, kh, kw]
@group(0) @binding(5) var<storage, read_write> dx: array<f32>;      // [n, c, h, w]

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
    if id >= s.n * s.c * s.h * s.w {
        return;
    }
    let column = id % s.w + s.pad_w;
    let row = id / s.w % s.h + s.pad_h;
    let channel = id / (s.w * s.h) % s.c;
    let n = id / (s.w * s.h * s.c);
    let per_group = s.c / s.groups;
    let outputs = s.o / s.groups;
    let first = channel / per_group * outputs;
    var sum = 0.0;
    for (var o = first; o < first + outputs; o++) {
        for (var p = 0u; p < s.kh; p++) {
            let i = (row - p * s.dilation_h) / s.stride_h;
            if row < p * s.dilation_h || i * s.stride_h + p * s.dilation_h != row || i / s.window_h >= s.ph {
                continue;
            }
            for (var q = 0u; q < s.kw; q++) {
                let j = (column - q * s.dilation_w) / s.stride_w;
                if column < q * s.dilation_w || j * s.stride_w + q * s.dilation_w != column || j / s.window_w >= s.pw {
                    continue;
                }
                let at = ((n * s.o + o) * s.ph + i / s.window_h) * s.pw + j / s.window_w;
                if index[at] == i % s.window_h * s.window_w + j % s.window_w {
                    let tap = ((o * per_group + channel % per_group) * s.kh + p) * s.kw + q;
                    sum += inactivate(y[at], dy[at]) * weight[tap];
                }
            }
        }
    }
    dx[id] = sum;
}
