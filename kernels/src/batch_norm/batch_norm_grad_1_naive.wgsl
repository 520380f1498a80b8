// dbias = Σ dy, dweight = Σ dy·x̂, dx = weight / √(var + eps) · (dy - dbias / N - x̂·dweight / N), channel by channel
//
// with x̂ = (x - mean) / √(var + eps); where the statistics were not the batch's, dx = weight / √(var + eps) · dy.
//
// Rung 1: one thread per channel, which walks it twice: for the sums, and to write. Channels are few, so most of the card
// idles, and neighbouring threads read a whole plane apart.

struct Shape {
    n: u32,
    c: u32,
    plane: u32,
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> x: array<f32>;                 // [n, c, plane]
@group(0) @binding(2) var<storage, read> dy: array<f32>;                // [n, c, plane]
@group(0) @binding(3) var<storage, read> stats: array<f32>;             // [2, c]: mean, 1 / √(var + eps)
@group(0) @binding(4) var<storage, read> weight: array<f32>;            // [c], read only where AFFINE
@group(0) @binding(5) var<storage, read_write> dx: array<f32>;          // [n, c, plane]
@group(0) @binding(6) var<storage, read_write> dweight: array<f32>;     // [c]
@group(0) @binding(7) var<storage, read_write> dbias: array<f32>;       // [c]

override AFFINE: u32 = 0;
override TRAINING: u32 = 0;

// Where number i of a channel lies.
fn place(channel: u32, i: u32) -> u32 {
    return (i / s.plane * (s.c - 1u) + channel) * s.plane + i;
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let channel = (group.y * groups.x + group.x) * 64u + thread;
    if channel >= s.c {
        return;
    }
    let count = s.n * s.plane;
    let mean = stats[channel];
    let rstd = stats[s.c + channel];
    var sum = 0.0;
    var tilted = 0.0;
    for (var i = 0u; i < count; i++) {
        let at = place(channel, i);
        sum += dy[at];
        tilted += dy[at] * (x[at] - mean);
    }
    tilted *= rstd;
    dbias[channel] = sum;
    dweight[channel] = tilted;
    var scale = rstd;
    if AFFINE == 1u {
        scale *= weight[channel];
    }
    for (var i = 0u; i < count; i++) {
        let at = place(channel, i);
        var through = 0.0;
        if TRAINING == 1u {
            through = (sum + (x[at] - mean) * rstd * tilted) / f32(count);
        }
        dx[at] = scale * (dy[at] - through);
    }
}
