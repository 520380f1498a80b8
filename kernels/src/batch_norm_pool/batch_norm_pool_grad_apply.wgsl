// x = scale · (dz - flat - (x - mean) · tilted) · before'(x), where dz is dy at the winners and 0 elsewhere
//
// The last stage of rung 1, with the channels' factors known: a workgroup takes 1024 neighbouring numbers, 4 a thread.

struct Shape {
    n: u32,
    c: u32,
    h: u32, w: u32,
    oh: u32, ow: u32,
    window_y: u32, window_x: u32,
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> dy: array<f32>;                    // [n, c, oh, ow]
@group(0) @binding(2) var<storage, read> index: array<u32>;                 // [n, c, oh, ow], place in the window
@group(0) @binding(3) var<storage, read_write> factors: array<vec4<f32>>;   // [c]: mean, flat, tilted, scale
@group(0) @binding(4) var<storage, read_write> x: array<f32>;               // [n, c, h, w], leaves as dx

override ACTIVATION: u32 = 0;   // that x came out of

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

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let first = (group.y * groups.x + group.x) * 1024u + thread;
    let end = min(first + 1024u, s.n * s.c * s.h * s.w);
    for (var i = first; i < end; i += 256u) {
        let column = i % s.w;
        let row = i / s.w % s.h;
        let plane = i / (s.w * s.h);
        let f = factors[plane % s.c];
        let oy = row / s.window_y;
        let ox = column / s.window_x;
        var dz = 0.0;
        if oy < s.oh && ox < s.ow {
            let at = (plane * s.oh + oy) * s.ow + ox;
            if index[at] == row % s.window_y * s.window_x + column % s.window_x {
                dz = dy[at];
            }
        }
        x[i] = inactivate(x[i], f.w * (dz - f.y - (x[i] - f.x) * f.z));
    }
}
