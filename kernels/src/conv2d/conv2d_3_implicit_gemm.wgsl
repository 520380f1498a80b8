// y[n, o, i, j] = act(bias[o] + Σ_{c, p, q} weight[o, c, p, q] · x[n, c', i·stride + p·dilation - pad, j·stride + q·dilation - pad])
//
// Rung 3: implicit GEMM with register blocks: as rung 2, but a workgroup of 256 threads computes a tile of 64 channels
// × 64 positions, each thread 4 × 4 of it in registers. One tap costs 4 + 4 reads of workgroup memory for 16
// multiply-adds, where rung 2 reads 2 for one. What a thread's four positions see is worked out once, before the loop.
// On llvmpipe that bought 3 × over rung 2, 1.2 × over rung 1, for 3 × 3 on one channel; no card is measured yet.

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
// The kernel's size, known when the shader is compiled: dividing by it becomes a multiplication.
override KH: u32 = 1;
override KW: u32 = 1;

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
    let c = k / (KH * KW);
    let row = corner.y + i32(k / KW % KH * s.dilation_h);
    let column = corner.z + i32(k % KW * s.dilation_w);
    if corner.x < 0 || row < 0 || column < 0 || row >= i32(s.h) || column >= i32(s.w) {
        return 0.0;
    }
    return x[u32(corner.x) + (c * s.h + u32(row)) * s.w + u32(column)];
}

// Four rows of the weight at tap k.
fn weights(g: u32, rows: u32, row: u32, k: u32, depth: u32) -> vec4<f32> {
    var four = vec4<f32>();
    if k < depth {
        for (var r = 0u; r < 4u; r++) {
            if row + r < rows {
                four[r] = weight[(g * rows + row + r) * depth + k];
            }
        }
    }
    return four;
}

fn store(g: u32, row: u32, column0: u32, sums: vec4<f32>) {
    let rows = s.o / s.groups;
    let plane = s.oh * s.ow;
    if row >= rows {
        return;
    }
    let o = g * rows + row;
    for (var r = 0u; r < 4u; r++) {
        let column = column0 + r;
        if column < s.n * plane {
            var sum = sums[r];
            if BIAS == 1u {
                sum += bias[o];
            }
            y[(column / plane * s.o + o) * plane + column % plane] = activate(sum);
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
    let columns = s.n * s.oh * s.ow;
    let depth = s.c / s.groups * KH * KW;
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
    let first = g * (s.c / s.groups);
    let corner0 = corner(j0 + 4u * quad, first);
    let corner1 = corner(j0 + 4u * quad + 1u, first);
    let corner2 = corner(j0 + 4u * quad + 2u, first);
    let corner3 = corner(j0 + 4u * quad + 3u, first);
    var sum0 = vec4<f32>();
    var sum1 = vec4<f32>();
    var sum2 = vec4<f32>();
    var sum3 = vec4<f32>();
    for (var k0 = 0u; k0 < depth; k0 += DEPTH) {
        // Neighbouring threads read neighbouring taps of the weight, and neighbouring positions of the image.
        a_tile[quad * 16u + thread / 16u] = weights(g, rows, i0 + thread / 16u * 4u, k0 + quad, depth);
        let k = k0 + thread / 16u;
        var b = vec4<f32>();
        if k < depth {
            b = vec4(tap(corner0, k), tap(corner1, k), tap(corner2, k), tap(corner3, k));
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
