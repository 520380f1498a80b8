// dn = dh·(1 - z)·act'(n);  dz = dh·(h - n)·z·(1 - z);  dr = dn·u_n·r·(1 - r)
// dx = dr, dz, dn;  du = dr, dz, dn·r;  for the step before: dh = dh·z + Wᵀ·du
//
// Rung 3: the whole way back in one dispatch: a workgroup takes one example through all steps, with the gradient of its
// state in registers, du in workgroup memory, and two barriers a step where rung 2 has a dispatch. Of the 256 threads
// UNITS stand side by side, one for each unit; the 256 / UNITS slices share the sums' terms. What it should buy is the
// gap between dispatches, a few µs for each step; no card is measured yet.

struct Shape {
    n: u32, t: u32, h: u32,         // examples, steps, numbers in the state
    columns: u32, column: u32,      // of y; the first that is ours
    step: u32,                      // 0
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> dy: array<f32>;            // [n, t, columns], [n, columns] where LAST
@group(0) @binding(2) var<storage, read> before: array<f32>;        // [n, t, h], the state before each step
@group(0) @binding(3) var<storage, read> gates: array<f32>;         // [n, t, 4, h], r, z, n, u_n
@group(0) @binding(4) var<storage, read> w: array<f32>;             // [3, h, h]
@group(0) @binding(5) var<storage, read_write> dx: array<f32>;      // [n, t, 3, h]
@group(0) @binding(6) var<storage, read_write> du: array<f32>;      // [n, t, 3, h]

override REVERSE: u32 = 0;
override LAST: u32 = 0;
override ACTIVATION: u32 = 4;
override UNITS: u32 = 32;   // at least h

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

const THREADS: u32 = 256;

var<workgroup> sums: array<f32, 768>;       // du of one step: [3, h]
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
    let length = (3u * h + THREADS / UNITS - 1u) / (THREADS / UNITS);
    let first = slice * length;
    let end = select(0u, min(3u * h, first + length), j < h);   // threads without a unit have no terms
    let finishes = slice == 0u && j < h;
    var dh = 0.0;
    for (var walked = 0u; walked < s.t; walked++) {
        let step = s.t - 1u - walked;
        let at = example * s.t + select(step, walked, REVERSE == 1u);
        if finishes {
            dh += outside(example, at, step, j);
            let gate = 4u * at * h + j;
            let r = gates[gate];
            let z = gates[gate + h];
            let n = gates[gate + 2u * h];
            let dn = inactivate(n, dh * (1.0 - z));
            let dz = dh * (before[at * h + j] - n) * z * (1.0 - z);
            let dr = dn * gates[gate + 3u * h] * r * (1.0 - r);
            let out = 3u * at * h + j;
            dx[out] = dr;
            dx[out + h] = dz;
            dx[out + 2u * h] = dn;
            du[out] = dr;
            du[out + h] = dz;
            du[out + 2u * h] = dn * r;
            sums[j] = dr;
            sums[h + j] = dz;
            sums[2u * h + j] = dn * r;
            dh *= z;
        }
        workgroupBarrier();
        var sum = 0.0;
        for (var i = first; i < end; i++) {
            sum += sums[i] * w[i * h + j];
        }
        parts[thread] = sum;
        workgroupBarrier();
        if finishes {
            for (var part = j; part < THREADS; part += UNITS) {
                dh += parts[part];
            }
        }
    }
}
