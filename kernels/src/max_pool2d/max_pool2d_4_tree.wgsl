// y[oy, ox] = max over ky, kx of x[oy·stride_y + ky - pad_y, ox·stride_x + kx - pad_x], index = where it stands
//
// Rung 4: for large windows, global pooling among them: a workgroup of 256 threads per output. They walk the window side
// by side, reading neighbouring words, and join their maxima in workgroup memory as a tree. A thread's loop is 256 times
// shorter, and a few outputs still fill a card; not measured on a card yet.

struct Shape {
    planes: u32,            // images · channels
    h: u32, w: u32,
    oh: u32, ow: u32,
    kernel_y: u32, kernel_x: u32,
    stride_y: u32, stride_x: u32,
    pad_y: u32, pad_x: u32, // above, left
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> x: array<f32>;             // [planes, h, w]
@group(0) @binding(2) var<storage, read_write> y: array<f32>;       // [planes, oh, ow]
@group(0) @binding(3) var<storage, read_write> index: array<u32>;   // [planes, oh, ow], position in h · w

// Shader compilers may assume that there is no NaN: ask the bits.
fn is_nan(v: f32) -> bool {
    return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u;
}

const THREADS: u32 = 256;

// The position of a maximum of nothing.
const NONE: u32 = 0xffffffff;

var<workgroup> values: array<f32, 256>;
var<workgroup> positions: array<u32, 256>;

// Whether the maximum of two is the second: greater, or equal and earlier; a NaN, and of two NaN the later.
fn second_wins(a: f32, a_at: u32, b: f32, b_at: u32) -> bool {
    if a_at == NONE || b_at == NONE {
        return b_at != NONE;
    }
    if is_nan(a) || is_nan(b) {
        return is_nan(b) && (!is_nan(a) || b_at > a_at);
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
    if id >= s.planes * s.oh * s.ow {
        return;
    }
    let ox = id % s.ow;
    let oy = id / s.ow % s.oh;
    let plane = id / (s.ow * s.oh);
    let y0 = max(oy * s.stride_y, s.pad_y) - s.pad_y;
    let x0 = max(ox * s.stride_x, s.pad_x) - s.pad_x;
    let rows = min(oy * s.stride_y + s.kernel_y - s.pad_y, s.h) - y0;
    let columns = min(ox * s.stride_x + s.kernel_x - s.pad_x, s.w) - x0;
    var best = 0.0;
    var at = NONE;
    for (var i = thread; i < rows * columns; i += THREADS) {
        let row = i / columns;
        let candidate = (y0 + row) * s.w + x0 + i - row * columns;
        let v = x[plane * s.h * s.w + candidate];
        if second_wins(best, at, v, candidate) {
            best = v;
            at = candidate;
        }
    }
    values[thread] = best;
    positions[thread] = at;
    workgroupBarrier();
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
        if thread < half {
            let other = thread + half;
            if second_wins(values[thread], positions[thread], values[other], positions[other]) {
                values[thread] = values[other];
                positions[thread] = positions[other];
            }
        }
        workgroupBarrier();
    }
    if thread == 0u {
        y[id] = values[0];
        index[id] = positions[0];
    }
}
