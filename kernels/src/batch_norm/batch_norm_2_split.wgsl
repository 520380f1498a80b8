// y = act((x - mean) / √(var + eps) · weight + bias), channel by channel
//
// Rung 2: a channel is cut into pieces, enough of them to fill a card, and a workgroup of 256 threads takes each: STAGE
// 0 finds the piece's mean and its squared deviations from that, walking it twice side by side and joining as a tree;
// STAGE 1 joins a channel's pieces in the same way, in order, a thread per channel; batch_norm_apply then writes y, a
// thread per number. Not measured on a card yet.

struct Shape {
    n: u32,
    c: u32,
    plane: u32,
    pieces: u32,    // of a channel
    piece: u32,     // numbers in one; the last may have fewer
    eps: f32,
    momentum: f32,
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> x: array<f32>;                     // [n, c, plane]
@group(0) @binding(2) var<storage, read_write> stats: array<f32>;           // [2, c]: mean, 1 / √(var + eps)
@group(0) @binding(3) var<storage, read_write> running_mean: array<f32>;    // [c]
@group(0) @binding(4) var<storage, read_write> running_var: array<f32>;     // [c]
@group(0) @binding(5) var<storage, read_write> part: array<vec2<f32>>;      // [c, pieces]: mean, squares

override STAGE: u32 = 0;

const THREADS: u32 = 256;

var<workgroup> sums: array<vec2<f32>, 256>;

// Where number i of a channel lies.
fn place(channel: u32, i: u32) -> u32 {
    return (i / s.plane * (s.c - 1u) + channel) * s.plane + i;
}

// v, or 0 where it is an infinity or NaN.
fn finite(v: f32) -> f32 {
    return select(0.0, v, abs(v) < 3e38);
}

// The sum over all threads, always in the same order.
fn total(thread: u32, own: vec2<f32>) -> vec2<f32> {
    sums[thread] = own;
    workgroupBarrier();
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
        if thread < half {
            sums[thread] += sums[thread + half];
        }
        workgroupBarrier();
    }
    let sum = sums[0];
    workgroupBarrier();
    return sum;
}

// The mean and the squares around it, from a rough mean, Σ (x - rough) and Σ (x - rough)². What the rounding of the mean
// left over corrects both; there is none of an infinity.
fn corrected(rough: f32, rest: f32, squares: f32, count: f32) -> vec2<f32> {
    let mean = rough + select(0.0, rest / count, abs(rest) < 3e38);
    return vec2(mean, squares - rest * rest / count);
}

fn moments(id: u32, thread: u32) {
    let channel = id / s.pieces;
    let begin = id % s.pieces * s.piece;
    let end = min(begin + s.piece, s.n * s.plane);
    let count = f32(end - begin);
    // Distances from some number of the piece are small where the channel lies far from zero, and sum exactly.
    let some = finite(x[place(channel, begin)]);
    var sum = 0.0;
    for (var i = begin + thread; i < end; i += THREADS) {
        sum += x[place(channel, i)] - some;
    }
    let rough = some + total(thread, vec2(sum, 0.0)).x / count;
    var around = vec2(0.0, 0.0);
    for (var i = begin + thread; i < end; i += THREADS) {
        let apart = x[place(channel, i)] - rough;
        around += vec2(apart, apart * apart);
    }
    around = total(thread, around);
    if thread == 0u {
        part[id] = corrected(rough, around.x, around.y, count);
    }
}

// Numbers in piece i of a channel.
fn length(i: u32) -> f32 {
    return f32(min(s.piece, s.n * s.plane - i * s.piece));
}

fn join(channel: u32) {
    let count = f32(s.n * s.plane);
    let first = channel * s.pieces;
    let some = finite(part[first].x);
    var sum = 0.0;
    for (var i = 0u; i < s.pieces; i++) {
        sum += (part[first + i].x - some) * length(i);
    }
    let rough = some + sum / count;
    var rest = 0.0;
    var squares = 0.0;
    for (var i = 0u; i < s.pieces; i++) {
        let apart = part[first + i].x - rough;
        rest += length(i) * apart;
        squares += part[first + i].y + length(i) * apart * apart;
    }
    let found = corrected(rough, rest, squares, count);
    stats[channel] = found.x;
    stats[s.c + channel] = 1.0 / sqrt(found.y / count + s.eps);
    let follow = s.momentum;
    running_mean[channel] = (1.0 - follow) * running_mean[channel] + follow * found.x;
    running_var[channel] = (1.0 - follow) * running_var[channel] + follow * found.y / (count - 1.0);
}

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let id = group.y * groups.x + group.x;
    if STAGE == 0u {
        if id < s.c * s.pieces {
            moments(id, thread);
        }
    } else if thread < 64u && id * 64u + thread < s.c {
        join(id * 64u + thread);
    }
}
