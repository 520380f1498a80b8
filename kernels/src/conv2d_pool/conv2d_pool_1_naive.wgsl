// y[n, o, a, b] = max over p, q of act(bias[o] + (weight ⋆ x)[n, o, a·window_h + p, b·window_w + q]), index = p·window_w + q
//
// Rung 1: one thread per window, which computes its places one after the other, everything from global memory. The map
// before the pooling is never written.

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
@group(0) @binding(2) var<storage, read> weight: array<f32>;        // [o, c / groups, kh, kw]
@group(0) @binding(3) var<storage, read> bias: array<f32>;          // [o], read only where BIAS
@group(0) @binding(4) var<storage, read_write> y: array<f32>;       // [n, o, ph, pw]
@group(0) @binding(5) var<storage, read_write> index: array<u32>;   // [n, o, ph, pw], place in its window

override BIAS: u32 = 0;

// Shader compilers may assume that there is no NaN: ask the bits.
fn is_nan(v: f32) -> bool {
    return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u;
}

override ACTIVATION: u32 = 0;

// A NaN goes through as it is: `max` and `clamp` may lose it.
fn activate(x: f32) -> f32 {
    switch ACTIVATION {
        case 1u: { return select(x, 0.0, x < 0.0); }                    // relu
        case 2u: { return select(x, 0.01 * x, x < 0.0); }               // leaky relu
        case 3u: { return select(x, exp(x) - 1.0, x < 0.0); }           // elu
        case 4u: { return select(tanh(clamp(x, -15.0, 15.0)), x, is_nan(x)); } // tanh
        case 5u: { return 1.0 / (1.0 + exp(-x)); }                      // sigmoid
        default: { return x; }
    }
}

// The sum at place (i, j) of the convolution.
fn convolve(n: u32, o: u32, i: u32, j: u32) -> f32 {
    let per_group = s.c / s.groups;
    let first = o / (s.o / s.groups) * per_group;    // the first channel that this output sees
    var sum = 0.0;
    for (var c = 0u; c < per_group; c++) {
        for (var p = 0u; p < s.kh; p++) {
            let row = i * s.stride_h + p * s.dilation_h;
            if row < s.pad_h || row - s.pad_h >= s.h {
                continue;
            }
            for (var q = 0u; q < s.kw; q++) {
                let column = j * s.stride_w + q * s.dilation_w;
                if column < s.pad_w || column - s.pad_w >= s.w {
                    continue;
                }
                let pixel = ((n * s.c + first + c) * s.h + row - s.pad_h) * s.w + column - s.pad_w;
                sum += weight[((o * per_group + c) * s.kh + p) * s.kw + q] * x[pixel];
            }
        }
    }
    if BIAS == 1u {
        sum += bias[o];
    }
    return sum;
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let id = (group.y * groups.x + group.x) * 64u + thread;
    if id >= s.n * s.o * s.ph * s.pw {
        return;
    }
    let b = id % s.pw;
    let a = id / s.pw % s.ph;
    let o = id / (s.pw * s.ph) % s.o;
    let n = id / (s.pw * s.ph * s.o);
    var best = 0.0;
    var at = 0u;
    for (var place = 0u; place < s.window_h * s.window_w; place++) {
        let i = a * s.window_h + place / s.window_w;
        let j = b * s.window_w + place % s.window_w;
        let value = activate(convolve(n, o, i, j));
        if place == 0u || is_nan(value) || (value > best && !is_nan(best)) {
            best = value;
            at = place;
        }
    }
    y[id] = best;
    index[id] = at;
}
