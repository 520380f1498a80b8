// norm = √(Σ g²), scale = min(1, max_norm / (norm + 1e-6))
//
// Rung 1, a pass for every gradient and one more: one thread per piece of a gradient adds up its squares (STAGE 0),
// then one thread adds up the pieces (STAGE 1).

struct Params {
    len: u32,       // of this gradient
    piece: u32,     // elements in a piece
    first: u32,     // where this gradient's pieces begin among all
    pieces: u32,    // of all gradients
    max_norm: f32,
}

@group(0) @binding(0) var<uniform> s: Params;
@group(0) @binding(1) var<storage, read> gradient: array<f32>;      // [len]
@group(0) @binding(2) var<storage, read_write> sums: array<f32>;    // [pieces]
@group(0) @binding(3) var<storage, read_write> scale: array<f32>;   // [1]
@group(0) @binding(4) var<storage, read_write> norm: array<f32>;    // [1]

override STAGE: u32 = 0;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let id = (group.y * groups.x + group.x) * 64u + thread;
    if STAGE == 0u {
        if id >= (s.len + s.piece - 1u) / s.piece {
            return;
        }
        var sum = 0.0;
        let end = min((id + 1u) * s.piece, s.len);
        for (var i = id * s.piece; i < end; i++) {
            sum += gradient[i] * gradient[i];
        }
        sums[s.first + id] = sum;
    } else if id == 0u {
        var sum = 0.0;
        for (var i = 0u; i < s.pieces; i++) {
            sum += sums[i];
        }
        norm[0] = sqrt(sum);
        let wanted = s.max_norm / (sqrt(sum) + 1e-6);
        scale[0] = select(wanted, 1.0, wanted > 1.0);    // a NaN stays one
    }
}
