// dx[r, c] = y[r, c] · (dy[r, c] - Σ y·dy over row r); of the logarithm dy - e^y · Σ dy
//
// Rung 1: one thread per row, which walks it twice.

struct Shape {
    rows: u32,
    columns: u32,
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> y: array<f32>;         // [rows, columns]
@group(0) @binding(2) var<storage, read> dy: array<f32>;        // [rows, columns]
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;  // [rows, columns]

override LOG: u32 = 0;      // 1: y is the logarithm

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let row = (group.y * groups.x + group.x) * 64u + thread;
    if row >= s.rows {
        return;
    }
    let start = row * s.columns;
    let end = start + s.columns;
    var sum = 0.0;
    for (var i = start; i < end; i++) {
        sum += select(y[i] * dy[i], dy[i], LOG == 1u);
    }
    for (var i = start; i < end; i++) {
        if LOG == 1u {
            dx[i] = dy[i] - exp(y[i]) * sum;
        } else {
            dx[i] = y[i] * (dy[i] - sum);
        }
    }
}
