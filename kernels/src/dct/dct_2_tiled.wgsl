// y[k] = s[k] · Σ_j x[j]·cos(π·k·(2j + 1) / 2n), or BACK: dx[j] = Σ_k s[k]·dy[k]·cos(π·k·(2j + 1) / 2n)
//
// Rung 2: as a tiled matrix product: a workgroup makes 16 × 16 numbers of the result, and for every 16 terms its 256
// threads work out 16 × 16 cosines and fetch 16 × 16 numbers of x into workgroup memory. A sixteenth of the cosines and
// of the loads of rung 1. Columns are all numbers of outer and inner, so that either may be 1. Not measured on a card
// yet.

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

const SIDE: u32 = 16;

var<workgroup> factors: array<f32, 256>;    // [row, term]
var<workgroup> numbers: array<f32, 256>;    // [term, column]

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let id = group.y * groups.x + group.x;
    let blocks = (s.columns + SIDE - 1u) / SIDE;
    // Past the last block of rows nothing is fetched or written, and all threads still meet at the barriers.
    let own_row = thread / SIDE;
    let own_column = thread % SIDE;
    let row = id / blocks * SIDE + own_row;
    let column = id % blocks * SIDE + own_column;
    let outer = column / s.inner;
    let first = outer * s.depth * s.inner + column % s.inner;
    var sum = 0.0;
    for (var d0 = 0u; d0 < s.depth; d0 += SIDE) {
        var f = 0.0;
        if row < s.rows && d0 + own_column < s.depth {
            f = factor(row, d0 + own_column);
        }
        factors[thread] = f;
        var v = 0.0;
        if column < s.columns && d0 + own_row < s.depth {
            v = x[first + (d0 + own_row) * s.inner];
        }
        numbers[thread] = v;
        workgroupBarrier();
        for (var i = 0u; i < SIDE; i++) {
            sum += factors[own_row * SIDE + i] * numbers[i * SIDE + own_column];
        }
        workgroupBarrier();
    }
    if row < s.rows && column < s.columns {
        y[(outer * s.rows + row) * s.inner + column % s.inner] = sum;
    }
}
