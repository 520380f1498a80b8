// dx[iy, ix] = Σ weight(oy, iy) · weight(ox, ix) · dy[oy, ox], over the outputs that read the input
//
// Rung 1: one thread per input. Outputs are looked up from the input's side, so that nothing is added by two threads.

struct Shape {
    planes: u32,
    h: u32, w: u32,     // of x
    oh: u32, ow: u32,   // of y
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> dy: array<f32>;       // [planes, oh, ow]
@group(0) @binding(2) var<storage, read_write> dx: array<f32>; // [planes, h, w]

override AREA: u32 = 0;     // 1: the mean of all inputs touched; 0: a straight line between the two nearest

// Where the middle of output o lies, in units of 1 / (2·to) of an input.
fn middle(o: u32, length: u32, to: u32) -> u32 {
    let reach = (2u * o + 1u) * length;
    return min(max(reach, to) - to, 2u * to * (length - 1u));
}

// The inputs that output o reads: the first, and one past the last.
fn inputs(o: u32, length: u32, to: u32) -> vec2<u32> {
    if AREA == 1u {
        return vec2(o * length / to, ((o + 1u) * length + to - 1u) / to);
    }
    let m = middle(o, length, to);
    let first = m / (2u * to);
    return vec2(first, first + select(1u, 2u, m % (2u * to) != 0u));
}

// How much input i counts in output o.
fn weight(o: u32, i: u32, length: u32, to: u32) -> f32 {
    if AREA == 1u {
        let read = inputs(o, length, to);
        return 1.0 / f32(read.y - read.x);
    }
    let unit = 2u * to;
    let a = middle(o, length, to);
    let b = unit * i;
    let distance = max(a, b) - min(a, b);
    return f32(unit - min(unit, distance)) / f32(unit);
}

// The outputs that read input i: the first, and one past the last.
fn outputs(i: u32, length: u32, to: u32) -> vec2<u32> {
    if AREA == 1u {
        return vec2(i * to / length, ((i + 1u) * to + length - 1u) / length);
    }
    // i - 1 < (o + 1/2)·length/to - 1/2 < i + 1, and at the ends whatever lies beyond.
    let below = (max(2u * i, 1u) - 1u) * to / length;
    let above = ((2u * i + 3u) * to + length - 1u) / length;
    return vec2(
        select((below + 1u) / 2u, 0u, i == 0u),
        select(min(above / 2u, to), to, i + 1u == length),
    );
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let id = (group.y * groups.x + group.x) * 64u + thread;
    if id >= s.planes * s.h * s.w {
        return;
    }
    let at_x = id % s.w;
    let at_y = id / s.w % s.h;
    let plane = id / s.w / s.h;
    let rows = outputs(at_y, s.h, s.oh);
    let columns = outputs(at_x, s.w, s.ow);
    var sum = 0.0;
    for (var j = rows.x; j < rows.y; j++) {
        let weight_y = weight(j, at_y, s.h, s.oh);
        for (var k = columns.x; k < columns.y; k++) {
            sum += weight_y * weight(k, at_x, s.w, s.ow) * dy[(plane * s.oh + j) * s.ow + k];
        }
    }
    dx[id] = sum;
}
