// dx[j] = dy[j] / s[j]^beta - 2·factor·beta · x[j] · Σ dy[c]·x[c] / s[c]^(beta + 1)
//
// over the channels c from j - (size - 1) / 2 to j + size / 2, where s[c] = k + factor · Σ x[i]² over the channels i from
// c - size / 2 to c + (size - 1) / 2
//
// Rung 1: one thread per number, which computes the s of all channels that it is a neighbour of: size² reads.

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

// s of a channel, whose number stands at `at`.
fn scale(channel: u32, at: u32) -> f32 {
    let first = max(channel, s.size / 2u) - s.size / 2u;
    let end = min(channel + (s.size + 1u) / 2u, s.c);
    var sum = 0.0;
    for (var i = first; i < end; i++) {
        let v = x[at + i * s.plane - channel * s.plane];
        sum += v * v;
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

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let id = (group.y * groups.x + group.x) * 64u + thread;
    if id >= s.n * s.c * s.plane {
        return;
    }
    let channel = id / s.plane % s.c;
    let first = max(channel, (s.size - 1u) / 2u) - (s.size - 1u) / 2u;
    let end = min(channel + s.size / 2u + 1u, s.c);
    var sum = 0.0;
    for (var c = first; c < end; c++) {
        let at = id + c * s.plane - channel * s.plane;
        sum += dy[at] * x[at] * power(scale(c, at), -s.beta - 1.0);
    }
    dx[id] = dy[id] * power(scale(channel, id), -s.beta) - 2.0 * s.factor * s.beta * x[id] * sum;
}
