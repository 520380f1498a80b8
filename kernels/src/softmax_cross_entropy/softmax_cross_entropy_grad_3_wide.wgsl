// dlogits[r, c] = upstream · w / Σ w · (softmax(logits)[r, c] - [c = label of r]), w = weights[label]
// With smoothing s: upstream / Σ w · (Σ t · softmax - t), t[c] = s / columns · weights[c], at the label (1 - s)·w more.
//
// Rung 3, for many classes, two passes: one workgroup adds up the weights (STAGE 0), then a workgroup takes each row,
// whose 64 threads read and write neighbouring words (STAGE 1). In rungs 1 and 2 one thread walks along each row.
// Serves 64 classes and more. Not measured on a card yet.

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

const THREADS: u32 = 64;

var<workgroup> tree: array<vec2<f32>, 64>;

fn class_weight(c: u32) -> f32 {
    if WEIGHTED == 1u {
        return weights[c];
    }
    return 1.0;
}

// The sum of all threads' vectors, in every thread.
fn joined(thread: u32, own: vec2<f32>) -> vec2<f32> {
    tree[thread] = own;
    workgroupBarrier();
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
        if thread < half {
            tree[thread] += tree[thread + half];
        }
        workgroupBarrier();
    }
    let sum = tree[0];
    workgroupBarrier();
    return sum;
}

// The greatest of all threads' numbers, in every thread.
fn greatest(thread: u32, own: f32) -> f32 {
    tree[thread] = vec2(own, 0.0);
    workgroupBarrier();
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
        if thread < half {
            tree[thread].x = max(tree[thread].x, tree[thread + half].x);
        }
        workgroupBarrier();
    }
    let top = tree[0].x;
    workgroupBarrier();
    return top;
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    if STAGE == 0u {
        var own = 0.0;
        for (var row = thread; row < s.rows; row += THREADS) {
            if labels[row] < s.columns {
                own += class_weight(labels[row]);
            }
        }
        let sum = joined(thread, vec2(own, 0.0));
        if thread == 0u {
            total[0] = sum.x;
        }
        return;
    }
    // A row past the last does the last one's work, and does not write: all threads meet at the barriers.
    let id = group.y * groups.x + group.x;
    let row = min(id, s.rows - 1u);
    let start = row * s.columns;
    let label = labels[row];
    var top = logits[start];
    for (var c = thread; c < s.columns; c += THREADS) {
        top = max(top, logits[start + c]);
    }
    top = greatest(thread, top);
    // Σ e^(x - max) and Σ_c weights[c].
    var sums = vec2(0.0, 0.0);
    for (var c = thread; c < s.columns; c += THREADS) {
        sums += vec2(exp(logits[start + c] - top), class_weight(c));
    }
    sums = joined(thread, sums);
    if id >= s.rows {
        return;
    }
    let counts = label < s.columns && total[0] != 0.0;
    let spread = s.smoothing / f32(s.columns);
    let own = (1.0 - s.smoothing) * class_weight(min(label, s.columns - 1u));
    let all = own + select(0.0, spread * sums.y, s.smoothing > 0.0);
    let factor = upstream[0] / total[0];
    for (var c = thread; c < s.columns; c += THREADS) {
        // A weight that is no number counts where something is believed of its class.
        let others = select(0.0, spread * class_weight(c), s.smoothing > 0.0);
        let wanted = others + select(0.0, own, c == label);
        let d = factor * (all * exp(logits[start + c] - top) / sums.x - wanted);
        dlogits[start + c] = select(0.0, d, counts);
    }
}
