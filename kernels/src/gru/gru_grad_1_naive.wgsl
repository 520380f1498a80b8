// dn = dh·(1 - z)·act'(n);  dz = dh·(h - n)·z·(1 - z);  dr = dn·u_n·r·(1 - r)
// dx = dr, dz, dn;  du = dr, dz, dn·r;  for the step before: dh = dh·z + Wᵀ·du
//
// Rung 1: a dispatch for each step of time, from the last to the first; in it a thread for each unit of each example,
// which sums what the step behind hands back through the weights of its three gates.

struct Shape {
    n: u32, t: u32, h: u32,         // examples, steps, numbers in the state
    columns: u32, column: u32,      // of y; the first that is ours
    step: u32,                      // counted as they are walked
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> dy: array<f32>;            // [n, t, columns], [n, columns] where LAST
@group(0) @binding(2) var<storage, read> before: array<f32>;        // [n, t, h], the state before each step
@group(0) @binding(3) var<storage, read> gates: array<f32>;         // [n, t, 4, h], r, z, n, u_n
@group(0) @binding(4) var<storage, read> w: array<f32>;             // [3, h, h]
@group(0) @binding(5) var<storage, read_write> dx: array<f32>;      // [n, t, 3, h]
@group(0) @binding(6) var<storage, read_write> du: array<f32>;      // [n, t, 3, h]
@group(0) @binding(7) var<storage, read_write> direct: array<f32>;  // [n, h], dh·z of the step behind

override REVERSE: u32 = 0;
override LAST: u32 = 0;
override ACTIVATION: u32 = 4;

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

// The step of unit j; `sum` is what came through the weights of the step behind.
fn finish(example: u32, at: u32, j: u32, sum: f32) {
    let own = example * s.h + j;
    var dh = outside(example, at, s.step, j);
    if s.step + 1u < s.t {
        dh += direct[own] + sum;
    }
    let gate = 4u * at * s.h + j;
    let r = gates[gate];
    let z = gates[gate + s.h];
    let n = gates[gate + 2u * s.h];
    let dn = inactivate(n, dh * (1.0 - z));
    let dz = dh * (before[at * s.h + j] - n) * z * (1.0 - z);
    let dr = dn * gates[gate + 3u * s.h] * r * (1.0 - r);
    let out = 3u * at * s.h + j;
    dx[out] = dr;
    dx[out + s.h] = dz;
    dx[out + 2u * s.h] = dn;
    du[out] = dr;
    du[out + s.h] = dz;
    du[out + 2u * s.h] = dn * r;
    direct[own] = dh * z;
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
    var sum = 0.0;
    if s.step + 1u < s.t {
        let behind = select(at + 1u, at - 1u, REVERSE == 1u);   // the step behind, walked just before
        for (var i = 0u; i < 3u * s.h; i++) {
            sum += du[behind * 3u * s.h + i] * w[i * s.h + j];
        }
    }
    finish(example, at, j, sum);
}
