// dlogits[r, c] = upstream · w / Σ w · (softmax(logits)[r, c] - [c = label of r]), w = weights[label]
// With smoothing s: upstream / Σ w · (Σ t · softmax - t), t[c] = s / columns · weights[c], at the label (1 - s)·w more.
//
// Rung 1, two passes: one thread adds up the weights (STAGE 0), then one thread per row writes its gradients (STAGE 1).

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
@group(0) @binding(5) var<storage, read_write> total: array<f32>;   // [1]: Σ w
@group(0) @binding(6) var<storage, read_write> dlogits: array<f32>; // [rows, columns]

override STAGE: u32 = 0;
override WEIGHTED: u32 = 0;

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

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let id = (group.y * groups.x + group.x) * 64u + thread;
    if STAGE == 0u {
        if id == 0u {
            var sum = 0.0;
            for (var row = 0u; row < s.rows; row++) {
                sum += weight(row);
            }
            total[0] = sum;
        }
    } else if id < s.rows {
        gradient(id);
    }
}
