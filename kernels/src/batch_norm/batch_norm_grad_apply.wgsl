// dbias = Σ dy, dweight = Σ dy·x̂, dx = weight / √(var + eps) · (dy - dbias / N - x̂·dweight / N), channel by channel
//
// with x̂ = (x - mean) / √(var + eps); where the statistics were not the batch's, dx = weight / √(var + eps) · dy.
//
// The last stage of rung 2, with the sums known: a workgroup takes 1024 neighbouring numbers, 4 a thread.

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

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let first = (group.y * groups.x + group.x) * 1024u + thread;
    let end = min(first + 1024u, s.n * s.c * s.plane);
    let count = f32(s.n * s.plane);
    for (var i = first; i < end; i += 256u) {
        let channel = i / s.plane % s.c;
        let rstd = stats[s.c + channel];
        var scale = rstd;
        if AFFINE == 1u {
            scale *= weight[channel];
        }
        var through = 0.0;
        if TRAINING == 1u {
            through = (dbias[channel] + (x[i] - stats[channel]) * rstd * dweight[channel]) / count;
        }
        dx[i] = scale * (dy[i] - through);
    }
}
