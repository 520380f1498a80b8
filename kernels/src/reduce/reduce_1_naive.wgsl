// y[o, i] = op over a of x[o, a, i]
//
// Rung 1: one thread per output, which walks the axis. Right and enough where outputs are many; a long axis with few
// outputs leaves most of the card idle.

struct Shape {
    outer: u32,
    axis: u32,
    inner: u32,
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> x: array<f32>;         // [outer, axis, inner]
@group(0) @binding(2) var<storage, read_write> y: array<u32>;   // [outer, inner]: bits of a float, or a position

override OP: u32 = 0;   // 0 sum, 1 mean, 2 max, 3 position of the max

// Shader compilers may assume that there is no NaN: ask the bits.
fn is_nan(v: f32) -> bool {
    return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u;
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let id = (group.y * groups.x + group.x) * 64u + thread;
    if id >= s.outer * s.inner {
        return;
    }
    let start = id / s.inner * s.axis * s.inner + id % s.inner;
    if OP < 2u {
        var sum = 0.0;
        for (var a = 0u; a < s.axis; a++) {
            sum += x[start + a * s.inner];
        }
        if OP == 1u {
            sum /= f32(s.axis);
        }
        y[id] = bitcast<u32>(sum);
        return;
    }
    var best = x[start];
    var at = 0u;
    for (var a = 1u; a < s.axis; a++) {
        let v = x[start + a * s.inner];
        if !is_nan(best) && (v > best || is_nan(v)) {
            best = v;
            at = a;
        }
    }
    y[id] = select(bitcast<u32>(best), at, OP == 3u);
}
