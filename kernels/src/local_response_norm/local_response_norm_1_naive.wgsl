// y[c] = x[c] / s[c]^beta, s[c] = k + factor · Σ x[i]² over the channels i from c - size / 2 to c + (size - 1) / 2
//
// Rung 1: one thread per number, which reads all of its neighbours.

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
    y[id] = x[id] * power(scale(channel, id), -s.beta);
}
