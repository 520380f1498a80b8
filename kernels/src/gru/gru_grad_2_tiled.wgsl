// dn = dh·(1 - z)·act'(n);  dz = dh·(h - n)·z·(1 - z);  dr = dn·u_n·r·(1 - r)
// dx = dr, dz, dn;  du = dr, dz, dn·r;  for the step before: dh = dh·z + Wᵀ·du
//
// Rung 2: still a dispatch for each step, but a workgroup of 16 × 16 threads takes 16 units of 16 examples and copies
// 16 × 16 tiles of du and of the weights into workgroup memory. Every thread reads them from there: global loads fall
// to a sixteenth. No card is measured yet.

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

const TILE: u32 = 16;

var<workgroup> sums: array<f32, 256>;       // [example, i]
var<workgroup> weights: array<f32, 256>;    // [i, unit]

@compute @workgroup_size(16, 16)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let id = group.y * groups.x + group.x;
    let blocks = (s.h + TILE - 1u) / TILE;
    let example = id / blocks * TILE + local.y;
    let j = id % blocks * TILE + local.x;
    let time = select(s.step, s.t - 1u - s.step, REVERSE == 1u);
    let at = example * s.t + time;
    let behind = select(at + 1u, at - 1u, REVERSE == 1u);   // the step behind, walked just before
    let rows = select(0u, 3u * s.h, s.step + 1u < s.t);     // the last step has none behind it
    var sum = 0.0;
    for (var i0 = 0u; i0 < rows; i0 += TILE) {
        // Past the edge zeros are multiplied, so that no thread leaves before a barrier.
        var d = 0.0;
        if example < s.n && i0 + local.x < rows {
            d = du[behind * rows + i0 + local.x];
        }
        var weight = 0.0;
        if j < s.h && i0 + local.y < rows {
            weight = w[(i0 + local.y) * s.h + j];
        }
        sums[local.y * TILE + local.x] = d;
        weights[local.y * TILE + local.x] = weight;
        workgroupBarrier();
        for (var p = 0u; p < TILE; p++) {
            sum += sums[local.y * TILE + p] * weights[p * TILE + local.x];
        }
        workgroupBarrier();
    }
    if example < s.n && j < s.h {
        finish(example, at, j, sum);
    }
}
