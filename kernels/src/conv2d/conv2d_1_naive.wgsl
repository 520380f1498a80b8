// y[n, o, i, j] = act(bias[o] + Σ_{c, p, q} weight[o, c, p, q] · x[n, c', i·stride + p·dilation - pad, j·stride + q·dilation - pad])
//
// Rung 1: one thread per element of y, everything from global memory.

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
@group(0) @binding(2) var<storage, read> weight: array<f32>;     // [o, c / groups, kh, kw]
@group(0) @binding(3) var<storage, read> bias: array<f32>;       // [o], read only where BIAS
@group(0) @binding(4) var<storage, read_write> y: array<f32>;    // [n, o, oh, ow]

override BIAS: u32 = 0;
override ACTIVATION: u32 = 0;

// Shader compilers may assume that there is no NaN: ask the bits.
fn is_nan(v: f32) -> bool {
    return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u;
}

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

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let id = (group.y * groups.x + group.x) * 64u + thread;
    if id >= s.n * s.o * s.oh * s.ow {
        return;
    }
    let j = id % s.ow;
    let i = id / s.ow % s.oh;
    let o = id / (s.ow * s.oh) % s.o;
    let n = id / (s.ow * s.oh * s.o);
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
    y[id] = activate(sum);
}
