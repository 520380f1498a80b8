// y[c, b, t] = Σ_j filters[b, j] · x[c, t, first[b] + j]
//
// Rung 1: one thread per band and frame. Neighbouring threads take neighbouring frames, whose spectra lie `bins` words
// apart: each load of x fetches a line of memory of which one word is used.

struct Shape {
    clips: u32,
    frames: u32,
    bins: u32,
    bands: u32,
    width: u32,
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> x: array<f32>;          // [clips, frames, bins]
@group(0) @binding(2) var<storage, read> filters: array<f32>;    // [bands, width]
@group(0) @binding(3) var<storage, read> first: array<u32>;      // [bands]
@group(0) @binding(4) var<storage, read_write> y: array<f32>;    // [clips, bands, frames]

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let id = (group.y * groups.x + group.x) * 64u + thread;
    if id >= s.clips * s.bands * s.frames {
        return;
    }
    let t = id % s.frames;
    let band = id / s.frames % s.bands;
    let clip = id / s.frames / s.bands;
    let base = (clip * s.frames + t) * s.bins + min(first[band], s.bins - s.width);
    var sum = 0.0;
    for (var j = 0u; j < s.width; j++) {
        sum += filters[band * s.width + j] * x[base + j];
    }
    y[id] = sum;
}
