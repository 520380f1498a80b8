// dx[n, c, a, b] = Σ over every (o, p, q) whose output saw this input: weight[o, c, p, q] · dy[n, o, i, j],
// where i = (a + pad - p·dilation) / stride comes out even and lies inside, and j likewise.
//
// Rung 3: implicit GEMM with register blocks: as rung 2, but a workgroup of 256 threads computes a tile of 64 channels
// × 64 positions, each thread 4 × 4 of it in registers. One tap costs 4 + 4 reads of workgroup memory for 16
// multiply-adds, where rung 2 reads 2 for one. With one input channel a tile is as empty as rung 2's and more: nothing
// gained on llvmpipe. Not measured on a card yet.

struct Shape {
    n: u32, c: u32, h: u32, w: u32,             // x: [n, c, h, w]
    o: u32, oh: u32, ow: u32,                   // y: [n, o, oh, ow]
    kh: u32, kw: u32,                           // weight: [o, c / groups, kh, kw]
    stride_h: u32, stride_w: u32,
    pad_h: u32, pad_w: u32,                     // zeros before; those after follow from oh and ow
    dilation_h: u32, dilation_w: u32,
    groups: u32,
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> dy: array<f32>;         // [n, o, oh, ow]
@group(0) @binding(2) var<storage, read> weight: array<f32>;     // [o, c / groups, kh, kw]
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;   // [n, c, h, w]

// The kernel's size, known when the shader is compiled: dividing by it becomes a multiplication.
override KH: u32 = 1;
override KW: u32 = 1;

// Element k = (o, p, q) of what input position `place` = (offset of the image's first output in this group, or -1;
// row + pad; column + pad) was seen by.
fn seen(place: vec3<i32>, k: u32) -> f32 {
    let o = k / (KH * KW);
    let row = place.y - i32(k / KW % KH * s.dilation_h);
    let column = place.z - i32(k % KW * s.dilation_w);
    if place.x < 0 || row < 0 || column < 0 {
        return 0.0;
    }
    let i = u32(row) / s.stride_h;
    let j = u32(column) / s.stride_w;
    if i * s.stride_h != u32(row) || j * s.stride_w != u32(column) || i >= s.oh || j >= s.ow {
        return 0.0;
    }
    return dy[u32(place.x) + (o * s.oh + i) * s.ow + j];
}

fn place(column: u32, first: u32) -> vec3<i32> {
    let n = column / (s.h * s.w);
    if n >= s.n {
        return vec3(-1, 0, 0);
    }
    let a = column / s.w % s.h;
    let b = column % s.w;
    return vec3(i32((n * s.o + first) * s.oh * s.ow), i32(a + s.pad_h), i32(b + s.pad_w));
}

// The weight of channel `row` of group g at k = (o, p, q).
fn weight_at(g: u32, row: u32, k: u32) -> f32 {
    let rows = s.c / s.groups;
    let o = g * (s.o / s.groups) + k / (KH * KW);
    return weight[(o * rows + row) * KH * KW + k % (KH * KW)];
}

fn store(g: u32, row: u32, column0: u32, sums: vec4<f32>) {
    let rows = s.c / s.groups;
    let plane = s.h * s.w;
    if row >= rows {
        return;
    }
    for (var r = 0u; r < 4u; r++) {
        let column = column0 + r;
        if column < s.n * plane {
            dx[(column / plane * s.c + g * rows + row) * plane + column % plane] = sums[r];
        }
    }
}

const TILE: u32 = 64;
const DEPTH: u32 = 16;

var<workgroup> a_tile: array<vec4<f32>, 256>;    // [k, row / 4]
var<workgroup> b_tile: array<vec4<f32>, 256>;    // [k, column / 4]

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let rows = s.c / s.groups;
    let columns = s.n * s.h * s.w;
    let outputs = s.o / s.groups;
    let depth = outputs * KH * KW;
    let id = group.y * groups.x + group.x;
    let row_tiles = (rows + TILE - 1u) / TILE;
    let tiles = row_tiles * ((columns + TILE - 1u) / TILE);
    let g = id / tiles;
    if g >= s.groups {
        return;
    }
    let i0 = id % tiles % row_tiles * TILE;    // neighbours share their patches
    let j0 = id % tiles / row_tiles * TILE;
    let quad = thread % 16u;
    let place0 = place(j0 + 4u * quad, g * outputs);
    let place1 = place(j0 + 4u * quad + 1u, g * outputs);
    let place2 = place(j0 + 4u * quad + 2u, g * outputs);
    let place3 = place(j0 + 4u * quad + 3u, g * outputs);
    var sum0 = vec4<f32>();
    var sum1 = vec4<f32>();
    var sum2 = vec4<f32>();
    var sum3 = vec4<f32>();
    for (var k0 = 0u; k0 < depth; k0 += DEPTH) {
        let row = i0 + thread / 16u * 4u;
        var a = vec4<f32>();
        if k0 + quad < depth {
            for (var r = 0u; r < 4u; r++) {
                if row + r < rows {
                    a[r] = weight_at(g, row + r, k0 + quad);
                }
            }
        }
        a_tile[quad * 16u + thread / 16u] = a;
        let k = k0 + thread / 16u;
        var b = vec4<f32>();
        if k < depth {
            b = vec4(seen(place0, k), seen(place1, k), seen(place2, k), seen(place3, k));
        }
        b_tile[thread] = b;
        workgroupBarrier();
        for (var k = 0u; k < DEPTH; k++) {
            let left = a_tile[k * 16u + thread / 16u];
            let right = b_tile[k * 16u + thread % 16u];
            sum0 += left.x * right;
            sum1 += left.y * right;
            sum2 += left.z * right;
            sum3 += left.w * right;
        }
        workgroupBarrier();
    }
    let row = i0 + thread / 16u * 4u;
    let column = j0 + thread % 16u * 4u;
    store(g, row, column, sum0);
    store(g, row + 1u, column, sum1);
    store(g, row + 2u, column, sum2);
    store(g, row + 3u, column, sum3);
}
