// loss = Σ w·nll / Σ w, nll = ln Σ e^(x - max) - (x[label] - max), w = weights[label]
// With smoothing s: (1 - s)·w·nll + s / columns · Σ_c weights[c]·nll[c] in place of w·nll.
//
// Rung 1, two passes: one thread per row leaves w·nll and w in scratch (STAGE 0), then one workgroup adds them up
// (STAGE 1).

struct Shape {
    rows: u32,
    columns: u32,
    smoothing: f32,
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> logits: array<f32>;        // [rows, columns]
@group(0) @binding(2) var<storage, read> labels: array<u32>;        // [rows]
@group(0) @binding(3) var<storage, read> weights: array<f32>;       // [columns], read only where WEIGHTED
@group(0) @binding(4) var<storage, read_write> partial: array<vec2<f32>>; // [rows]: w·nll, w
@group(0) @binding(5) var<storage, read_write> loss: array<f32>;    // [1]

var<workgroup> sums: array<vec2<f32>, 64>;

override STAGE: u32 = 0;
override WEIGHTED: u32 = 0;

fn class_weight(c: u32) -> f32 {
    if WEIGHTED == 1u {
        return weights[c];
    }
    return 1.0;
}

fn weighted_loss(row: u32) -> vec2<f32> {
    let label = labels[row];
    if label >= s.columns {
        return vec2(0.0, 0.0);
    }
    let start = row * s.columns;
    var top = logits[start];
    for (var c = 1u; c < s.columns; c++) {
        top = max(top, logits[start + c]);
    }
    var sum = 0.0;
    for (var c = 0u; c < s.columns; c++) {
        sum += exp(logits[start + c] - top);
    }
    let w = class_weight(label);
    var own = 0.0;
    if s.smoothing < 1.0 {
        own = (1.0 - s.smoothing) * w * (log(sum) - (logits[start + label] - top));
    }
    if s.smoothing > 0.0 {
        var spread = 0.0;
        for (var c = 0u; c < s.columns; c++) {
            spread += class_weight(c) * (log(sum) - (logits[start + c] - top));
        }
        own += s.smoothing / f32(s.columns) * spread;
    }
    return vec2(own, w);
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let id = (group.y * groups.x + group.x) * 64u + thread;
    if STAGE == 0u {
        if id < s.rows {
            partial[id] = weighted_loss(id);
        }
        return;
    }
    var sum = vec2(0.0, 0.0);
    for (var row = thread; row < s.rows; row += 64u) {
        sum += partial[row];
    }
    sums[thread] = sum;
    for (var half = 32u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if thread < half {
            sums[thread] += sums[thread + half];
        }
    }
    if id == 0u {
        let total = sums[0];
        loss[0] = select(total.x / total.y, 0.0, total.y == 0.0);
    }
}
