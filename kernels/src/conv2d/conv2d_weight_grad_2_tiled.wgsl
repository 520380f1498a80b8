// dw[o, c, p, q] = Σ_{n, i, j} dy[n, o, i, j] · x[n, c', i·stride + p·dilation - pad, j·stride + q·dilation - pad]
//
// Rung 2: as a matrix product, dy [o, n·oh·ow] times the patches [n·oh·ow, taps] of x, gathered tile by tile into
// workgroup memory, 16 × 16 threads a tile. Every thread reads each number 16 times from there: global loads fall to a
// sixteenth of rung 1's. A product of few rows and columns with a very long sum makes few tiles: most of the card
// idles. Not measured on a card yet.

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
@group(0) @binding(1) var<storage, read> x: array<f32>;          // [n, c, h, w]
@group(0) @binding(2) var<storage, read> dy: array<f32>;         // [n, o, oh, ow]
@group(0) @binding(3) var<storage, read_write> dw: array<f32>;   // [o, c / groups, kh, kw]

// Where output position `column` (of all images) sees its first tap: offset of the image's first channel in this
// group (-1 past the end), row, column.
fn corner(column: u32, first: u32) -> vec3<i32> {
    let n = column / (s.oh * s.ow);
    let i = column / s.ow % s.oh;
    let j = column % s.ow;
    if n >= s.n {
        return vec3(-1, 0, 0);
    }
    return vec3(
        i32((n * s.c + first) * s.h * s.w),
        i32(i * s.stride_h) - i32(s.pad_h),
        i32(j * s.stride_w) - i32(s.pad_w),
    );
}

// Element k = (c, p, q) of the patch there.
fn tap(corner: vec3<i32>, k: u32) -> f32 {
    let c = k / (s.kh * s.kw);
    let row = corner.y + i32(k / s.kw % s.kh * s.dilation_h);
    let column = corner.z + i32(k % s.kw * s.dilation_w);
    if corner.x < 0 || row < 0 || column < 0 || row >= i32(s.h) || column >= i32(s.w) {
        return 0.0;
    }
    return x[u32(corner.x) + (c * s.h + u32(row)) * s.w + u32(column)];
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
    let rows = s.o / s.groups;
    let per_group = s.c / s.groups;
    let columns = per_group * s.kh * s.kw;
    let plane = s.oh * s.ow;
    let depth = s.n * plane;
    let id = group.y * groups.x + group.x;
    let row_tiles = (rows + TILE - 1u) / TILE;
    let tiles = row_tiles * ((columns + TILE - 1u) / TILE);
    let g = id / tiles;
    if g >= s.groups {
        return;
    }
    let i0 = id % tiles % row_tiles * TILE;
    let j0 = id % tiles / row_tiles * TILE;
    let row = i0 + local.y;
    let column = j0 + local.x;
    var sum = 0.0;
    for (var k0 = 0u; k0 < depth; k0 += TILE) {
        // Past the edge zeros are multiplied, so that no thread leaves before a barrier. Both tiles are read with
        // neighbouring threads at neighbouring positions; the second is turned on its way into workgroup memory.
        let k = k0 + local.x;
        var a = 0.0;
        if row < rows && k < depth {
            a = dy[(k / plane * s.o + g * rows + row) * plane + k % plane];
        }
        var b = 0.0;
        if j0 + local.y < columns {
            b = tap(corner(k, g * per_group), j0 + local.y);
        }
        a_tile[local.y * TILE + local.x] = a;
        b_tile[local.x * TILE + local.y] = b;
        workgroupBarrier();
        for (var k = 0u; k < TILE; k++) {
            sum += a_tile[local.y * TILE + k] * b_tile[k * TILE + local.x];
        }
        workgroupBarrier();
    }
    if row < rows && column < columns {
        dw[(g * rows + row) * columns + column] = sum;
    }
}
