// y[i] = Σ_t w[n]·f[t, n] / Σ_t w[n]², n = i + pad - t·hop
//
// The second pass of rung 2: one thread per sample gathers the frames over it, in their order; none is scattered.

struct Shape {
    samples: u32,       // of one clip
    frames: u32,        // of one clip
    all_frames: u32,    // of all clips
    n_fft: u32,
    hop: u32,
    pad: u32,           // samples before the first
    all_samples: u32,   // of all clips
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read_write> f: array<f32>;    // [clips, frames, n_fft]
@group(0) @binding(2) var<storage, read> window: array<f32>;     // [n_fft]
@group(0) @binding(3) var<storage, read_write> y: array<f32>;    // [clips, samples]

const TINY: f32 = 1.1754944e-38;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let id = (group.y * groups.x + group.x) * 64u + thread;
    if id >= s.all_samples {
        return;
    }
    let at = id % s.samples + s.pad;
    let first_frame = id / s.samples * s.frames;
    let first = (max(at + 1u, s.n_fft) - s.n_fft + s.hop - 1u) / s.hop;
    let end = min(s.frames, at / s.hop + 1u);
    var sum = 0.0;
    var squares = 0.0;
    for (var t = first; t < end; t++) {
        let n = at - t * s.hop;
        sum += window[n] * f[(first_frame + t) * s.n_fft + n];
        squares += window[n] * window[n];
    }
    y[id] = select(sum, sum / squares, squares > TINY);
}
