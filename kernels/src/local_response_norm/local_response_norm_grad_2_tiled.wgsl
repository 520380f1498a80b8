// dx[j] = dy[j] / s[j]^beta - 2·factor·beta · x[j] · Σ dy[c]·x[c] / s[c]^(beta + 1)
//
// over the channels c from j - (size - 1) / 2 to j + size / 2, where s[c] = k + factor · Σ x[i]² over the channels i from
// c - size / 2 to c + (size - 1) / 2
//
// Rung 2: a workgroup takes 32 channels of 32 places, and keeps their squares in workgroup memory, then each channel's
// share of the sum, both with the neighbours at either end: each s is computed once or twice instead of size times. For
// sums over up to 17 channels. Not measured on a card yet.

struct Shape {
    n: u32,
    c: u32,
    plane: u32,
    size: u32,      // channels in a sum
    factor: f32,    // alpha / size
    beta: f32,
    k: f32,
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> x: array<f32>;         // [n, c, plane]
@group(0) @binding(2) var<storage, read> dy: array<f32>;        // [n, c, plane]
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;  // [n, c, plane]

var<workgroup> squares: array<f32, 2048>;   // [32 + 2·(size - 1) channels, 32 places]
var<workgroup> shares: array<f32, 1536>;    // [32 + size - 1 channels, 32 places]

// s of a row of the shares: its neighbours' squares begin at the same row.
fn scale(row: u32, column: u32) -> f32 {
    var sum = 0.0;
    for (var i = 0u; i < s.size; i++) {
        sum += squares[(row + i) * 32u + column];
    }
    return s.k + s.factor * sum;
}

// Shader compilers may assume that there is no NaN: ask the bits.
fn power(s: f32, exponent: f32) -> f32 {
    if (bitcast<u32>(s) & 0x7fffffffu) > 0x7f800000u {
        return s;
    }
    return pow(s, exponent);
}

@compute @workgroup_size(32, 8)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let id = group.y * groups.x + group.x;
    let blocks = (s.plane + 31u) / 32u;
    let tiles = (s.c + 31u) / 32u;
    let image = id / blocks / tiles;
    if image >= s.n {
        return;
    }
    let first = id / blocks % tiles * 32u;      // the tile's first channel
    let p = id % blocks * 32u + local.x;
    let start = image * s.c * s.plane + p;
    for (var row = local.y; row < 30u + 2u * s.size; row += 8u) {
        // Wraps around below the first channel: then no smaller than c.
        let channel = first + row - (s.size - 1u);
        var v = 0.0;
        if channel < s.c && p < s.plane {
            v = x[start + channel * s.plane];
        }
        squares[row * 32u + local.x] = v * v;
    }
    workgroupBarrier();
    let before = (s.size - 1u) / 2u;
    for (var row = local.y; row < 31u + s.size; row += 8u) {
        let channel = first + row - before;
        var share = 0.0;
        if channel < s.c && p < s.plane {
            let at = start + channel * s.plane;
            share = dy[at] * x[at] * power(scale(row, local.x), -s.beta - 1.0);
        }
        shares[row * 32u + local.x] = share;
    }
    workgroupBarrier();
    for (var row = local.y; row < 32u; row += 8u) {
        let channel = first + row;
        if channel < s.c && p < s.plane {
            var sum = 0.0;
            for (var i = 0u; i < s.size; i++) {
                sum += shares[(row + i) * 32u + local.x];
            }
            let at = start + channel * s.plane;
            let scaled = power(scale(row + before, local.x), -s.beta);
            dx[at] = dy[at] * scaled - 2.0 * s.factor * s.beta * x[at] * sum;
        }
    }
}
