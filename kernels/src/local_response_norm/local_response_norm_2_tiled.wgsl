// y[c] = x[c] / s[c]^beta, s[c] = k + factor · Σ x[i]² over the channels i from c - size / 2 to c + (size - 1) / 2
//
// Rung 2: a workgroup takes 32 channels of 32 places, and keeps their squares, and those of the neighbours at either end,
// in workgroup memory: each number is read once or twice instead of size times. For sums over up to 33 channels. Not
// measured on a card yet.

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
@group(0) @binding(2) var<storage, read_write> y: array<f32>;   // [n, c, plane]

var<workgroup> squares: array<f32, 2048>;   // [32 + size - 1 channels, 32 places]

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
    for (var row = local.y; row < 31u + s.size; row += 8u) {
        // Wraps around below the first channel: then no smaller than c.
        let channel = first + row - s.size / 2u;
        var v = 0.0;
        if channel < s.c && p < s.plane {
            v = x[start + channel * s.plane];
        }
        squares[row * 32u + local.x] = v * v;
    }
    workgroupBarrier();
    for (var row = local.y; row < 32u; row += 8u) {
        let channel = first + row;
        if channel < s.c && p < s.plane {
            var sum = 0.0;
            for (var i = 0u; i < s.size; i++) {
                sum += squares[(row + i) * 32u + local.x];
            }
            let at = start + channel * s.plane;
            y[at] = x[at] * power(s.k + s.factor * sum, -s.beta);
        }
    }
}
