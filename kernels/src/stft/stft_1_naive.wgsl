// Y[t, k] = Σ_n w[n] · x[t·hop + n - pad] · e^(-2πi·k·n / N)
//
// Rung 1: one thread per frequency of every frame, the sum as it stands: 8·N operations and N sines for each of the
// N / 2 + 1 frequencies of a frame, where a fast transform does 2.5·N·log2 N for all of them.

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

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let id = (group.y * groups.x + group.x) * 64u + thread;
    let bins = s.n_fft / 2u + 1u;
    if id >= s.all_frames * bins {
        return;
    }
    let frame = id / bins;
    let k = id % bins;
    let first = frame / s.frames * s.samples;
    let start = frame % s.frames * s.hop;
    var sum = vec2(0.0, 0.0);
    for (var n = 0u; n < s.n_fft; n++) {
        let at = start + n;
        if at >= s.pad && at - s.pad < s.samples {
            sum += window[n] * x[first + at - s.pad] * root(k * n % s.n_fft, s.n_fft);
        }
    }
    if SPECTRUM == 0u {
        y[2u * id] = sum.x;
        y[2u * id + 1u] = sum.y;
    } else {
        let power = dot(sum, sum);
        y[id] = select(power, sqrt(power), SPECTRUM == 1u);
    }
}
