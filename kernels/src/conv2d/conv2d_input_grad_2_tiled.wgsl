// dx[n, c, a, b] = Σ over every (o, p, q) whose output saw this input: weight[o, c, p, q] · dy[n, o, i, j],
// where i = (a + pad - p·dilation) / stride comes out even and lies inside, and j likewise.
//
// Rung 2: as a matrix product, the weight seen as [c, (o, p, q)] times, for each input position, the gradients of all
// outputs that saw it, [(o, p, q), n·h·w], zero where a tap falls between strides or outside. They are gathered tile by
// tile into workgroup memory, 16 × 16 threads a tile, and every thread reads each number 16 times from there: global
// loads fall to a sixteenth of rung 1's where there are 16 input channels. With one channel, 15 of a tile's 16 rows are
// empty: on llvmpipe that costs 18 ×. Not measured on a card yet.

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

// Element k = (o, p, q) of what input position `place` = (offset of the image's first output in this group, or -1;
// row + pad; column + pad) was seen by.
fn seen(place: vec3<i32>, k: u32) -> f32 {
    let o = k / (s.kh * s.kw);
    let row = place.y - i32(k / s.kw % s.kh * s.dilation_h);
    let column = place.z - i32(k % s.kw * s.dilation_w);
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
    let o = g * (s.o / s.groups) + k / (s.kh * s.kw);
    return weight[(o * rows + row) * s.kh * s.kw + k % (s.kh * s.kw)];
}

const TILE: u32 = 16;

var<workgroup> a_tile: array<f32, 256>;    // [row, k]
var<workgroup> b_tile: array<f32, 256>;    // [k, column]

@compute @workgroup_size(16, 16)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let rows = s.c / s.groups;
    let columns = s.n * s.h * s.w;
    let outputs = s.o / s.groups;
    let depth = outputs * s.kh * s.kw;
    let id = group.y * groups.x + group.x;
    let row_tiles = (rows + TILE - 1u) / TILE;
    let tiles = row_tiles * ((columns + TILE - 1u) / TILE);
    let g = id / tiles;
    if g >= s.groups {
        return;
    }
    let i0 = id % tiles % row_tiles * TILE;    // neighbours share their patches
    let j0 = id % tiles / row_tiles * TILE;
    let row = i0 + local.y;
    let column = j0 + local.x;
    let here = place(column, g * outputs);
    var sum = 0.0;
    for (var k0 = 0u; k0 < depth; k0 += TILE) {
        // Past the edge zeros are multiplied, so that no thread leaves before a barrier.
        var a = 0.0;
        if row < rows && k0 + local.x < depth {
            a = weight_at(g, row, k0 + local.x);
        }
        var b = 0.0;
        if k0 + local.y < depth {
            b = seen(here, k0 + local.y);
        }
        a_tile[local.y * TILE + local.x] = a;
        b_tile[local.y * TILE + local.x] = b;
        workgroupBarrier();
        for (var k = 0u; k < TILE; k++) {
            sum += a_tile[local.y * TILE + k] * b_tile[k * TILE + local.x];
        }
        workgroupBarrier();
    }
    if row < rows && column < columns {
        let plane = s.h * s.w;
        dx[(column / plane * s.c + g * rows + row) * plane + column % plane] = sum;
    }
}
