// y[r, c] = e^(x[r, c] - max of row r) / Σ of these over the row
//
// Rung 2: a workgroup of 256 threads per row, which joins maximum and sum as trees in workgroup memory, always in the
// same order. Neighbouring threads read neighbouring words. On llvmpipe that costs 4 ×; it is for cards, and none is
// measured yet.

struct Shape {
    rows: u32,
    columns: u32,
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> x: array<f32>;         // [rows, columns]
@group(0) @binding(2) var<storage, read_write> y: array<f32>;   // [rows, columns]

override LOG: u32 = 0;      // 1: the logarithm, x - max - ln Σ e^(x - max)

const THREADS: u32 = 256;

var<workgroup> values: array<f32, 256>;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let row = group.y * groups.x + group.x;
    if row >= s.rows {
        return;
    }
    let start = row * s.columns;
    var top = x[start];
    for (var c = thread; c < s.columns; c += THREADS) {
        top = max(top, x[start + c]);
    }
    values[thread] = top;
    workgroupBarrier();
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
        if thread < half {
            values[thread] = max(values[thread], values[thread + half]);
        }
        workgroupBarrier();
    }
    top = values[0];
    workgroupBarrier();
    var sum = 0.0;
    for (var c = thread; c < s.columns; c += THREADS) {
        sum += exp(x[start + c] - top);
    }
    values[thread] = sum;
    workgroupBarrier();
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
        if thread < half {
            values[thread] += values[thread + half];
        }
        workgroupBarrier();
    }
    sum = values[0];
    for (var c = thread; c < s.columns; c += THREADS) {
        let v = x[start + c] - top;
        y[start + c] = select(exp(v) / sum, v - log(sum), LOG == 1u);
    }
}
