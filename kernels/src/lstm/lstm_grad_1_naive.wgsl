// dc += dh·o·act'(c');  do = dh·act(c')·o·(1 - o);  di = dc·g·i·(1 - i);  df = dc·c·f·(1 - f);  dg = dc·i·act'(g)
// dx = di, df, dg, do;  for the step before: dc = dc·f, dh = Wᵀ·dx
//
// Rung 1: a dispatch for each step of time, from the last to the first; in it a thread for each unit of each example,
// which sums what the step behind hands back through the weights of its four gates.

struct Shape {
    n: u32, t: u32, h: u32,         // examples, steps, numbers in the state
    columns: u32, column: u32,      // of y; the first that is ours
    step: u32,                      // counted as they are walked
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> dy: array<f32>;            // [n, t, columns], [n, columns] where LAST
@group(0) @binding(2) var<storage, read> cells: array<f32>;         // [n, t, h], the cell before each step
@group(0) @binding(3) var<storage, read> gates: array<f32>;         // [n, t, 4, h], i, f, g, o
@group(0) @binding(4) var<storage, read> w: array<f32>;             // [4, h, h]
@group(0) @binding(5) var<storage, read_write> dx: array<f32>;      // [n, t, 4, h]
@group(0) @binding(6) var<storage, read_write> direct: array<f32>;  // [n, h], dc·f of the step behind

override REVERSE: u32 = 0;
override LAST: u32 = 0;
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

// The gradient before the activation, from its output.
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

// What reaches a step's state from outside.
fn outside(example: u32, at: u32, step: u32, j: u32) -> f32 {
    if LAST == 0u {
        return dy[at * s.columns + s.column + j];
    }
    if step + 1u == s.t {
        return dy[example * s.columns + s.column + j];
    }
    return 0.0;
}

// The step of one unit: writes dx, gives the gradient of the cell before.
fn back(at: u32, j: u32, dh: f32, dc_behind: f32) -> f32 {
    let cell = cells[at * s.h + j];
    let gate = 4u * at * s.h + j;
    let i = gates[gate];
    let f = gates[gate + s.h];
    let g = gates[gate + 2u * s.h];
    let o = gates[gate + 3u * s.h];
    let shown = activate(f * cell + i * g);
    let dc = dc_behind + inactivate(shown, dh * o);
    let di = dc * g * i * (1.0 - i);
    let df = dc * cell * f * (1.0 - f);
    let dg = inactivate(g, dc * i);
    let d_o = dh * shown * o * (1.0 - o);
    dx[gate] = di;
    dx[gate + s.h] = df;
    dx[gate + 2u * s.h] = dg;
    dx[gate + 3u * s.h] = d_o;
    return dc * f;
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
    let example = id / s.h;
    let j = id % s.h;
    let time = select(s.step, s.t - 1u - s.step, REVERSE == 1u);
    let at = example * s.t + time;
    var dh = outside(example, at, s.step, j);
    var dc = 0.0;
    if s.step + 1u < s.t {
        let behind = select(at + 1u, at - 1u, REVERSE == 1u);   // the step behind, walked just before
        for (var i = 0u; i < 4u * s.h; i++) {
            dh += dx[behind * 4u * s.h + i] * w[i * s.h + j];
        }
        dc = direct[id];
    }
    direct[id] = back(at, j, dh, dc);
}
