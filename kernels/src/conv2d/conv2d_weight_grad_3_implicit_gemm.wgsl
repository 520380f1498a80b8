// dw[o, c, p, q] = Σ_{n, i, j} dy[n, o, i, j] · x[n, c', i·stride + p·dilation - pad, j·stride + q·dilation - pad]
//
// Rung 3: implicit GEMM with register blocks, the sum split: as rung 2, but with tiles of 64 × 64, each thread 4 × 4 of
// it in registers, and the positions cut into parts, each summed by workgroups of its own into its own copy of dw, so
// that there are enough of them; a second pass adds the parts in order. No atomics, the same result every time. One
// position costs 4 + 4 reads of workgroup memory for 16 multiply-adds, where rung 2 reads 2 for one. Not measured on a
// card yet.

struct Shape {
    n: u32, c: u32, h: u32, w: u32,             // x: [n, c, h, w]
    o: u32, oh: u32, ow: u32,                   // y: [n, o, oh, ow]
    kh: u32, kw: u32,                           // weight: [o, c / groups, kh, kw]
    stride_h: u32, stride_w: u32,
    pad_h: u32, pad_w: u32,                     // zeros before; those after follow from oh and ow
    dilation_h: u32, dilation_w: u32,
    groups: u32,
    part: u32,                                  // positions in one part of the sum
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> x: array<f32>;          // [n, c, h, w]
@group(0) @binding(2) var<storage, read> dy: array<f32>;         // [n, o, oh, ow]
@group(0) @binding(3) var<storage, read_write> dw: array<f32>;   // [parts, o, c / groups, kh, kw]

// The kernel's size, known when the shader is compiled: dividing by it becomes a multiplication.
override KH: u32 = 1;
override KW: u32 = 1;

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
    let c = k / (KH * KW);
    let row = corner.y + i32(k / KW % KH * s.dilation_h);
    let column = corner.z + i32(k % KW * s.dilation_w);
    if corner.x < 0 || row < 0 || column < 0 || row >= i32(s.h) || column >= i32(s.w) {
        return 0.0;
    }
    return x[u32(corner.x) + (c * s.h + u32(row)) * s.w + u32(column)];
}

fn store(row: u32, column0: u32, rows: u32, columns: u32, start: u32, sums: vec4<f32>) {
    if row >= rows {
        return;
    }
    for (var r = 0u; r < 4u; r++) {
        if column0 + r < columns {
            dw[start + row * columns + column0 + r] = sums[r];
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
    let rows = s.o / s.groups;
    let per_group = s.c / s.groups;
    let columns = per_group * KH * KW;
    let plane = s.oh * s.ow;
    let depth = s.n * plane;
    let id = group.y * groups.x + group.x;
    let row_tiles = (rows + TILE - 1u) / TILE;
    let tiles = row_tiles * ((columns + TILE - 1u) / TILE) * s.groups;
    let begin = id / tiles * s.part;
    let end = min(begin + s.part, depth);
    if begin >= depth {
        return;
    }
    let g = id % tiles % s.groups;
    let tile = id % tiles / s.groups;
    let i0 = tile % row_tiles * TILE;
    let j0 = tile / row_tiles * TILE;
    let quad = thread / 16u;    // of rows in one tile, of columns in the other
    var sum0 = vec4<f32>();
    var sum1 = vec4<f32>();
    var sum2 = vec4<f32>();
    var sum3 = vec4<f32>();
    for (var k0 = begin; k0 < end; k0 += DEPTH) {
        // Neighbouring threads read neighbouring positions, in dy as in x.
        let k = k0 + thread % 16u;
        var a = vec4<f32>();
        var b = vec4<f32>();
        if k < end {
            let at = (k / plane * s.o + g * rows) * plane + k % plane;
            let here = corner(k, g * per_group);
            for (var r = 0u; r < 4u; r++) {
                let row = i0 + 4u * quad + r;
                let column = j0 + 4u * quad + r;
                if row < rows {
                    a[r] = dy[at + row * plane];
                }
                if column < columns {
                    b[r] = tap(here, column);
                }
            }
        }
        a_tile[thread % 16u * 16u + quad] = a;
        b_tile[thread % 16u * 16u + quad] = b;
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
    let start = (id / tiles * s.o + g * rows) * columns;
    store(row, column, rows, columns, start, sum0);
    store(row + 1u, column, rows, columns, start, sum1);
    store(row + 2u, column, rows, columns, start, sum2);
    store(row + 3u, column, rows, columns, start, sum3);
}
