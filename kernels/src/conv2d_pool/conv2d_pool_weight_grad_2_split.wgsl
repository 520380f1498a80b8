// dw[o, c, p, q] = Σ_{n, a, b} dz[n, o, a, b] · x[n, c', what tap (p, q) sees at the winner of window (a, b)]
// with dz = dy·act'(y)
//
// Rung 2: the windows are cut into parts, enough to fill a card, and a workgroup takes 256 weights of one channel over
// one part. Its 64 threads look 64 winners up together (where their patches begin, and dz) and leave them in workgroup
// memory; then each thread adds what four weights met at each of them. Rung 1 looks every winner up once a weight. Parts
// are added in order by conv2d_weight_grad_sum. No card is measured yet.

struct Shape {
    n: u32, c: u32, h: u32, w: u32,             // x: [n, c, h, w]
    o: u32, oh: u32, ow: u32,                   // of the convolution, before the pooling
    kh: u32, kw: u32,                           // weight: [o, c / groups, kh, kw]; here as KH, KW
    stride_h: u32, stride_w: u32,
    pad_h: u32, pad_w: u32,                     // zeros before; those after follow from oh and ow
    dilation_h: u32, dilation_w: u32,
    groups: u32,
    ph: u32, pw: u32,                           // y: [n, o, ph, pw]
    window_h: u32, window_w: u32,               // of the pooling; here as WH, WW
    part: u32,                                  // windows of one part
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> x: array<f32>;             // [n, c, h, w]
@group(0) @binding(2) var<storage, read> dy: array<f32>;            // [n, o, ph, pw]
@group(0) @binding(3) var<storage, read> y: array<f32>;             // [n, o, ph, pw]
@group(0) @binding(4) var<storage, read> index: array<u32>;         // [n, o, ph, pw], place in its window
@group(0) @binding(5) var<storage, read_write> dw: array<f32>;      // [parts, o, c / groups, kh, kw]

// Sizes known when the shader is compiled: dividing by them becomes a multiplication.
override KH: u32 = 1;
override KW: u32 = 1;
override WH: u32 = 1;
override WW: u32 = 1;
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

// Where the winners' patches begin: the image's first channel in this group, row, column (in the padding: negative).
var<workgroup> corners: array<vec3<i32>, 64>;
var<workgroup> gradients: array<f32, 64>;    // dz; 0 past the end

// What weight k = (c, p, q) met at a winner.
fn met(corner: vec3<i32>, k: u32) -> f32 {
    let row = corner.y + i32(k / KW % KH * s.dilation_h);
    let column = corner.z + i32(k % KW * s.dilation_w);
    if row < 0 || column < 0 || row >= i32(s.h) || column >= i32(s.w) {
        return 0.0;
    }
    return x[(u32(corner.x) + k / (KH * KW)) * s.h * s.w + u32(row) * s.w + u32(column)];
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let per_group = s.c / s.groups;
    let taps = per_group * KH * KW;
    let blocks = (taps + 255u) / 256u;
    let windows = s.n * s.ph * s.pw;
    let id = group.y * groups.x + group.x;
    let k = id % blocks * 256u + thread;
    let o = id / blocks % s.o;
    let part = id / (blocks * s.o);
    if part * s.part >= windows {
        return;
    }
    let end = min((part + 1u) * s.part, windows);
    let first = o / (s.o / s.groups) * per_group;
    var sum = vec4<f32>();
    for (var start = part * s.part; start < end; start += 64u) {
        let window = start + thread;
        var gradient = 0.0;
        if window < end {
            let plane = s.ph * s.pw;
            let n = window / plane;
            let at = (n * s.o + o) * plane + window % plane;
            let place = index[at];
            let i = window / s.pw % s.ph * WH + place / WW;
            let j = window % s.pw * WW + place % WW;
            gradient = inactivate(y[at], dy[at]);
            corners[thread] = vec3(
                i32(n * s.c + first),
                i32(i * s.stride_h) - i32(s.pad_h),
                i32(j * s.stride_w) - i32(s.pad_w),
            );
        }
        gradients[thread] = gradient;
        workgroupBarrier();
        for (var j = 0u; j < min(64u, end - start); j++) {
            let corner = corners[j];
            let gradient = gradients[j];
            // All threads of the workgroup see the same winner; most gradients behind relu are zero. NaN is not.
            if !(gradient == 0.0) {
                if k < taps {
                    sum.x += gradient * met(corner, k);
                }
                if k + 64u < taps {
                    sum.y += gradient * met(corner, k + 64u);
                }
                if k + 128u < taps {
                    sum.z += gradient * met(corner, k + 128u);
                }
                if k + 192u < taps {
                    sum.w += gradient * met(corner, k + 192u);
                }
            }
        }
        workgroupBarrier();
    }
    for (var r = 0u; r < 4u; r++) {
        if k + 64u * r < taps {
            dw[(part * s.o + o) * taps + k + 64u * r] = sum[r];
        }
    }
}
