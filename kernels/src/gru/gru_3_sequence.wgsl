// u = W·h + b;  r = σ(x_r + u_r);  z = σ(x_z + u_z);  n = act(x_n + r·u_n);  h' = n + z·(h - n)
//
// Rung 3: the whole sequence in one dispatch: a workgroup takes one example through all steps, as examples do not meet,
// with its state in workgroup memory and two barriers a step where rung 2 has a dispatch. Of the 256 threads UNITS
// stand side by side, one for each unit; the 256 / UNITS slices share the sums' terms, so that a step is short. The
// weights lie transposed, so that neighbours read neighbouring words; the step's input is asked for before the sums are
// begun. What it should buy is the gap between dispatches, a few µs for each step; no card is measured yet.

struct Shape {
    n: u32, t: u32, h: u32,         // examples, steps, numbers in the state
    columns: u32, column: u32,      // of y; the first that is ours
    step: u32,                      // 0
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> x: array<f32>;             // [n, t, 3, h], gates r, z, n
@group(0) @binding(2) var<storage, read_write> w: array<f32>;       // scratch: [h, 3, h], w[k, gate, unit]
@group(0) @binding(3) var<storage, read> b: array<f32>;             // [3, h], read only where BIAS
@group(0) @binding(4) var<storage, read_write> y: array<f32>;       // [n, t, columns], [n, columns] where LAST
@group(0) @binding(5) var<storage, read_write> before: array<f32>;  // [n, t, h], the state before each step
@group(0) @binding(6) var<storage, read_write> gates: array<f32>;   // [n, t, 4, h], r, z, n, u_n

override REVERSE: u32 = 0;
override LAST: u32 = 0;
override BIAS: u32 = 0;
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

fn sigmoid(x: f32) -> f32 {
    return 1.0 / (1.0 + exp(-x));
}

const THREADS: u32 = 256;

var<workgroup> state: array<f32, 256>;
var<workgroup> parts: array<vec3<f32>, 256>;    // [slice, unit]

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
    let length = (h + THREADS / UNITS - 1u) / (THREADS / UNITS);
    let first = slice * length;
    let end = select(0u, min(h, first + length), j < h);    // threads without a unit have no terms
    let finishes = slice == 0u && j < h;
    var bias = vec3<f32>();
    if finishes && BIAS == 1u {
        bias = vec3(b[j], b[h + j], b[2u * h + j]);
    }
    state[thread] = 0.0;
    workgroupBarrier();
    for (var step = 0u; step < s.t; step++) {
        let at = example * s.t + select(step, s.t - 1u - step, REVERSE == 1u);
        var input = vec3<f32>();
        if finishes {
            let entry = 3u * at * h + j;
            input = vec3(x[entry], x[entry + h], x[entry + 2u * h]);
        }
        var u = bias;
        for (var k = first; k < end; k++) {
            let entry = 3u * k * h + j;
            u += state[k] * vec3(w[entry], w[entry + h], w[entry + 2u * h]);
        }
        parts[thread] = u;
        workgroupBarrier();
        if finishes {
            for (var part = j + UNITS; part < THREADS; part += UNITS) {
                u += parts[part];
            }
            let r = sigmoid(input.x + u.x);
            let z = sigmoid(input.y + u.y);
            let n = activate(input.z + r * u.z);
            let old = state[j];
            let now = n + z * (old - n);
            state[j] = now;
            before[at * h + j] = old;
            let gate = 4u * at * h + j;
            gates[gate] = r;
            gates[gate + h] = z;
            gates[gate + 2u * h] = n;
            gates[gate + 3u * h] = u.z;
            if LAST == 0u {
                y[at * s.columns + s.column + j] = now;
            } else if step + 1u == s.t {
                y[example * s.columns + s.column + j] = now;
            }
        }
        workgroupBarrier();
    }
}
