// y[n, o, a, b] = max over p, q of act(bias[o] + (weight ⋆ x)[n, o, a·window_h + p, b·window_w + q]), index = p·window_w + q
//
// Rung 2: implicit GEMM with register blocks that pools on its way out: a workgroup of 256 threads computes the sums of
// 64 channels × 64 positions as conv2d's third rung does, but the positions are those of whole windows, one window's
// places side by side. At the end they meet in workgroup memory, half of the channels at a time, in the place where the
// factors' tiles were: 8 KiB in all. Sums are compared first; bias and activation, which keep the order, are then done
// once a window. It is expected to buy what conv2d's third rung buys, and the un-pooled map's way to memory and back;
// no card is measured yet. Windows of more than 64 places are rung 1's.

struct Shape {
    n: u32, c: u32, h: u32, w: u32,             // x: [n, c, h, w]
    o: u32, oh: u32, ow: u32,                   // of the convolution, before the pooling
    kh: u32, kw: u32,                           // weight: [o, c / groups, kh, kw]; here as KH, KW
    stride_h: u32, stride_w: u32,
    pad_h: u32, pad_w: u32,                     // zeros before; those after follow from oh and ow
    dilation_h: u32, dilation_w: u32,
    groups: u32,
    ph: u32, pw: u32,                           // y: [n, o, ph, pw]
    window_h: u32, window_w: u32,               // of the pooling; here as WH, WW
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> x: array<f32>;             // [n, c, h, w]
@group(0) @binding(2) var<storage, read> weight: array<f32>;        // [o, c / groups, kh, kw]
@group(0) @binding(3) var<storage, read> bias: array<f32>;          // [o], read only where BIAS
@group(0) @binding(4) var<storage, read_write> y: array<f32>;       // [n, o, ph, pw]
@group(0) @binding(5) var<storage, read_write> index: array<u32>;   // [n, o, ph, pw], place in its window

override BIAS: u32 = 0;
// Sizes known when the shader is compiled: dividing by them becomes a multiplication.
override KH: u32 = 1;
override KW: u32 = 1;
override WH: u32 = 1;
override WW: u32 = 1;

// Shader compilers may assume that there is no NaN: ask the bits.
fn is_nan(v: f32) -> bool {
    return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u;
}

override ACTIVATION: u32 = 0;

// A NaN goes through as it is: `max` and `clamp` may lose it.
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

const TILE: u32 = 64;
const DEPTH: u32 = 16;

// Where position `column` of tile `tile` sees its first tap: offset of the image's first channel in this group (-1 where
// the position is in no window), row, column.
fn corner(tile: u32, column: u32, first: u32) -> vec3<i32> {
    let places = WH * WW;
    let window = tile * (TILE / places) + column / places;
    let n = window / (s.ph * s.pw);
    if column / places >= TILE / places || n >= s.n {
        return vec3(-1, 0, 0);
    }
    let i = window / s.pw % s.ph * WH + column % places / WW;
    let j = window % s.pw * WW + column % WW;
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

// The factors' tiles, weight [k, row / 4] and patches [k, column / 4]; then the sums of 32 rows, [row, column / 4].
var<workgroup> tiles: array<vec4<f32>, 512>;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let rows = s.o / s.groups;
    let windows = s.n * s.ph * s.pw;
    let per_tile = TILE / (WH * WW);
    let depth = s.c / s.groups * KH * KW;
    let id = group.y * groups.x + group.x;
    let row_tiles = (rows + TILE - 1u) / TILE;
    let all = row_tiles * ((windows + per_tile - 1u) / per_tile);
    let g = id / all;
    if g >= s.groups {
        return;
    }
    let i0 = id % all % row_tiles * TILE;    // neighbours share their patches
    let tile = id % all / row_tiles;
    let quad = thread % 16u;
    let first = g * (s.c / s.groups);
    let corner0 = corner(tile, 4u * quad, first);
    let corner1 = corner(tile, 4u * quad + 1u, first);
    let corner2 = corner(tile, 4u * quad + 2u, first);
    let corner3 = corner(tile, 4u * quad + 3u, first);
    var sum0 = vec4<f32>();
    var sum1 = vec4<f32>();
    var sum2 = vec4<f32>();
    var sum3 = vec4<f32>();
    for (var k0 = 0u; k0 < depth; k0 += DEPTH) {
        // Neighbouring threads read neighbouring taps of the weight, and places of the image that are near.
        tiles[quad * 16u + thread / 16u] = weights(g, rows, i0 + thread / 16u * 4u, k0 + quad, depth);
        let k = k0 + thread / 16u;
        var b = vec4<f32>();
        if k < depth {
            b = vec4(tap(corner0, k), tap(corner1, k), tap(corner2, k), tap(corner3, k));
        }
        tiles[256u + thread] = b;
        workgroupBarrier();
        for (var k = 0u; k < DEPTH; k++) {
            let left = tiles[k * 16u + thread / 16u];
            let right = tiles[256u + k * 16u + thread % 16u];
            sum0 += left.x * right;
            sum1 += left.y * right;
            sum2 += left.z * right;
            sum3 += left.w * right;
        }
        workgroupBarrier();
    }
    for (var half = 0u; half < 2u; half++) {
        if thread / 128u == half {
            let at = thread / 16u % 8u * 64u + quad;
            tiles[at] = sum0;
            tiles[at + 16u] = sum1;
            tiles[at + 32u] = sum2;
            tiles[at + 48u] = sum3;
        }
        workgroupBarrier();
        for (var e = thread; e < 32u * per_tile; e += 256u) {
            let row = i0 + half * 32u + e / per_tile;
            let window = tile * per_tile + e % per_tile;
            if row < rows && window < windows {
                pool(e / per_tile * TILE + e % per_tile * WH * WW, g * rows + row, window);
            }
        }
        workgroupBarrier();
    }
}

// The window whose sums begin at `start` in the tile: channel o, and its number among all windows of a channel.
fn pool(start: u32, o: u32, window: u32) {
    var best = tiles[start / 4u][start % 4u];
    var at = 0u;
    for (var place = 1u; place < WH * WW; place++) {
        let value = tiles[(start + place) / 4u][(start + place) % 4u];
        if is_nan(value) || (value > best && !is_nan(best)) {
            best = value;
            at = place;
        }
    }
    if BIAS == 1u {
        best += bias[o];
    }
    best = activate(best);
    if ACTIVATION == 1u && best == 0.0 {
        at = 0u;    // relu has made all of the window zero, or nothing was greater: the first of equals has won
    }
    let plane = s.ph * s.pw;
    let id = (window / plane * s.o + o) * plane + window % plane;
    y[id] = best;
    index[id] = at;
}
