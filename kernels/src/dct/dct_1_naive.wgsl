// y[k] = s[k] · Σ_j x[j]·cos(π·k·(2j + 1) / 2n), or BACK: dx[j] = Σ_k s[k]·dy[k]·cos(π·k·(2j + 1) / 2n)
//
// Rung 1: one thread per number of the result, the sum as it stands: a cosine for every term.

struct Shape {
    rows: u32,      // of the result: coefficients, or BACK the axis
    depth: u32,     // terms of a sum: the axis, or BACK the coefficients
    inner: u32,
    columns: u32,   // outer · inner
    n: u32,         // length of the axis
    first: f32,     // s[0]
    others: f32,    // s[1], …
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> x: array<f32>;          // [outer, depth, inner]
@group(0) @binding(2) var<storage, read_write> y: array<f32>;    // [outer, rows, inner]

override BACK: u32 = 0;

// cos(2π·a / n) for a < n. WGSL promises three digits of a cosine at most, hence polynomials on an eighth of a turn.
fn cosine(a: u32, n: u32) -> f32 {
    let octant = (8u * a + n) / (2u * n);    // quarter turns, to the nearest
    let r = (f32(a) - f32(octant * n) * 0.25) / f32(n) * 6.2831853;
    let z = r * r;
    let c = 1.0 + z * (-0.5 + z * (0.041666638 + z * (-0.0013888378 + z * 2.443887e-5)));
    let si = r + r * z * (-0.16666667 + z * (0.008333332 + z * (-0.00019840874 + z * 2.7557319e-6)));
    switch octant & 3u {
        case 0u: { return c; }
        case 1u: { return -si; }
        case 2u: { return -c; }
        default: { return si; }
    }
}

// The matrix: row and column of the product.
fn factor(row: u32, d: u32) -> f32 {
    let k = select(row, d, BACK == 1u);
    let j = select(d, row, BACK == 1u);
    return select(s.others, s.first, k == 0u) * cosine(k * (2u * j + 1u) % (4u * s.n), 4u * s.n);
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let id = (group.y * groups.x + group.x) * 64u + thread;
    if id >= s.rows * s.columns {
        return;
    }
    let row = id / s.inner % s.rows;
    let outer = id / s.inner / s.rows;
    let first = outer * s.depth * s.inner + id % s.inner;
    var sum = 0.0;
    for (var d = 0u; d < s.depth; d++) {
        sum += x[first + d * s.inner] * factor(row, d);
    }
    y[id] = sum;
}
