//! Two frames to a complex FFT: with `Z = A + i·B` the inverse has the frame of A as its real part and that of B as its
//! imaginary part. Then every piece of the signal gathers the frames over it, in their order.

use super::{Istft, TINY};
use crate::cpu::{Disjoint, for_ranges};
use crate::vectorized;
use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};
use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock};

/// Pairs of frames that are worth handing to another thread.
const PAIRS: usize = 16;

/// Samples that are.
const SAMPLES: usize = 8192;

pub fn istft(s: &Istft, inputs: &[&[f32]], y: &mut [f32]) {
    let [re, im, window] = [inputs[0], inputs[1], inputs[2]];
    let fft = plan(s.n_fft);
    let squares: Vec<f32> = window.iter().map(|w| w * w).collect();
    let (bins, n) = (s.bins(), s.n_fft);
    let mut frames = vec![0f32; s.frames * n];
    for (clip, y) in y.chunks_exact_mut(s.samples).enumerate() {
        let spectrum = clip * s.frames * bins..(clip + 1) * s.frames * bins;
        let (re, im) = (&re[spectrum.clone()], &im[spectrum]);
        let shared = Disjoint::new(&mut frames);
        for_ranges(s.frames.div_ceil(2), PAIRS, |pairs| {
            let mut z = vec![Complex { re: 0.0, im: 0.0 }; n];
            let mut scratch = vec![Complex { re: 0.0, im: 0.0 }; fft.get_inplace_scratch_len()];
            let mut invert = |range: Range<usize>| {
                z.fill(Complex { re: 0.0, im: 0.0 });
                for t in range.clone() {
                    let row = t * bins..(t + 1) * bins;
                    add(&re[row.clone()], &im[row], t == range.start, &mut z);
                }
                fft.process_with_scratch(&mut z, &mut scratch);
                for t in range.clone() {
                    // SAFETY: every frame has a place of its own.
                    let frame = unsafe { shared.slice(t * n..(t + 1) * n) };
                    windowed(&z, t == range.start, window, frame);
                }
                // The sum of all that went in.
                z[0].re.is_finite() && z[0].im.is_finite()
            };
            for pair in pairs {
                let range = 2 * pair..s.frames.min(2 * pair + 2);
                // One that is not finite would have spoiled the other.
                if !invert(range.clone()) {
                    for t in range {
                        invert(t..t + 1);
                    }
                }
            }
        });
        let y = Disjoint::new(y);
        for_ranges(s.samples, SAMPLES, |range| {
            // SAFETY: the ranges do not overlap.
            let out = unsafe { y.slice(range.clone()) };
            let mut sums = vec![0f32; out.len()];
            out.fill(0.0);
            for t in s.over(range.start).start..s.over(range.end - 1).end {
                // The part of the frame over this range.
                let start = t * s.hop;
                let from = (range.start + s.pad()).max(start);
                let to = (range.end + s.pad()).min(start + n);
                if from < to {
                    let here = from - s.pad() - range.start..to - s.pad() - range.start;
                    plus(
                        &frames[t * n + from - start..][..here.len()],
                        &mut out[here.clone()],
                    );
                    plus(&squares[from - start..][..here.len()], &mut sums[here]);
                }
            }
            divide(&sums, out);
        });
    }
}

/// Plans are made once per size and kept.
fn plan(n_fft: usize) -> Arc<dyn Fft<f32>> {
    static PLANNER: OnceLock<Mutex<FftPlanner<f32>>> = OnceLock::new();
    let planner = PLANNER.get_or_init(|| Mutex::new(FftPlanner::new()));
    let mut planner = planner
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    planner.plan_fft_inverse(n_fft)
}

/// Adds a spectrum with its conjugate half to z, as it is or times i.
fn add(re: &[f32], im: &[f32], first: bool, z: &mut [Complex<f32>]) {
    let n = z.len();
    let mut put = |k: usize, re: f32, im: f32| {
        z[k] += match first {
            true => Complex { re, im },
            false => Complex { re: -im, im: re },
        };
    };
    for (k, (re, im)) in re.iter().zip(im).enumerate() {
        if k == 0 || 2 * k == n {
            put(k, *re, 0.0);
        } else {
            put(k, *re, *im);
            put(n - k, *re, -*im);
        }
    }
}

vectorized! {
    /// The real or the imaginary parts, windowed.
    fn windowed(z: &[Complex<f32>], real: bool, window: &[f32], frame: &mut [f32]) {
        let scale = 1.0 / z.len() as f32;
        for ((frame, z), w) in frame.iter_mut().zip(z).zip(window) {
            *frame = if real { z.re } else { z.im } * scale * w;
        }
    }

    fn plus(values: &[f32], sums: &mut [f32]) {
        for (sum, v) in sums.iter_mut().zip(values) {
            *sum += v;
        }
    }

    fn divide(sums: &[f32], y: &mut [f32]) {
        for (y, sum) in y.iter_mut().zip(sums) {
            *y = if *sum > TINY { *y / sum } else { *y };
        }
    }
}
