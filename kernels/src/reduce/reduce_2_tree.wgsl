// y[o, i] = op over a of x[o, a, i]
//
// Rung 2: a workgroup of 256 threads per output, or per COLUMNS neighbouring outputs where inner is more than 1. Its
// threads walk the axis side by side, reading neighbouring words, and join their results in workgroup memory as a tree,
// always in the same order. On llvmpipe, which has few threads and reads without caring for order, that costs up to 6
// ×; it is for cards, and none is measured yet.

struct Shape {
    outer: u32,
    axis: u32,
    inner: u32,
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> x: array<f32>;         // [outer, axis, inner]
@group(0) @binding(2) var<storage, read_write> y: array<u32>;   // [outer, inner]: bits of a float, or a position

override OP: u32 = 0;       // 0 sum, 1 mean, 2 max, 3 position of the max
override COLUMNS: u32 = 1;  // a power of two, at most 64

const THREADS: u32 = 256;

var<workgroup> values: array<f32, 256>;     // [lane, column]
var<workgroup> positions: array<u32, 256>;

// Shader compilers may assume that there is no NaN: ask the bits.
fn is_nan(v: f32) -> bool {
    return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u;
}

// The position of a maximum of nothing.
const NONE: u32 = 0xffffffff;

// Whether the maximum of two is the second: greater, or a NaN, or equal and earlier.
fn second_wins(a: f32, a_at: u32, b: f32, b_at: u32) -> bool {
    if a_at == NONE || b_at == NONE {
        return b_at != NONE;
    }
    if is_nan(a) || is_nan(b) {
        return is_nan(b) && (!is_nan(a) || b_at < a_at);
    }
    return b > a || (b == a && b_at < a_at);
}

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let id = group.y * groups.x + group.x;
    let blocks = (s.inner + COLUMNS - 1u) / COLUMNS;
    let o = id / blocks;
    let i = id % blocks * COLUMNS + thread % COLUMNS;
    let lanes = THREADS / COLUMNS;
    let lane = thread / COLUMNS;
    var value = 0.0;
    var at = NONE;
    if o < s.outer && i < s.inner {
        for (var a = lane; a < s.axis; a += lanes) {
            let v = x[(o * s.axis + a) * s.inner + i];
            if OP < 2u {
                value += v;
            } else if second_wins(value, at, v, a) {
                value = v;
                at = a;
            }
        }
    }
    values[thread] = value;
    positions[thread] = at;
    workgroupBarrier();
    for (var half = lanes / 2u; half > 0u; half /= 2u) {
        if lane < half {
            let other = thread + half * COLUMNS;
            if OP < 2u {
                values[thread] += values[other];
            } else if second_wins(values[thread], positions[thread], values[other], positions[other]) {
                values[thread] = values[other];
                positions[thread] = positions[other];
            }
        }
        workgroupBarrier();
    }
    if lane == 0u && o < s.outer && i < s.inner {
        var result = values[thread];
        if OP == 1u {
            result /= f32(s.axis);
        }
        y[o * s.inner + i] = select(bitcast<u32>(result), positions[thread], OP == 3u);
    }
}
