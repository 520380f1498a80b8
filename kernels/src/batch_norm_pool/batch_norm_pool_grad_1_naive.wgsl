// dbias = Σ dy, dweight = Σ dy·x̂ at the winner, channel by channel, with x̂ = (x - mean) / √(var + eps)
//
// Rung 1: a workgroup of 256 threads per channel walks its winners side by side and joins the sums as a tree; it also
// leaves what batch_norm_pool_grad_apply needs, which then writes dx, a thread per number. What it bought over
// max_pool2d_grad, batch_norm_grad and the activation's gradient apart: three maps before the pooling that are neither
// written nor read.

struct Shape {
    n: u32,
    c: u32,
    h: u32, w: u32,
    oh: u32, ow: u32,
    window_y: u32, window_x: u32,
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> dy: array<f32>;                // [n, c, oh, ow]
@group(0) @binding(2) var<storage, read> won: array<f32>;               // [n, c, oh, ow]
@group(0) @binding(3) var<storage, read> stats: array<f32>;             // [2, c]: mean, 1 / √(var + eps)
@group(0) @binding(4) var<storage, read> weight: array<f32>;            // [c], read only where AFFINE
@group(0) @binding(5) var<storage, read_write> dweight: array<f32>;     // [c]
@group(0) @binding(6) var<storage, read_write> dbias: array<f32>;       // [c]
@group(0) @binding(7) var<storage, read_write> factors: array<vec4<f32>>; // [c]: mean, flat, tilted, scale

override AFFINE: u32 = 0;

const THREADS: u32 = 256;

var<workgroup> sums: array<vec2<f32>, 256>;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let channel = group.y * groups.x + group.x;
    if channel >= s.c {
        return;
    }
    let plane = s.oh * s.ow;
    let mean = stats[channel];
    let rstd = stats[s.c + channel];
    var own = vec2(0.0, 0.0);
    for (var i = thread; i < s.n * plane; i += THREADS) {
        let at = (i / plane * s.c + channel) * plane + i % plane;
        own += dy[at] * vec2(1.0, won[at] - mean);
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
        let tilted = sums[0].y * rstd;
        dbias[channel] = sums[0].x;
        dweight[channel] = tilted;
        var scale = rstd;
        if AFFINE == 1u {
            scale *= weight[channel];
        }
        let count = f32(s.n * s.h * s.w);
        factors[channel] = vec4(mean, sums[0].x / count, tilted * rstd / count, scale);
    }
}
