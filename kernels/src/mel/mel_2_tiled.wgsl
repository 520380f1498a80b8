// y[c, b, t] = Σ_j filters[b, j] · x[c, t, first[b] + j]
//
// Rung 2: a workgroup takes one band and 64 frames, and fetches the spectra through workgroup memory: it walks along
// the filter in steps of 16, the threads copy a tile of 64 frames × 16 bins, 16 neighbouring words at a time, and then
// each sums up its own frame's row. Of each line of memory fetched 16 words are used where rung 1 uses one. Rows are 17
// words apart, so that the 64 threads read from different banks. On llvmpipe, where workgroup memory is memory like any
// other, that costs 4 ×; no card is measured yet.

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

const FRAMES: u32 = 64;
const BINS: u32 = 16;
const ROW: u32 = 17;

var<workgroup> tile: array<f32, 1088>;       // [frame, bin]
var<workgroup> weights: array<f32, 16>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let id = group.y * groups.x + group.x;
    let blocks = (s.frames + FRAMES - 1u) / FRAMES;
    let row = id / blocks;    // clip and band
    // The same for the whole workgroup, so that all of it leaves before the first barrier.
    if row >= s.clips * s.bands {
        return;
    }
    let band = row % s.bands;
    let clip = row / s.bands;
    let t0 = id % blocks * FRAMES;
    let start = min(first[band], s.bins - s.width);
    var sum = 0.0;
    for (var j0 = 0u; j0 < s.width; j0 += BINS) {
        if thread < BINS {
            // Past the filter's end zeros are multiplied.
            var w = 0.0;
            if j0 + thread < s.width {
                w = filters[band * s.width + j0 + thread];
            }
            weights[thread] = w;
        }
        for (var i = thread; i < FRAMES * BINS; i += 64u) {
            let t = t0 + i / BINS;
            let j = j0 + i % BINS;
            var v = 0.0;
            if t < s.frames && j < s.width {
                v = x[(clip * s.frames + t) * s.bins + start + j];
            }
            tile[i / BINS * ROW + i % BINS] = v;
        }
        workgroupBarrier();
        for (var j = 0u; j < BINS; j++) {
            sum += weights[j] * tile[thread * ROW + j];
        }
        workgroupBarrier();
    }
    if t0 + thread < s.frames {
        y[row * s.frames + t0 + thread] = sum;
    }
}
