//! A real FFT per frame (realfft), frames spread over threads. Plans are made once per size and kept.

use super::{Spectrum, Stft};
use crate::cpu::{Disjoint, for_ranges};
use crate::vectorized;
use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};
use std::sync::{Arc, Mutex, OnceLock};

/// Frames that are worth handing to another thread.
const FRAMES: usize = 32;

pub fn stft(s: &Stft, x: &[f32], window: &[f32], y: &mut [f32]) {
    let fft = plan(s.n_fft);
    let (frames, row) = (s.frames(), s.row());
    let y = Disjoint::new(y);
    for_ranges(s.clips * frames, FRAMES, |range| {
        let mut frame = fft.make_input_vec();
        let mut spectrum = fft.make_output_vec();
        let mut scratch = fft.make_scratch_vec();
        for index in range {
            let (clip, t) = (index / frames, index % frames);
            cut(
                &x[clip * s.samples..][..s.samples],
                t * s.hop,
                s.pad(),
                window,
                &mut frame,
            );
            let done = fft.process_with_scratch(&mut frame, &mut spectrum, &mut scratch);
            debug_assert!(done.is_ok(), "the lengths come from the plan itself");
            // SAFETY: every frame has a row of its own.
            let out = unsafe { y.slice(index * row..(index + 1) * row) };
            match s.spectrum {
                Spectrum::Complex => out.copy_from_slice(floats(&spectrum)),
                Spectrum::Magnitude => magnitude(&spectrum, out),
                Spectrum::Power => power(&spectrum, out),
            }
        }
    });
}

fn plan(n_fft: usize) -> Arc<dyn RealToComplex<f32>> {
    static PLANNER: OnceLock<Mutex<RealFftPlanner<f32>>> = OnceLock::new();
    let planner = PLANNER.get_or_init(|| Mutex::new(RealFftPlanner::new()));
    planner
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
        .plan_fft_forward(n_fft)
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

fn floats(spectrum: &[Complex<f32>]) -> &[f32] {
    // SAFETY: `Complex<f32>` is `repr(C)` with two f32 and nothing else: twice as many f32 at the same place.
    unsafe { std::slice::from_raw_parts(spectrum.as_ptr().cast(), 2 * spectrum.len()) }
}

vectorized! {
    fn multiply(a: &[f32], b: &[f32], out: &mut [f32]) {
        for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
            *out = a * b;
        }
    }

    fn power(spectrum: &[Complex<f32>], out: &mut [f32]) {
        for (out, c) in out.iter_mut().zip(spectrum) {
            *out = c.re * c.re + c.im * c.im;
        }
    }

    fn magnitude(spectrum: &[Complex<f32>], out: &mut [f32]) {
        for (out, c) in out.iter_mut().zip(spectrum) {
            *out = (c.re * c.re + c.im * c.im).sqrt();
        }
    }
}
