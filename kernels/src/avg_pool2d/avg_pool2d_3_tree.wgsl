// y[oy, ox] = Σ over ky, kx of x[oy·stride_y + ky - pad_y, ox·stride_x + kx - pad_x] / places
//
// Rung 3: for large windows, global pooling among them: a workgroup of 256 threads per output. They walk the window side
// by side, reading neighbouring words, and join their sums in workgroup memory as a tree, always in the same order. A
// thread's loop is 256 times shorter, and a few outputs still fill a card; not measured on a card yet.

struct Shape {
    planes: u32,            // images · channels
    h: u32, w: u32,
    oh: u32, ow: u32,
    kernel_y: u32, kernel_x: u32,
    stride_y: u32, stride_x: u32,
    pad_y: u32, pad_x: u32, // above, left
    include_pad: u32,       // whether padding counts among the places
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> x: array<f32>;         // [planes, h, w]
@group(0) @binding(2) var<storage, read_write> y: array<f32>;   // [planes, oh, ow]

const THREADS: u32 = 256;

var<workgroup> sums: array<f32, 256>;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let id = group.y * groups.x + group.x;
    if id >= s.planes * s.oh * s.ow {
        return;
    }
    let ox = id % s.ow;
    let oy = id / s.ow % s.oh;
    let plane = id / (s.ow * s.oh);
    let y0 = max(oy * s.stride_y, s.pad_y) - s.pad_y;
    let x0 = max(ox * s.stride_x, s.pad_x) - s.pad_x;
    let rows = min(oy * s.stride_y + s.kernel_y - s.pad_y, s.h) - y0;
    let columns = min(ox * s.stride_x + s.kernel_x - s.pad_x, s.w) - x0;
    var sum = 0.0;
    for (var i = thread; i < rows * columns; i += THREADS) {
        let row = i / columns;
        sum += x[(plane * s.h + y0 + row) * s.w + x0 + i - row * columns];
    }
    sums[thread] = sum;
    workgroupBarrier();
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
        if thread < half {
            sums[thread] += sums[thread + half];
        }
        workgroupBarrier();
    }
    if thread == 0u {
        let places = select(rows * columns, s.kernel_y * s.kernel_x, s.include_pad == 1u);
        y[id] = sums[0] / f32(places);
    }
}
