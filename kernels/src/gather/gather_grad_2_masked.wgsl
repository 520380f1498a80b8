// dx[o, r, i] = Σ of dy[o, k, i] over the k with index[k] = r, in order
//
// Rung 2: a workgroup per slice of dx (256 elements of it) looks for its row together: of each 256 entries of the index
// every thread compares one, and sets a bit in a mask where it fits; then all go through the bits that are set, in
// order. A thread makes one comparison and eight looks at the mask where rung 1 makes 256 comparisons. Not measured on
// a card yet.

struct Shape {
    outer: u32,
    rows: u32,
    inner: u32,
    count: u32,
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> dy: array<f32>;        // [outer, count, inner]
@group(0) @binding(2) var<storage, read> index: array<u32>;     // [count]
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;  // [outer, rows, inner]

var<workgroup> mask: array<atomic<u32>, 8>;     // bit b of word w: entry 32·w + b of the 256 fits

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let id = group.y * groups.x + group.x;
    let parts = (s.inner + 255u) / 256u;
    let slice = id / parts;
    let i = id % parts * 256u + thread;
    let ours = slice < s.outer * s.rows && i < s.inner;
    let row = slice % s.rows;
    let first = slice / s.rows * s.count;
    var sum = 0.0;
    for (var begin = 0u; begin < s.count; begin += 256u) {
        if thread < 8u {
            atomicStore(&mask[thread], 0u);
        }
        workgroupBarrier();
        if begin + thread < s.count && index[begin + thread] == row {
            atomicOr(&mask[thread / 32u], 1u << (thread % 32u));
        }
        workgroupBarrier();
        for (var w = 0u; w < 8u; w++) {
            var bits = atomicLoad(&mask[w]);
            while bits != 0u {
                let k = begin + w * 32u + firstTrailingBit(bits);
                bits &= bits - 1u;
                if ours {
                    sum += dy[(first + k) * s.inner + i];
                }
            }
        }
        workgroupBarrier();
    }
    if ours {
        dx[slice * s.inner + i] = sum;
    }
}
