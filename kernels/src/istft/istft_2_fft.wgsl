// f[t, n] = 1/N · Σ_k Y[t, k]·e^(2πi·k·n / N)
//
// Rung 2, two passes, for N a power of two: one workgroup per two frames transforms them back in workgroup memory by
// log2 N stages of radix-2 butterflies, then istft_overlap gathers, a thread per sample. Frames are real, so with A and
// B their spectra the inverse transform of A + i·B has one frame as its real part and the other as its imaginary part.
// Where rung 1 sums all frequencies anew for every sample and frame, 4·N²·N/hop operations a frame, this takes 5·N·log2
// N for two. Not measured on a card yet.

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
@group(0) @binding(1) var<storage, read> re: array<f32>;         // [clips, frames, N / 2 + 1]
@group(0) @binding(2) var<storage, read> im: array<f32>;         // the same
@group(0) @binding(3) var<storage, read_write> f: array<f32>;    // [clips, frames, N]

override N: u32 = 2048;
override STAGES: u32 = 11;     // log2 N

const THREADS: u32 = 256;

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

// Frequency k of a frame, from the conjugate where k is beyond the half; nothing past the last frame.
fn spectrum(frame: u32, k: u32) -> vec2<f32> {
    if frame >= s.all_frames {
        return vec2(0.0, 0.0);
    }
    let low = min(k, N - k);
    let at = frame * (N / 2u + 1u) + low;
    if low == 0u || 2u * low == N {
        return vec2(re[at], 0.0);
    }
    return vec2(re[at], select(im[at], -im[at], k > low));
}

fn is_odd(v: f32) -> bool {
    return (bitcast<u32>(v) & 0x7f800000u) == 0x7f800000u;
}

// The same of one of the two; 0 for what is not finite, which would spoil the other, and is noted.
fn taken(frame: u32, which: u32, k: u32) -> vec2<f32> {
    let v = spectrum(frame + which, k);
    if is_odd(v.x) || is_odd(v.y) {
        atomicStore(&odd[which], 0x7fc00000u);
        return vec2(0.0, 0.0);
    }
    return v;
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
    // In the order of reversed bits, in which the stages below expect them.
    for (var i = thread; i < N; i += THREADS) {
        let k = reverseBits(i) >> (32u - STAGES);
        let a = taken(frame, 0u, k);
        let b = taken(frame, 1u, k);
        z[i] = a + vec2(-b.y, b.x);
    }
    workgroupBarrier();

    for (var stage = 0u; stage < STAGES; stage++) {
        let span = 1u << stage;    // how far apart the two inputs of a butterfly lie
        for (var i = thread; i < N / 2u; i += THREADS) {
            let offset = i & (span - 1u);
            let low = ((i >> stage) << (stage + 1u)) + offset;
            let a = z[low];
            // The inverse turns the other way.
            let b = product(z[low + span], root(offset, 2u * span) * vec2(1.0, -1.0));
            z[low] = a + b;
            z[low + span] = a - b;
        }
        workgroupBarrier();
    }

    let spoiled = vec2(bitcast<f32>(atomicLoad(&odd[0])), bitcast<f32>(atomicLoad(&odd[1])));
    for (var n = thread; n < N; n += THREADS) {
        f[frame * N + n] = z[n].x / f32(N) + spoiled.x;
        if frame + 1u < s.all_frames {
            f[(frame + 1u) * N + n] = z[n].y / f32(N) + spoiled.y;
        }
    }
}
