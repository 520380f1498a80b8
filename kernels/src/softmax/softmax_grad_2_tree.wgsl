// dx[r, c] = y[r, c] · (dy[r, c] - Σ y·dy over row r); of the logarithm dy - e^y · Σ dy
//
// Rung 2: a workgroup of 256 threads per row, which joins the sum as a tree in workgroup memory, always in the same
// order. Neighbouring threads read neighbouring words. Serves rows of 64 and more. Not measured on a card yet.

struct Shape {
    rows: u32,
    columns: u32,
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> y: array<f32>;         // [rows, columns]
@group(0) @binding(2) var<storage, read> dy: array<f32>;        // [rows, columns]
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;  // [rows, columns]

override LOG: u32 = 0;      // 1: y is the logarithm

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
    var sum = 0.0;
    for (var c = thread; c < s.columns; c += THREADS) {
        let i = start + c;
        sum += select(y[i] * dy[i], dy[i], LOG == 1u);
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
        let i = start + c;
        if LOG == 1u {
            dx[i] = dy[i] - exp(y[i]) * sum;
        } else {
            dx[i] = y[i] * (dy[i] - sum);
        }
    }
}
