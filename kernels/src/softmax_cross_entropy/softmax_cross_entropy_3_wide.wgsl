// loss = Σ w·nll / Σ w, nll = ln Σ e^(x - max) - (x[label] - max), w = weights[label]
// With smoothing s: (1 - s)·w·nll + s / columns · Σ_c weights[c]·nll[c] in place of w·nll.
//
// Rung 3, for many classes, two passes: a workgroup to each row, whose 64 threads read neighbouring logits and join
// maxima and sums as trees (STAGE 0), then one workgroup adds up the rows (STAGE 1). Rungs 1 and 2 leave a row to one
// thread, whose loads lie a row apart from its neighbours'. Serves 64 classes and more. Not measured on a card yet.

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
fn total(thread: u32, own: vec2<f32>) -> vec2<f32> {
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
    if STAGE == 1u {
        var own = vec2(0.0, 0.0);
        for (var row = thread; row < s.rows; row += THREADS) {
            own += partial[row];
        }
        let sum = total(thread, own);
        if thread == 0u {
            loss[0] = select(sum.x / sum.y, 0.0, sum.y == 0.0);
        }
        return;
    }
    // A row past the last does the last one's work, and does not write: all threads meet at the barriers.
    let id = group.y * groups.x + group.x;
    let row = min(id, s.rows - 1u);
    let start = row * s.columns;
    var top = logits[start];
    for (var c = thread; c < s.columns; c += THREADS) {
        top = max(top, logits[start + c]);
    }
    top = greatest(thread, top);
    // Σ e^(x - max), and Σ_c weights[c] · (x[c] - max) where it is wanted.
    var sums = vec2(0.0, 0.0);
    for (var c = thread; c < s.columns; c += THREADS) {
        let x = logits[start + c] - top;
        sums.x += exp(x);
        if s.smoothing > 0.0 {
            sums.y += class_weight(c) * x;
        }
    }
    sums = total(thread, sums);
    var all = vec2(0.0, 0.0);
    if s.smoothing > 0.0 {
        for (var c = thread; c < s.columns; c += THREADS) {
            all.x += class_weight(c);
        }
    }
    all = total(thread, all);
    if thread == 0u && id < s.rows {
        let label = labels[row];
        var found = vec2(0.0, 0.0);
        if label < s.columns {
            let w = class_weight(label);
            let ln = log(sums.x);
            if s.smoothing < 1.0 {
                found.x = (1.0 - s.smoothing) * w * (ln - (logits[start + label] - top));
            }
            if s.smoothing > 0.0 {
                found.x += s.smoothing / f32(s.columns) * (all.x * ln - sums.y);
            }
            found.y = w;
        }
        partial[row] = found;
    }
}
