// y[r, c] = e^(x[r, c] - max of row r) / Σ of these over the row
//
// Rung 1: one thread per row, which walks it three times. Few rows leave most of the card idle, and neighbouring
// threads read a whole row apart.

struct Shape {
    rows: u32,
    columns: u32,
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> x: array<f32>;         // [rows, columns]
@group(0) @binding(2) var<storage, read_write> y: array<f32>;   // [rows, columns]

override LOG: u32 = 0;      // 1: the logarithm, x - max - ln Σ e^(x - max)

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
    var top = x[start];
    for (var i = start; i < end; i++) {
        top = max(top, x[i]);
    }
    var sum = 0.0;
    for (var i = start; i < end; i++) {
        let e = exp(x[i] - top);
        sum += e;
        y[i] = e;
    }
    for (var i = start; i < end; i++) {
        if LOG == 1u {
            y[i] = x[i] - top - log(sum);
        } else {
            y[i] /= sum;
        }
    }
}
