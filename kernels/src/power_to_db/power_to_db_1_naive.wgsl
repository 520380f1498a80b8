// y = 10·log10(max(x, amin) / max(r, amin)), at least the clip's loudest - top_db
//
// Rung 1: one workgroup per clip finds the clip's maximum and then walks over the clip once more. With few clips most
// of the GPU is idle.

struct Shape {
    clips: u32,
    len: u32,
    blocks: u32,
    amin: f32,
    reference: f32,    // 0: the clip's maximum
    top_db: f32,
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> x: array<f32>;          // [clips, len]
@group(0) @binding(2) var<storage, read_write> y: array<f32>;    // [clips, len]

const THREADS: u32 = 256;
const ENDLESS: f32 = 3.4028235e38;    // no `top_db`: an infinite maximum cuts nothing then

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
    let clip = group.y * groups.x + group.x;
    // The same for the whole workgroup, so that all of it leaves before the first barrier.
    if clip >= s.clips {
        return;
    }
    let base = clip * s.len;
    var loudest = s.amin;
    for (var i = thread; i < s.len; i += THREADS) {
        loudest = max(loudest, x[base + i]);
    }
    maxima[thread] = loudest;
    for (var step = THREADS / 2u; step > 0u; step /= 2u) {
        workgroupBarrier();
        if thread < step {
            maxima[thread] = max(maxima[thread], maxima[thread + step]);
        }
    }
    workgroupBarrier();
    loudest = db(maxima[0]);
    let offset = select(db(s.reference), loudest, s.reference == 0.0);
    let low = loudest - offset - s.top_db;
    for (var i = thread; i < s.len; i += THREADS) {
        let value = db(max(x[base + i], s.amin)) - offset;
        y[base + i] = select(value, max(value, low), s.top_db < ENDLESS);
    }
}
