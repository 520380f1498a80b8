// Y[t, k] = Σ_n w[n] · x[t·hop + n - pad] · e^(-2πi·k·n / N)
//
// Rung 3: one workgroup per two frames, for N a power of two, joins eight numbers a thread by butterflies of radix 8 in
// registers. One frame is the real part of N complex numbers, the other the imaginary part; their spectra come apart by
// symmetry at the end. There are N / 8 threads, and the last stage is of 4 or 2 where N asks for it, so that N = 2048
// goes 4 times through workgroup memory instead of 10, with 4 twiddle factors a thread instead of 40. Stages are
// Stockham's: what they write is in order, and no bits are reversed; the first reads the signal itself, neighbouring
// threads neighbouring samples. On llvmpipe that bought 3 × over rung 2; no card is measured yet.

struct Shape {
    samples: u32,
    frames: u32,        // of one clip
    all_frames: u32,    // of all clips
    n_fft: u32,
    hop: u32,
    pad: u32,           // zeros before the first sample
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> x: array<f32>;          // [clips, samples]
@group(0) @binding(2) var<storage, read> window: array<f32>;     // [n_fft]
@group(0) @binding(3) var<storage, read_write> y: array<f32>;    // [clips, frames, n_fft / 2 + 1] or [.., 2]

override SPECTRUM: u32 = 2;    // 0: real and imaginary part, 1: magnitude, 2: power
override THREADS: u32 = 256;   // N / 8
override N: u32 = 8 * THREADS;

var<workgroup> z: array<vec2<f32>, N>;
var<workgroup> odd: array<atomic<u32>, 2>;    // of each frame: a NaN's bits where a number of it is not finite, else 0

// e^(-2πi·a / n) for a < n. WGSL promises three digits of a sine at most, hence polynomials on an eighth of a turn.
fn root(a: u32, n: u32) -> vec2<f32> {
    let octant = (8u * a + n) / (2u * n);    // quarter turns, to the nearest
    let r = (f32(a) - f32(octant * n) * 0.25) / f32(n) * 6.2831853;
    let z = r * r;
    let c = 1.0 + z * (-0.5 + z * (0.041666638 + z * (-0.0013888378 + z * 2.443887e-5)));
    let si = r + r * z * (-0.16666667 + z * (0.008333332 + z * (-0.00019840874 + z * 2.7557319e-6)));
    switch octant & 3u {
        case 0u: { return vec2(c, -si); }
        case 1u: { return vec2(-si, -c); }
        case 2u: { return vec2(-c, si); }
        default: { return vec2(si, c); }
    }
}

fn product(a: vec2<f32>, b: vec2<f32>) -> vec2<f32> {
    return vec2(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x);
}

// a times -i.
fn turned(a: vec2<f32>) -> vec2<f32> {
    return vec2(a.y, -a.x);
}

// The transform of four numbers.
fn four(a: vec2<f32>, b: vec2<f32>, c: vec2<f32>, d: vec2<f32>) -> array<vec2<f32>, 4> {
    let e = a + c;
    let f = a - c;
    let g = b + d;
    let h = turned(b - d);
    return array(e + g, f + h, e - g, f - h);
}

// The transform of eight numbers.
fn eight(v: array<vec2<f32>, 8>) -> array<vec2<f32>, 8> {
    let e = four(v[0], v[2], v[4], v[6]);
    let o = four(v[1], v[3], v[5], v[7]);
    // The odd ones, turned by eighths.
    let o1 = 0.70710678 * vec2(o[1].x + o[1].y, o[1].y - o[1].x);
    let o2 = turned(o[2]);
    let o3 = 0.70710678 * vec2(o[3].y - o[3].x, -o[3].x - o[3].y);
    return array(e[0] + o[0], e[1] + o1, e[2] + o2, e[3] + o3, e[0] - o[0], e[1] - o1, e[2] - o2, e[3] - o3);
}

// The windowed sample n of a frame; silence beyond the clip's ends and past the last frame, and for what is not finite,
// which would spoil the other frame, and is noted.
fn sample(frame: u32, n: u32) -> f32 {
    let at = frame % s.frames * s.hop + n;
    if frame >= s.all_frames || at < s.pad || at - s.pad >= s.samples {
        return 0.0;
    }
    let value = window[n] * x[frame / s.frames * s.samples + at - s.pad];
    if (bitcast<u32>(value) & 0x7f800000u) == 0x7f800000u {
        atomicStore(&odd[frame & 1u], 0x7fc00000u);
        return 0.0;
    }
    return value;
}

fn write(frame: u32, k: u32, value: vec2<f32>) {
    let id = frame * (N / 2u + 1u) + k;
    if SPECTRUM == 0u {
        y[2u * id] = value.x;
        y[2u * id + 1u] = value.y;
    } else {
        let power = dot(value, value);
        y[id] = select(power, sqrt(power), SPECTRUM == 1u);
    }
}

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let frame = 2u * (group.y * groups.x + group.x);
    // The same for the whole workgroup, so that all of it leaves before the first barrier.
    if frame >= s.all_frames {
        return;
    }
    if thread < 2u {
        atomicStore(&odd[thread], 0u);
    }
    workgroupBarrier();
    let t = thread;
    let q = THREADS;    // an eighth of N: how far apart a thread's numbers lie
    // The first stage: the transforms of eight numbers each; eight results side by side.
    var v = eight(array(
        vec2(sample(frame, t), sample(frame + 1u, t)),
        vec2(sample(frame, t + q), sample(frame + 1u, t + q)),
        vec2(sample(frame, t + 2u * q), sample(frame + 1u, t + 2u * q)),
        vec2(sample(frame, t + 3u * q), sample(frame + 1u, t + 3u * q)),
        vec2(sample(frame, t + 4u * q), sample(frame + 1u, t + 4u * q)),
        vec2(sample(frame, t + 5u * q), sample(frame + 1u, t + 5u * q)),
        vec2(sample(frame, t + 6u * q), sample(frame + 1u, t + 6u * q)),
        vec2(sample(frame, t + 7u * q), sample(frame + 1u, t + 7u * q)),
    ));
    var to = 8u * t;
    z[to] = v[0];
    z[to + 1u] = v[1];
    z[to + 2u] = v[2];
    z[to + 3u] = v[3];
    z[to + 4u] = v[4];
    z[to + 5u] = v[5];
    z[to + 6u] = v[6];
    z[to + 7u] = v[7];
    workgroupBarrier();

    // How many numbers each finished transform has.
    var done = 8u;
    for (; 8u * done <= N; done *= 8u) {
        let k = t & (done - 1u);
        let w1 = root(k, 8u * done);
        let w2 = product(w1, w1);
        let w3 = product(w1, w2);
        let w4 = product(w2, w2);
        v = eight(array(
            z[t],
            product(z[t + q], w1),
            product(z[t + 2u * q], w2),
            product(z[t + 3u * q], w3),
            product(z[t + 4u * q], w4),
            product(z[t + 5u * q], product(w1, w4)),
            product(z[t + 6u * q], product(w2, w4)),
            product(z[t + 7u * q], product(w3, w4)),
        ));
        workgroupBarrier();
        to = (t - k) * 8u + k;
        z[to] = v[0];
        z[to + done] = v[1];
        z[to + 2u * done] = v[2];
        z[to + 3u * done] = v[3];
        z[to + 4u * done] = v[4];
        z[to + 5u * done] = v[5];
        z[to + 6u * done] = v[6];
        z[to + 7u * done] = v[7];
        workgroupBarrier();
    }
    if 4u * done == N {
        // The last stage joins four transforms: a thread does butterflies t and t + N / 8, in place.
        for (var j = t; j < done; j += THREADS) {
            let w1 = root(j, N);
            let w2 = product(w1, w1);
            let u = four(
                z[j],
                product(z[j + done], w1),
                product(z[j + 2u * done], w2),
                product(z[j + 3u * done], product(w1, w2)),
            );
            z[j] = u[0];
            z[j + done] = u[1];
            z[j + 2u * done] = u[2];
            z[j + 3u * done] = u[3];
        }
        workgroupBarrier();
    } else if 2u * done == N {
        for (var j = t; j < done; j += THREADS) {
            let a = z[j];
            let b = product(z[j + done], root(j, N));
            z[j] = a + b;
            z[j + done] = a - b;
        }
        workgroupBarrier();
    }

    // Z = A + i·B, and A and B are spectra of real frames: Z[k] and the conjugate of Z[N - k] tell them apart.
    let spoiled = vec2(bitcast<f32>(atomicLoad(&odd[0])), bitcast<f32>(atomicLoad(&odd[1])));
    for (var k = t; k <= N / 2u; k += THREADS) {
        let a = z[k];
        let b = z[(N - k) % N] * vec2(1.0, -1.0);
        write(frame, k, 0.5 * (a + b) + spoiled.x);
        if frame + 1u < s.all_frames {
            write(frame + 1u, k, 0.5 * turned(a - b) + spoiled.y);
        }
    }
}
