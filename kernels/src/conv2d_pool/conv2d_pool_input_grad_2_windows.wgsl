// dx[n, c, r, t] = Σ over every (o, p, q) that saw this input at a winner: weight[o, c, p, q] · dy·act'(y)[n, o, a, b],
// where i = (r + pad - p·dilation) / stride comes out even, a = i / window_h lies inside, and i is where a's winner stands
// (j and b likewise).
//
// Rung 2: one thread per pixel and four channels asks every window whether its winner saw this pixel, instead of every
// tap whether it stood at a winner: few windows reach a pixel (4 of 2 × 4 where a kernel has 9 taps), and what one window
// says serves four channels. No card is measured yet.

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
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> dy: array<f32>;            // [n, o, ph, pw]
@group(0) @binding(2) var<storage, read> y: array<f32>;             // [n, o, ph, pw]
@group(0) @binding(3) var<storage, read> index: array<u32>;         // [n, o, ph, pw], place in its window
@group(0) @binding(4) var<storage, read> weight: array<f32>;        // [o, c / groups, kh, kw]
@group(0) @binding(5) var<storage, read_write> dx: array<f32>;      // [n, c, h, w]

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

// The first and the last window that can reach padded position `at` of an axis, of `count`.
fn windows(at: u32, kernel: u32, dilation: u32, stride: u32, window: u32, count: u32) -> vec2<u32> {
    let reach = (kernel - 1u) * dilation;
    let first = (max(at, reach) - reach + stride - 1u) / stride;
    return vec2(first / window, min(at / stride / window + 1u, count));
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let id = (group.y * groups.x + group.x) * 64u + thread;
    let per_group = s.c / s.groups;
    let blocks = (per_group + 3u) / 4u;    // of channels, in a group
    let plane = s.h * s.w;
    if id >= s.n * s.groups * blocks * plane {
        return;
    }
    let column = id % s.w + s.pad_w;
    let row = id / s.w % s.h + s.pad_h;
    let c0 = id / plane % blocks * 4u;
    let g = id / (plane * blocks) % s.groups;
    let n = id / (plane * blocks * s.groups);
    let down = windows(row, KH, s.dilation_h, s.stride_h, WH, s.ph);
    let across = windows(column, KW, s.dilation_w, s.stride_w, WW, s.pw);
    let outputs = s.o / s.groups;
    var sum = vec4<f32>();
    for (var o = g * outputs; o < (g + 1u) * outputs; o++) {
        for (var a = down.x; a < down.y; a++) {
            for (var b = across.x; b < across.y; b++) {
                let at = ((n * s.o + o) * s.ph + a) * s.pw + b;
                let place = index[at];
                // The distance from where the winner's patch begins; wraps around where that lies behind.
                let p = row - (a * WH + place / WW) * s.stride_h;
                let q = column - (b * WW + place % WW) * s.stride_w;
                if p % s.dilation_h == 0u && q % s.dilation_w == 0u && p / s.dilation_h < KH && q / s.dilation_w < KW {
                    let gradient = inactivate(y[at], dy[at]);
                    let tap = (o * per_group + c0) * KH * KW + p / s.dilation_h * KW + q / s.dilation_w;
                    for (var r = 0u; r < 4u; r++) {
                        if c0 + r < per_group {
                            sum[r] += gradient * weight[tap + r * KH * KW];
                        }
                    }
                }
            }
        }
    }
    let start = (n * s.c + g * per_group + c0) * plane + id % plane;
    for (var r = 0u; r < 4u; r++) {
        if c0 + r < per_group {
            dx[start + r * plane] = sum[r];
        }
    }
}
