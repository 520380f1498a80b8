// dlogits[r, c] = upstream · w / Σ w · (softmax(logits)[r, c] - [c = label of r]), w = weights[label]
// With smoothing s: upstream / Σ w · (Σ t · softmax - t), t[c] = s / columns · weights[c], at the label (1 - s)·w more.
//
// Rung 2: one dispatch instead of two: every workgroup of 256 threads adds up all the weights for itself, as a tree in
// workgroup memory; then a thread takes a row. Serves up to 1024 rows. On llvmpipe that bought 1.1 × for a batch of 20;
// no card is measured yet.

struct Shape {
    rows: u32,
    columns: u32,
    smoothing: f32,
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> logits: array<f32>;        // [rows, columns]
@group(0) @binding(2) var<storage, read> labels: array<u32>;        // [rows]
@group(0) @binding(3) var<storage, read> weights: array<f32>;       // [columns], read only where WEIGHTED
@group(0) @binding(4) var<storage, read> upstream: array<f32>;      // [1]
@group(0) @binding(5) var<storage, read_write> dlogits: array<f32>; // [rows, columns]

override WEIGHTED: u32 = 0;

const THREADS: u32 = 256;

var<workgroup> total: array<f32, 256>;    // Σ w in the first

fn class_weight(c: u32) -> f32 {
    if WEIGHTED == 1u {
        return weights[c];
    }
    return 1.0;
}

// What a row counts: nothing where its label is no class.
fn weight(row: u32) -> f32 {
    let label = labels[row];
    if label >= s.columns {
        return 0.0;
    }
    return class_weight(label);
}

fn gradient(row: u32) {
    let start = row * s.columns;
    let label = labels[row];
    if label >= s.columns || total[0] == 0.0 {
        for (var c = 0u; c < s.columns; c++) {
            dlogits[start + c] = 0.0;
        }
        return;
    }
    var top = logits[start];
    for (var c = 1u; c < s.columns; c++) {
        top = max(top, logits[start + c]);
    }
    var sum = 0.0;
    for (var c = 0u; c < s.columns; c++) {
        sum += exp(logits[start + c] - top);
    }
    let own = (1.0 - s.smoothing) * weight(row);
    let spread = s.smoothing / f32(s.columns);
    var all = own;
    if s.smoothing > 0.0 {
        for (var c = 0u; c < s.columns; c++) {
            all += spread * class_weight(c);
        }
    }
    let factor = upstream[0] / total[0];
    for (var c = 0u; c < s.columns; c++) {
        // A weight that is no number counts where something is believed of its class.
        let others = select(0.0, spread * class_weight(c), s.smoothing > 0.0);
        let wanted = others + select(0.0, own, c == label);
        dlogits[start + c] = factor * (all * exp(logits[start + c] - top) / sum - wanted);
    }
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    var own = 0.0;
    for (var row = thread; row < s.rows; row += THREADS) {
        own += weight(row);
    }
    total[thread] = own;
    workgroupBarrier();
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
        if thread < half {
            total[thread] += total[thread + half];
        }
        workgroupBarrier();
    }
    let row = group.x * THREADS + thread;
    if row < s.rows {
        gradient(row);
    }
}
