// loss = Σ w·nll / Σ w, nll = ln Σ e^(x - max) - (x[label] - max), w = weights[label]
// With smoothing s: (1 - s)·w·nll + s / columns · Σ_c weights[c]·nll[c] in place of w·nll.
//
// Rung 2: one dispatch instead of two: one workgroup of 256 threads takes the whole batch, a row to a thread, and joins
// the sums as a tree in workgroup memory. A training batch is small. Serves up to 1024 rows. On llvmpipe that bought
// 1.1 × for a batch of 20; no card is measured yet.

struct Shape {
    rows: u32,
    columns: u32,
    smoothing: f32,
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> logits: array<f32>;        // [rows, columns]
@group(0) @binding(2) var<storage, read> labels: array<u32>;        // [rows]
@group(0) @binding(3) var<storage, read> weights: array<f32>;       // [columns], read only where WEIGHTED
@group(0) @binding(4) var<storage, read_write> loss: array<f32>;    // [1]

override WEIGHTED: u32 = 0;

const THREADS: u32 = 256;

var<workgroup> totals: array<vec2<f32>, 256>;

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

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) thread: u32) {
    var own = vec2(0.0, 0.0);
    for (var row = thread; row < s.rows; row += THREADS) {
        own += weighted_loss(row);
    }
    totals[thread] = own;
    workgroupBarrier();
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
        if thread < half {
            totals[thread] += totals[thread + half];
        }
        workgroupBarrier();
    }
    if thread == 0u {
        let total = totals[0];
        loss[0] = select(total.x / total.y, 0.0, total.y == 0.0);
    }
}
