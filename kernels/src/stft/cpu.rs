//! One complex FFT of half the frame's length (rustfft), whose result is taken apart into the real signal's spectrum;
//! frames spread over threads. A frame is cut straight into the FFT's place, where samples at even positions are the real
//! parts and those at odd ones the imaginary parts. Everything behind the FFT runs over separate real and imaginary
//! parts, so that it vectorises. Plans are made once per size and kept.

use super::{Spectrum, Stft};
use crate::cpu::aligned::Aligned;
use crate::cpu::{Disjoint, for_ranges};
use crate::vectorized;
use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

/// Frames that are worth handing to another thread.
const FRAMES: usize = 32;

pub fn stft(s: &Stft, x: &[f32], window: &[f32], y: &mut [f32]) {
    let plan = Plan::of(s.n_fft);
    let (frames, row) = (s.frames(), s.row());
    let y = Disjoint::new(y);
    for_ranges(s.clips * frames, FRAMES, |range| {
        let mut work = Work::new(&plan, s.bins());
        for index in range {
            let (clip, t) = (index / frames, index % frames);
            let clip = &x[clip * s.samples..][..s.samples];
            plan.transform(&mut work, |frame| {
                cut(clip, t * s.hop, s.pad(), window, frame)
            });
            // SAFETY: every frame has a row of its own.
            let out = unsafe { y.slice(index * row..(index + 1) * row) };
            match s.spectrum {
                Spectrum::Complex => interleave(&work.real, &work.imaginary, out),
                Spectrum::Magnitude => magnitude(&work.real, &work.imaginary, out),
                Spectrum::Power => power(&work.real, &work.imaginary, out),
            }
        }
    });
}

/// What depends on the frame's length alone.
struct Plan {
    /// Over half of the frame where its length is even, else over all of it.
    fft: Arc<dyn Fft<f32>>,
    halved: bool,
    /// cos and -sin of 2πk / N for the first quarter of k.
    cos: Vec<f32>,
    sin: Vec<f32>,
}

/// One thread's buffers.
struct Work {
    z: Aligned<Complex<f32>>,
    scratch: Aligned<Complex<f32>>,
    /// The FFT's result; for a halved one with its first value once more at the end.
    parts: [Aligned<f32>; 2],
    /// The frame's spectrum.
    real: Aligned<f32>,
    imaginary: Aligned<f32>,
}

impl Work {
    fn new(plan: &Plan, bins: usize) -> Self {
        let length = plan.fft.len();
        Work {
            z: Aligned::new(length),
            scratch: Aligned::new(plan.fft.get_inplace_scratch_len()),
            parts: [Aligned::new(length + 1), Aligned::new(length + 1)],
            real: Aligned::new(bins),
            imaginary: Aligned::new(bins),
        }
    }
}

impl Plan {
    fn of(n_fft: usize) -> Arc<Plan> {
        static PLANS: OnceLock<Mutex<HashMap<usize, Arc<Plan>>>> = OnceLock::new();
        let plans = PLANS.get_or_init(Mutex::default);
        let mut plans = plans
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        plans
            .entry(n_fft)
            .or_insert_with(|| Arc::new(Plan::new(n_fft)))
            .clone()
    }

    fn new(n_fft: usize) -> Plan {
        let halved = n_fft.is_multiple_of(2);
        let fft = FftPlanner::new().plan_fft_forward(if halved { n_fft / 2 } else { n_fft });
        let angles = (0..=n_fft / 4).map(|k| std::f64::consts::TAU * k as f64 / n_fft as f64);
        let (cos, sin) = angles.map(|a| (a.cos() as f32, -a.sin() as f32)).unzip();
        Plan {
            fft,
            halved,
            cos,
            sin,
        }
    }

    /// The spectrum of a frame, which `cut` writes, in `work.real` and `work.imaginary`.
    fn transform(&self, work: &mut Work, cut: impl Fn(&mut [f32])) {
        let Work {
            z,
            scratch,
            parts: [re, im],
            real,
            imaginary,
        } = work;
        let values = flat(z);
        if self.halved {
            cut(values);
        } else {
            // Cut into the second half, then spread over the whole from its beginning.
            let length = values.len() / 2;
            cut(&mut values[length..]);
            for i in 0..length {
                (values[2 * i], values[2 * i + 1]) = (values[length + i], 0.0);
            }
        }
        self.fft.process_with_scratch(z, scratch);
        split(z, re, im);
        if self.halved {
            re[z.len()] = re[0];
            im[z.len()] = im[0];
            join(re, im, &self.cos, &self.sin, real, imaginary);
        } else {
            let bins = real.len();
            real.copy_from_slice(&re[..bins]);
            imaginary.copy_from_slice(&im[..bins]);
        }
    }
}

/// Real and imaginary parts in turn.
fn flat(z: &mut [Complex<f32>]) -> &mut [f32] {
    // SAFETY: `Complex<f32>` is `repr(C)` with two floats: the same memory, the same alignment.
    unsafe { std::slice::from_raw_parts_mut(z.as_mut_ptr().cast(), 2 * z.len()) }
}

/// The frame that begins `pad` samples before `start`, windowed; zero beyond the ends of `x`.
fn cut(x: &[f32], start: usize, pad: usize, window: &[f32], frame: &mut [f32]) {
    let zeros_before = pad.saturating_sub(start).min(frame.len());
    let from = (start + zeros_before).saturating_sub(pad).min(x.len());
    let count = (frame.len() - zeros_before).min(x.len() - from);
    frame[..zeros_before].fill(0.0);
    frame[zeros_before + count..].fill(0.0);
    multiply(
        &x[from..from + count],
        &window[zeros_before..][..count],
        &mut frame[zeros_before..][..count],
    );
}

/// Numbers in a block of [`join`].
const LANES: usize = 16;

#[inline(always)]
fn forwards(values: &[f32], from: usize) -> [f32; LANES] {
    let values = &values[from..from + LANES];
    std::array::from_fn(|i| values[i])
}

/// From `last` downwards.
#[inline(always)]
fn backwards(values: &[f32], last: usize) -> [f32; LANES] {
    let values = &values[last + 1 - LANES..last + 1];
    std::array::from_fn(|i| values[LANES - 1 - i])
}

/// X[k] and X[M - k], as real and imaginary part each, from Z[k], Z[M - k] and e^(-2πik / N).
#[inline(always)]
fn butterfly(a: [f32; 2], b: [f32; 2], root: [f32; 2]) -> [f32; 4] {
    let even = [0.5 * (a[0] + b[0]), 0.5 * (a[1] - b[1])];
    let odd = [0.5 * (a[1] + b[1]), 0.5 * (b[0] - a[0])];
    let turned = [
        odd[0] * root[0] - odd[1] * root[1],
        odd[0] * root[1] + odd[1] * root[0],
    ];
    [
        even[0] + turned[0],
        even[1] + turned[1],
        even[0] - turned[0],
        turned[1] - even[1],
    ]
}

vectorized! {
    fn multiply(a: &[f32], b: &[f32], out: &mut [f32]) {
        for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
            *out = a * b;
        }
    }

    fn split(z: &[Complex<f32>], re: &mut [f32], im: &mut [f32]) {
        for ((z, re), im) in z.iter().zip(re).zip(im) {
            *re = z.re;
            *im = z.im;
        }
    }

    /// Z, the transform of even + i·odd over M = N / 2 values, to the spectrum: the even and odd parts come out of Z[k]
    /// and Z[M - k] by symmetry, and X[k] = even + e^(-2πik / N)·odd, X[M - k] = conj(even - e^(-2πik / N)·odd).
    fn join(re: &[f32], im: &[f32], cos: &[f32], sin: &[f32], real: &mut [f32], imaginary: &mut [f32]) {
        let m = re.len() - 1;
        let last = m / 2;
        let mut k = 0;
        // Blocks in arrays of fixed length, which cannot overlap, become vectors. They end before the middle.
        while k + LANES <= last {
            let [a_re, a_im] = [forwards(re, k), forwards(im, k)];
            let [b_re, b_im] = [backwards(re, m - k), backwards(im, m - k)];
            let [c, s] = [forwards(cos, k), forwards(sin, k)];
            let mut x = [[0.0f32; LANES]; 4];
            for i in 0..LANES {
                let pair = butterfly([a_re[i], a_im[i]], [b_re[i], b_im[i]], [c[i], s[i]]);
                for (x, value) in x.iter_mut().zip(pair) {
                    x[i] = value;
                }
            }
            x[2].reverse();
            x[3].reverse();
            real[k..k + LANES].copy_from_slice(&x[0]);
            imaginary[k..k + LANES].copy_from_slice(&x[1]);
            real[m - k + 1 - LANES..m - k + 1].copy_from_slice(&x[2]);
            imaginary[m - k + 1 - LANES..m - k + 1].copy_from_slice(&x[3]);
            k += LANES;
        }
        for k in k..=last {
            let x = butterfly([re[k], im[k]], [re[m - k], im[m - k]], [cos[k], sin[k]]);
            // Where M is even its half is its own partner: both lines then write the same value.
            (real[m - k], imaginary[m - k]) = (x[2], x[3]);
            (real[k], imaginary[k]) = (x[0], x[1]);
        }
    }

    fn interleave(re: &[f32], im: &[f32], out: &mut [f32]) {
        for ((out, re), im) in out.chunks_exact_mut(2).zip(re).zip(im) {
            out[0] = *re;
            out[1] = *im;
        }
    }

    fn power(re: &[f32], im: &[f32], out: &mut [f32]) {
        for ((out, re), im) in out.iter_mut().zip(re).zip(im) {
            *out = re * re + im * im;
        }
    }

    fn magnitude(re: &[f32], im: &[f32], out: &mut [f32]) {
        for ((out, re), im) in out.iter_mut().zip(re).zip(im) {
            *out = (re * re + im * im).sqrt();
        }
    }
}
