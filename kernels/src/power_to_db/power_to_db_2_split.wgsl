// y = 10·log10(max(x, amin) / max(r, amin)), at least the clip's loudest - top_db
//
// Rung 2: two dispatches with a workgroup for every 4096 elements: the first (STAGE 0) writes each block's maximum, the
// second (STAGE 1) reads the few maxima of its clip and writes its block. Rung 1 has a workgroup for every clip; here
// also a single clip fills the GPU. On llvmpipe, on two threads, that costs 2.3 × for one clip; it is for cards, and
// none is measured yet.

struct Shape {
    clips: u32,
    len: u32,
    blocks: u32,       // of one clip
    amin: f32,
    reference: f32,    // 0: the clip's maximum
    top_db: f32,
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> x: array<f32>;               // [clips, len]
@group(0) @binding(2) var<storage, read_write> y: array<f32>;         // [clips, len]
@group(0) @binding(3) var<storage, read_write> parts: array<f32>;     // [clips, blocks]

override STAGE: u32 = 0;

const THREADS: u32 = 256;
const ENDLESS: f32 = 3.4028235e38;    // no `top_db`: an infinite maximum cuts nothing then
const BLOCK: u32 = 4096;

var<workgroup> maxima: array<f32, THREADS>;

fn db(power: f32) -> f32 {
    return 3.0103 * log2(power);
}

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let id = group.y * groups.x + group.x;
    // The same for the whole workgroup, so that all of it leaves before the first barrier.
    if id >= s.clips * s.blocks {
        return;
    }
    let clip = id / s.blocks;
    let base = clip * s.len;
    let begin = id % s.blocks * BLOCK;
    let end = min(begin + BLOCK, s.len);
    var loudest = s.amin;
    if STAGE == 0u {
        for (var i = begin + thread; i < end; i += THREADS) {
            loudest = max(loudest, x[base + i]);
        }
    } else {
        for (var i = thread; i < s.blocks; i += THREADS) {
            loudest = max(loudest, parts[clip * s.blocks + i]);
        }
    }
    maxima[thread] = loudest;
    for (var step = THREADS / 2u; step > 0u; step /= 2u) {
        workgroupBarrier();
        if thread < step {
            maxima[thread] = max(maxima[thread], maxima[thread + step]);
        }
    }
    workgroupBarrier();
    if STAGE == 0u {
        if thread == 0u {
            parts[id] = maxima[0];
        }
        return;
    }
    loudest = db(maxima[0]);
    let offset = select(db(s.reference), loudest, s.reference == 0.0);
    let low = loudest - offset - s.top_db;
    for (var i = begin + thread; i < end; i += THREADS) {
        let value = db(max(x[base + i], s.amin)) - offset;
        y[base + i] = select(value, max(value, low), s.top_db < ENDLESS);
    }
}
