// y[oy, ox] = max over ky, kx of x[oy·stride_y + ky - pad_y, ox·stride_x + kx - pad_x], index = where it stands
//
// Rung 3: as rung 2, but the workgroup first copies what its windows cover to workgroup memory, row by row. Each number
// is fetched once, by whole cache lines, however windows overlap or step. For windows whose tile fits 9 KiB. Not measured
// on a card yet.

struct Shape {
    planes: u32,            // images · channels
    h: u32, w: u32,
    oh: u32, ow: u32,
    kernel_y: u32, kernel_x: u32,   // here as KY, KX
    stride_y: u32, stride_x: u32,   // here as SY, SX
    pad_y: u32, pad_x: u32, // above, left
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> x: array<f32>;             // [planes, h, w]
@group(0) @binding(2) var<storage, read_write> y: array<f32>;       // [planes, oh, ow]
@group(0) @binding(3) var<storage, read_write> index: array<u32>;   // [planes, oh, ow], position in h · w

// Shader compilers may assume that there is no NaN: ask the bits.
fn is_nan(v: f32) -> bool {
    return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u;
}

override KY: u32 = 1;
override KX: u32 = 1;
override SY: u32 = 1;
override SX: u32 = 1;

var<workgroup> tile: array<f32, 2304>;  // [7·SY + KY rows, 31·SX + KX columns]

@compute @workgroup_size(32, 8)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let block = group.y * groups.x + group.x;
    let across = (s.ow + 31u) / 32u;
    let down = (s.oh + 7u) / 8u;
    let plane = block / across / down;
    if plane >= s.planes {
        return;
    }
    let first_y = block / across % down * 8u;
    let first_x = block % across * 32u;
    let start = plane * s.h * s.w;
    // Wraps around where the tile begins in the padding: then no smaller than h or w.
    let top = first_y * SY - s.pad_y;
    let left = first_x * SX - s.pad_x;
    let columns = 31u * SX + KX;
    for (var row = local.y; row < 7u * SY + KY; row += 8u) {
        for (var column = local.x; column < columns; column += 32u) {
            if top + row < s.h && left + column < s.w {
                tile[row * columns + column] = x[start + (top + row) * s.w + left + column];
            }
        }
    }
    workgroupBarrier();
    let oy = first_y + local.y;
    let ox = first_x + local.x;
    if oy >= s.oh || ox >= s.ow {
        return;
    }
    var best = 0.0;
    var at = 0xffffffffu;
    for (var ky = 0u; ky < KY; ky++) {
        let row = local.y * SY + ky;
        for (var kx = 0u; kx < KX; kx++) {
            let column = local.x * SX + kx;
            if top + row < s.h && left + column < s.w {
                let v = tile[row * columns + column];
                if at == 0xffffffffu || is_nan(v) || (v > best && !is_nan(best)) {
                    best = v;
                    at = (top + row) * s.w + left + column;
                }
            }
        }
    }
    let id = (plane * s.oh + oy) * s.ow + ox;
    y[id] = best;
    index[id] = at;
}
