// u = W·h + b;  r = σ(x_r + u_r);  z = σ(x_z + u_z);  n = act(x_n + r·u_n);  h' = n + z·(h - n)
//
// Rung 1: a dispatch for each step of time, as the next one needs all of this one's states; in it a thread for each unit
// of each example, which sums its three gates over the state before.

struct Shape {
    n: u32, t: u32, h: u32,         // examples, steps, numbers in the state
    columns: u32, column: u32,      // of y; the first that is ours
    step: u32,                      // counted as they are walked
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> x: array<f32>;             // [n, t, 3, h], gates r, z, n
@group(0) @binding(2) var<storage, read> w: array<f32>;             // [3, h, h]
@group(0) @binding(3) var<storage, read> b: array<f32>;             // [3, h], read only where BIAS
@group(0) @binding(4) var<storage, read_write> y: array<f32>;       // [n, t, columns], [n, columns] where LAST
@group(0) @binding(5) var<storage, read_write> before: array<f32>;  // [n, t, h], the state before each step
@group(0) @binding(6) var<storage, read_write> gates: array<f32>;   // [n, t, 4, h], r, z, n, u_n

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

// The step of unit j from the sums of its three gates.
fn finish(example: u32, at: u32, j: u32, sums: vec3<f32>) {
    var u = sums;
    if BIAS == 1u {
        u += vec3(b[j], b[s.h + j], b[2u * s.h + j]);
    }
    var old = 0.0;
    if s.step > 0u {
        old = before[at * s.h + j];
    } else {
        before[at * s.h + j] = 0.0;
    }
    let input = 3u * at * s.h + j;
    let r = sigmoid(x[input] + u.x);
    let z = sigmoid(x[input + s.h] + u.y);
    let n = activate(x[input + 2u * s.h] + r * u.z);
    let now = n + z * (old - n);
    let gate = 4u * at * s.h + j;
    gates[gate] = r;
    gates[gate + s.h] = z;
    gates[gate + 2u * s.h] = n;
    gates[gate + 3u * s.h] = u.z;
    let end = s.step + 1u == s.t;
    if !end {
        before[select(at + 1u, at - 1u, REVERSE == 1u) * s.h + j] = now;
    }
    if LAST == 0u {
        y[at * s.columns + s.column + j] = now;
    } else if end {
        y[example * s.columns + s.column + j] = now;
    }
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
    var sums = vec3<f32>();
    for (var k = 0u; k < s.h; k++) {
        var state = 0.0;
        if s.step > 0u {
            state = before[at * s.h + k];
        }
        sums += state * vec3(w[j * s.h + k], w[(s.h + j) * s.h + k], w[(2u * s.h + j) * s.h + k]);
    }
    finish(example, at, j, sums);
}
