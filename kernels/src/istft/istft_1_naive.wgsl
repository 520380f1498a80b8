// y[i] = Σ_t w[n]·f[t, n] / Σ_t w[n]², n = i + pad - t·hop; f[t, n] = 1/N · Σ_k Y[t, k]·e^(2πi·k·n / N)
//
// Rung 1: one thread per sample, both sums as they stand: for every frame over the sample, all of its frequencies.

struct Shape {
    samples: u32,       // of one clip
    frames: u32,        // of one clip
    all_frames: u32,    // of all clips
    n_fft: u32,
    hop: u32,
    pad: u32,           // samples before the first
    all_samples: u32,   // of all clips
}

@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> re: array<f32>;         // [clips, frames, n_fft / 2 + 1]
@group(0) @binding(2) var<storage, read> im: array<f32>;         // the same
@group(0) @binding(3) var<storage, read> window: array<f32>;     // [n_fft]
@group(0) @binding(4) var<storage, read_write> y: array<f32>;    // [clips, samples]

const TINY: f32 = 1.1754944e-38;

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

// Sample n of the frame whose spectrum begins at first.
fn sample(first: u32, n: u32) -> f32 {
    var sum = re[first];
    for (var k = 1u; k <= s.n_fft / 2u; k++) {
        let r = root(k * n % s.n_fft, s.n_fft);
        if 2u * k == s.n_fft {
            sum += re[first + k] * r.x;
        } else {
            // With its conjugate; r turns the other way.
            sum += 2.0 * (re[first + k] * r.x + im[first + k] * r.y);
        }
    }
    return sum / f32(s.n_fft);
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let id = (group.y * groups.x + group.x) * 64u + thread;
    if id >= s.all_samples {
        return;
    }
    let at = id % s.samples + s.pad;
    let first_frame = id / s.samples * s.frames;
    let first = (max(at + 1u, s.n_fft) - s.n_fft + s.hop - 1u) / s.hop;
    let end = min(s.frames, at / s.hop + 1u);
    var sum = 0.0;
    var squares = 0.0;
    for (var t = first; t < end; t++) {
        let n = at - t * s.hop;
        sum += window[n] * sample((first_frame + t) * (s.n_fft / 2u + 1u), n);
        squares += window[n] * window[n];
    }
    y[id] = select(sum, sum / squares, squares > TINY);
}
