// db[o] = Σ_{n, a, b} dy[n, o, a, b]·act'(y[n, o, a, b])
//
// The second half of every rung of the weight gradient, where there is a bias: one workgroup per channel; each thread
// adds every 256th window, a fixed tree adds the threads.

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
@group(0) @binding(3) var<storage, read_write> db: array<f32>;      // [o]

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

var<workgroup> sums: array<f32, 256>;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let o = group.y * groups.x + group.x;
    if o >= s.o {
        return;
    }
    let plane = s.ph * s.pw;
    var sum = 0.0;
    for (var window = thread; window < s.n * plane; window += 256u) {
        let at = (window / plane * s.o + o) * plane + window % plane;
        sum += inactivate(y[at], dy[at]);
    }
    sums[thread] = sum;
    workgroupBarrier();
    for (var width = 128u; width > 0u; width /= 2u) {
        if thread < width {
            sums[thread] += sums[thread + width];
        }
        workgroupBarrier();
    }
    if thread == 0u {
        db[o] = sums[0];
    }
}
