// a = x + W·h + b;  i, f, o = σ(a_i), σ(a_f), σ(a_o);  g = act(a_g);  c' = f·c + i·g;  h' = o·act(c')
//
// Rung 1: a dispatch for each step of time, as the next one needs all of this one's states; in it a thread for each unit
// of each example, which sums its four gates over the state before.

struct Shape {
    n: u32, t: u32, h: u32,         // examples, steps, numbers in the state
    columns: u32, column: u32,      // of y; the first that is ours
    step: u32,                      // counted as they are walked
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> x: array<f32>;             // [n, t, 4, h], gates i, f, g, o
@group(0) @binding(2) var<storage, read> w: array<f32>;             // [4, h, h]
@group(0) @binding(3) var<storage, read> b: array<f32>;             // [4, h], read only where BIAS
@group(0) @binding(4) var<storage, read_write> y: array<f32>;       // [n, t, columns], [n, columns] where LAST
@group(0) @binding(5) var<storage, read_write> before: array<f32>;  // [n, t, h], the state before each step
@group(0) @binding(6) var<storage, read_write> cells: array<f32>;   // [n, t, h], the cell before each step
@group(0) @binding(7) var<storage, read_write> gates: array<f32>;   // [n, t, 4, h], i, f, g, o

override REVERSE: u32 = 0;
override LAST: u32 = 0;
override BIAS: u32 = 0;
override ACTIVATION: u32 = 4;

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

fn sigmoid(x: f32) -> f32 {
    return 1.0 / (1.0 + exp(-x));
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let id = (group.y * groups.x + group.x) * 64u + thread;
    if id >= s.n * s.h {
        return;
    }
    let h = s.h;
    let example = id / h;
    let j = id % h;
    let time = select(s.step, s.t - 1u - s.step, REVERSE == 1u);
    let at = example * s.t + time;
    let entry = 4u * at * h + j;
    var a = vec4(x[entry], x[entry + h], x[entry + 2u * h], x[entry + 3u * h]);
    if BIAS == 1u {
        a += vec4(b[j], b[h + j], b[2u * h + j], b[3u * h + j]);
    }
    for (var k = 0u; k < h; k++) {
        var state = 0.0;
        if s.step > 0u {
            state = before[at * h + k];
        }
        a += state * vec4(w[j * h + k], w[(h + j) * h + k], w[(2u * h + j) * h + k], w[(3u * h + j) * h + k]);
    }
    var cell = 0.0;
    if s.step > 0u {
        cell = cells[at * h + j];
    } else {
        before[at * h + j] = 0.0;
        cells[at * h + j] = 0.0;
    }
    let i = sigmoid(a.x);
    let f = sigmoid(a.y);
    let g = activate(a.z);
    let o = sigmoid(a.w);
    cell = f * cell + i * g;
    let now = o * activate(cell);
    gates[entry] = i;
    gates[entry + h] = f;
    gates[entry + 2u * h] = g;
    gates[entry + 3u * h] = o;
    let end = s.step + 1u == s.t;
    if !end {
        let next = select(at + 1u, at - 1u, REVERSE == 1u) * h + j;
        before[next] = now;
        cells[next] = cell;
    }
    if LAST == 0u {
        y[at * s.columns + s.column + j] = now;
    } else if end {
        y[example * s.columns + s.column + j] = now;
    }
}
