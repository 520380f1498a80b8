// y[n, o, i, j] = act(bias[o] + Σ_{c, p, q} weight[o, c, p, q] · x[n, c', i·stride + p·dilation - pad, j·stride + q·dilation - pad])
//
// Rung 2: the convolution as a matrix product, weight [o, taps] times the patches [taps, n·oh·ow] of the image, which
// are never written: a workgroup of 16 × 16 threads gathers a 16 × 16 tile of them into workgroup memory, walks along
// the taps, and every thread reads each number 16 times from there. Global loads fall to a sixteenth. On llvmpipe,
// where workgroup memory is memory like any other, that costs 2.5 ×; no card is measured yet.

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
@group(0) @binding(2) var<storage, read> weight: array<f32>;     // [o, c / groups, kh, kw]
@group(0) @binding(3) var<storage, read> bias: array<f32>;       // [o], read only where BIAS
@group(0) @binding(4) var<storage, read_write> y: array<f32>;    // [n, o, oh, ow]

override BIAS: u32 = 0;
override ACTIVATION: u32 = 0;

// Shader compilers may assume that there is no NaN: ask the bits.
fn is_nan(v: f32) -> bool {
    return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u;
}

fn activate(x: f32) -> f32 {
    switch ACTIVATION {
        case 1u: { return select(x, 0.0, x < 0.0); }                    // relu
        case 2u: { return select(x, 0.01 * x, x < 0.0); }               // leaky relu
        case 3u: { return select(x, exp(x) - 1.0, x < 0.0); }           // elu
        case 4u: { return select(tanh(clamp(x, -15.0, 15.0)), x, is_nan(x)); } // tanh
        case 5u: { return 1.0 / (1.0 + exp(-x)); }                      // sigmoid
        default: { return x; }
    }
}

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
    let columns = s.n * s.oh * s.ow;
    let depth = s.c / s.groups * s.kh * s.kw;
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
    let here = corner(column, g * (s.c / s.groups));
    var sum = 0.0;
    for (var k0 = 0u; k0 < depth; k0 += TILE) {
        // Past the edge zeros are multiplied, so that no thread leaves before a barrier.
        var a = 0.0;
        if row < rows && k0 + local.x < depth {
            a = weight[(g * rows + row) * depth + k0 + local.x];
        }
        var b = 0.0;
        if k0 + local.y < depth {
            b = tap(here, k0 + local.y);
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
        let o = g * rows + row;
        if BIAS == 1u {
            sum += bias[o];
        }
        let plane = s.oh * s.ow;
        y[(column / plane * s.o + o) * plane + column % plane] = activate(sum);
    }
}
