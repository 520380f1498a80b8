// dc += dh·o·act'(c');  do = dh·act(c')·o·(1 - o);  di = dc·g·i·(1 - i);  df = dc·c·f·(1 - f);  dg = dc·i·act'(g)
// dx = di, df, dg, do;  for the step before: dc = dc·f, dh = Wᵀ·dx
//
// Rung 2: the whole way back in one dispatch: a workgroup takes one example through all steps, with the gradients of
// its state and cell in registers, dx in workgroup memory, and two barriers a step where rung 1 has a dispatch. Of the
// 256 threads UNITS stand side by side, one for each unit; the 256 / UNITS slices share the sums' terms. What it should
// buy is the gap between dispatches, a few µs for each step; no card is measured yet.

struct Shape {
    n: u32, t: u32, h: u32,         // examples, steps, numbers in the state
    columns: u32, column: u32,      // of y; the first that is ours
    step: u32,                      // 0
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> dy: array<f32>;            // [n, t, columns], [n, columns] where LAST
@group(0) @binding(2) var<storage, read> cells: array<f32>;         // [n, t, h], the cell before each step
@group(0) @binding(3) var<storage, read> gates: array<f32>;         // [n, t, 4, h], i, f, g, o
@group(0) @binding(4) var<storage, read> w: array<f32>;             // [4, h, h]
@group(0) @binding(5) var<storage, read_write> dx: array<f32>;      // [n, t, 4, h]

override REVERSE: u32 = 0;
override LAST: u32 = 0;
override ACTIVATION: u32 = 4;
override UNITS: u32 = 32;   // at least h

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

struct Gradients {
    dx: vec4<f32>,      // i, f, g, o
    dc: f32,            // of the cell before
}

// The step of one unit.
fn back(at: u32, j: u32, dh: f32, dc_behind: f32) -> Gradients {
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
    return Gradients(vec4(di, df, dg, d_o), dc * f);
}

const THREADS: u32 = 256;

var<workgroup> sums: array<f32, 1024>;      // dx of one step: [4, h]
var<workgroup> parts: array<f32, 256>;      // [slice, unit]

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let example = group.y * groups.x + group.x;
    if example >= s.n {
        return;
    }
    let h = s.h;
    let j = thread % UNITS;
    let slice = thread / UNITS;
    let length = (4u * h + THREADS / UNITS - 1u) / (THREADS / UNITS);
    let first = slice * length;
    let end = select(0u, min(4u * h, first + length), j < h);   // threads without a unit have no terms
    let finishes = slice == 0u && j < h;
    var dh = 0.0;
    var dc = 0.0;
    for (var walked = 0u; walked < s.t; walked++) {
        let step = s.t - 1u - walked;
        let at = example * s.t + select(step, walked, REVERSE == 1u);
        if finishes {
            let gradients = back(at, j, dh + outside(example, at, step, j), dc);
            dc = gradients.dc;
            sums[j] = gradients.dx.x;
            sums[h + j] = gradients.dx.y;
            sums[2u * h + j] = gradients.dx.z;
            sums[3u * h + j] = gradients.dx.w;
        }
        workgroupBarrier();
        var sum = 0.0;
        for (var i = first; i < end; i++) {
            sum += sums[i] * w[i * h + j];
        }
        parts[thread] = sum;
        workgroupBarrier();
        if finishes {
            dh = 0.0;
            for (var part = j; part < THREADS; part += UNITS) {
                dh += parts[part];
            }
        }
    }
}
