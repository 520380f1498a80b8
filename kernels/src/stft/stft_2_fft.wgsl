// Y[t, k] = Σ_n w[n] · x[t·hop + n - pad] · e^(-2πi·k·n / N)
//
// Rung 2: one workgroup per frame does a fast transform, for N a power of two: the N real samples are taken as N / 2
// complex ones (even positions real, odd ones imaginary), transformed in workgroup memory by log2(N / 2) stages of
// radix-2 butterflies (Cooley and Tukey), and taken apart into the N / 2 + 1 frequencies. That is 2.5·N·log2 N
// operations for a frame in place of rung 1's 4·N², and every sample is read once. On llvmpipe it bought 170 × for N =
// 2048; no card is measured yet.

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
override HALF: u32 = 1024;     // N / 2
override STAGES: u32 = 10;     // log2 HALF

const THREADS: u32 = 256;

var<workgroup> z: array<vec2<f32>, HALF>;

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

// The windowed sample n of the frame that begins at `start - pad` of the clip whose samples begin at `first`.
fn sample(first: u32, start: u32, n: u32) -> f32 {
    let at = start + n;
    if at < s.pad || at - s.pad >= s.samples {
        return 0.0;
    }
    return window[n] * x[first + at - s.pad];
}

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let frame = group.y * groups.x + group.x;
    // The same for the whole workgroup, so that all of it leaves before the first barrier.
    if frame >= s.all_frames {
        return;
    }
    let first = frame / s.frames * s.samples;
    let start = frame % s.frames * s.hop;

    // In the order of reversed bits, in which the stages below expect them.
    for (var i = thread; i < HALF; i += THREADS) {
        let position = reverseBits(i) >> (32u - STAGES);
        z[i] = vec2(sample(first, start, 2u * position), sample(first, start, 2u * position + 1u));
    }
    workgroupBarrier();

    for (var stage = 0u; stage < STAGES; stage++) {
        let span = 1u << stage;    // how far apart the two inputs of a butterfly lie
        for (var i = thread; i < HALF / 2u; i += THREADS) {
            let offset = i & (span - 1u);
            let low = ((i >> stage) << (stage + 1u)) + offset;
            let a = z[low];
            let b = product(z[low + span], root(offset, 2u * span));
            z[low] = a + b;
            z[low + span] = a - b;
        }
        workgroupBarrier();
    }

    // Z is the transform of even + i·odd; even and odd parts come out by symmetry, and are joined by one more stage.
    for (var k = thread; k <= HALF; k += THREADS) {
        let a = z[k % HALF];
        let b = z[(HALF - k) % HALF] * vec2(1.0, -1.0);
        let even = 0.5 * (a + b);
        let odd = 0.5 * product(a - b, vec2(0.0, -1.0));
        let sum = even + product(odd, root(k, s.n_fft));
        let id = frame * (HALF + 1u) + k;
        if SPECTRUM == 0u {
            y[2u * id] = sum.x;
            y[2u * id + 1u] = sum.y;
        } else {
            let power = dot(sum, sum);
            y[id] = select(power, sqrt(power), SPECTRUM == 1u);
        }
    }
}
