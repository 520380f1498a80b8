// u = W·h + b;  r = σ(x_r + u_r);  z = σ(x_z + u_z);  n = act(x_n + r·u_n);  h' = n + z·(h - n)
//
// Rung 2: still a dispatch for each step, but a workgroup of 16 × 16 threads takes 16 units of 16 examples and copies
// 16 × 16 tiles of the states and of the three gates' weights into workgroup memory, neighbours side by side. Every
// thread reads them from there: global loads fall to a sixteenth. No card is measured yet.

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

const TILE: u32 = 16;

var<workgroup> states: array<f32, 256>;     // [example, k]
var<workgroup> weights: array<f32, 768>;    // [gate, k, unit]

@compute @workgroup_size(16, 16)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let id = group.y * groups.x + group.x;
    let blocks = (s.h + TILE - 1u) / TILE;
    let example = id / blocks * TILE + local.y;
    let first = id % blocks * TILE;
    let j = first + local.x;
    let time = select(s.step, s.t - 1u - s.step, REVERSE == 1u);
    let at = example * s.t + time;
    var sums = vec3<f32>();
    for (var k0 = 0u; k0 < s.h; k0 += TILE) {
        // Past the edge zeros are multiplied, so that no thread leaves before a barrier.
        let k = k0 + local.x;
        let unit = first + local.y;
        var state = 0.0;
        if s.step > 0u && example < s.n && k < s.h {
            state = before[at * s.h + k];
        }
        var weight = vec3<f32>();
        if unit < s.h && k < s.h {
            weight = vec3(w[unit * s.h + k], w[(s.h + unit) * s.h + k], w[(2u * s.h + unit) * s.h + k]);
        }
        states[local.y * TILE + local.x] = state;
        let place = local.x * TILE + local.y;
        weights[place] = weight.x;
        weights[256u + place] = weight.y;
        weights[512u + place] = weight.z;
        workgroupBarrier();
        for (var p = 0u; p < TILE; p++) {
            let entry = p * TILE + local.x;
            sums += states[local.y * TILE + p] * vec3(weights[entry], weights[256u + entry], weights[512u + entry]);
        }
        workgroupBarrier();
    }
    if example < s.n && j < s.h {
        finish(example, at, j, sums);
    }
}
