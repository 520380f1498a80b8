// dbias = Σ dy, dweight = Σ dy·x̂, channel by channel, with x̂ = (x - mean) / √(var + eps)
//
// Rung 2: a channel is cut into pieces, enough of them to fill a card, and a workgroup of 256 threads takes each: STAGE
// 0 walks the piece side by side and joins the sums as a tree; STAGE 1 adds a channel's pieces up in order, a thread
// per channel; batch_norm_grad_apply then writes dx, a thread per number. Not measured on a card yet.

struct Shape {
    n: u32,
    c: u32,
    plane: u32,
    pieces: u32,    // of a channel
    piece: u32,     // numbers in one; the last may have fewer
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> x: array<f32>;                 // [n, c, plane]
@group(0) @binding(2) var<storage, read> dy: array<f32>;                // [n, c, plane]
@group(0) @binding(3) var<storage, read> stats: array<f32>;             // [2, c]: mean, 1 / √(var + eps)
@group(0) @binding(4) var<storage, read_write> dweight: array<f32>;     // [c]
@group(0) @binding(5) var<storage, read_write> dbias: array<f32>;       // [c]
@group(0) @binding(6) var<storage, read_write> part: array<vec2<f32>>;  // [c, pieces]: Σ dy, Σ dy·(x - mean)

override STAGE: u32 = 0;

const THREADS: u32 = 256;

var<workgroup> sums: array<vec2<f32>, 256>;

// Where number i of a channel lies.
fn place(channel: u32, i: u32) -> u32 {
    return (i / s.plane * (s.c - 1u) + channel) * s.plane + i;
}

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let id = group.y * groups.x + group.x;
    if STAGE == 1u {
        let channel = id * 64u + thread;
        if thread < 64u && channel < s.c {
            var sum = vec2(0.0, 0.0);
            for (var i = 0u; i < s.pieces; i++) {
                sum += part[channel * s.pieces + i];
            }
            dbias[channel] = sum.x;
            dweight[channel] = sum.y * stats[s.c + channel];
        }
        return;
    }
    if id >= s.c * s.pieces {
        return;
    }
    let channel = id / s.pieces;
    let begin = id % s.pieces * s.piece;
    let end = min(begin + s.piece, s.n * s.plane);
    let mean = stats[channel];
    var own = vec2(0.0, 0.0);
    for (var i = begin + thread; i < end; i += THREADS) {
        let at = place(channel, i);
        own += dy[at] * vec2(1.0, x[at] - mean);
    }
    sums[thread] = own;
    workgroupBarrier();
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
        if thread < half {
            sums[thread] += sums[thread + half];
        }
        workgroupBarrier();
    }
    if thread == 0u {
        part[id] = sums[0];
    }
}
