// y[o, i] = op over a of x[o, a, i]
//
// Rung 3: the axis is cut into pieces: STAGE 0 reduces each as rung 2 does, into scratch; STAGE 1 reduces the pieces,
// in order, to y. For a long axis with few outputs, where rung 2 has too few workgroups to fill a card. On llvmpipe
// that bought 1.1 × over rung 2; no card is measured yet.

struct Shape {
    outer: u32,
    axis: u32,
    inner: u32,
    pieces: u32,
    piece: u32,     // rows in a piece
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> x: array<f32>;         // [outer, axis, inner]
@group(0) @binding(2) var<storage, read_write> y: array<u32>;   // [outer, inner]: bits of a float, or a position
@group(0) @binding(3) var<storage, read_write> part: array<f32>;        // [outer, pieces, inner]
@group(0) @binding(4) var<storage, read_write> part_at: array<u32>;     // the same, used only where OP is 3

override STAGE: u32 = 0;
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
    // STAGE 0 takes one piece of the axis of x, STAGE 1 all pieces.
    let o = id / blocks / select(s.pieces, 1u, STAGE == 1u);
    let piece = id / blocks % select(s.pieces, 1u, STAGE == 1u);
    let i = id % blocks * COLUMNS + thread % COLUMNS;
    let begin = piece * s.piece;
    let end = select(min(begin + s.piece, s.axis), s.pieces, STAGE == 1u);
    let lanes = THREADS / COLUMNS;
    let lane = thread / COLUMNS;
    var value = 0.0;
    var at = NONE;
    if o < s.outer && i < s.inner {
        for (var a = begin + lane; a < end; a += lanes) {
            var v = 0.0;
            var v_at = a;
            if STAGE == 0u {
                v = x[(o * s.axis + a) * s.inner + i];
            } else {
                v = part[(o * s.pieces + a) * s.inner + i];
                if OP == 3u {
                    v_at = part_at[(o * s.pieces + a) * s.inner + i];
                }
            }
            if OP < 2u {
                value += v;
            } else if second_wins(value, at, v, v_at) {
                value = v;
                at = v_at;
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
        if STAGE == 0u {
            let place = (o * s.pieces + piece) * s.inner + i;
            part[place] = values[thread];
            if OP == 3u {
                part_at[place] = positions[thread];
            }
        } else {
            var result = values[thread];
            if OP == 1u {
                result /= f32(s.axis);
            }
            y[o * s.inner + i] = select(bitcast<u32>(result), positions[thread], OP == 3u);
        }
    }
}
