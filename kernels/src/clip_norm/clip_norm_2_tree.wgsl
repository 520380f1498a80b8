// norm = √(Σ g²), scale = min(1, max_norm / (norm + 1e-6))
//
// Rung 2: a workgroup of 256 threads to each piece, whose threads read neighbouring words, and join their sums as a tree
// in workgroup memory; the same once more for the pieces. Rung 1's threads each walk through memory of their own, so
// that every load fetches a line for one word: this should come near to the speed of memory. Not measured on a card yet.

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

const THREADS: u32 = 256;

var<workgroup> tree: array<f32, 256>;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let id = group.y * groups.x + group.x;
    // Past the last piece the loop is empty: all threads meet at the barriers.
    var sum = 0.0;
    if STAGE == 0u {
        let end = min((id + 1u) * s.piece, s.len);
        for (var i = id * s.piece + thread; i < end; i += THREADS) {
            sum += gradient[i] * gradient[i];
        }
    } else {
        for (var i = thread; i < s.pieces; i += THREADS) {
            sum += sums[i];
        }
    }
    tree[thread] = sum;
    workgroupBarrier();
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
        if thread < half {
            tree[thread] += tree[thread + half];
        }
        workgroupBarrier();
    }
    if thread == 0u {
        if STAGE == 0u {
            if id < (s.len + s.piece - 1u) / s.piece {
                sums[s.first + id] = tree[0];
            }
        } else {
            norm[0] = sqrt(tree[0]);
            let wanted = s.max_norm / (sqrt(tree[0]) + 1e-6);
            scale[0] = select(wanted, 1.0, wanted > 1.0);    // a NaN stays one
        }
    }
}
