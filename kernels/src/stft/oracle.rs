//! The definition: one sum per frequency of every frame.

use super::{Spectrum, Stft};

pub fn stft(s: &Stft, x: &[f64], window: &[f64], y: &mut [f64]) {
    for clip in 0..s.clips {
        for frame in 0..s.frames() {
            for bin in 0..s.bins() {
                let (mut re, mut im) = (0.0, 0.0);
                for n in 0..s.n_fft {
                    // Where frame and clip begin; before the first sample and past the last there is silence.
                    let Some(at) = (frame * s.hop + n)
                        .checked_sub(s.pad())
                        .filter(|&at| at < s.samples)
                    else {
                        continue;
                    };
                    let value = window[n] * x[clip * s.samples + at];
                    let angle =
                        std::f64::consts::TAU * ((bin * n) % s.n_fft) as f64 / s.n_fft as f64;
                    re += value * angle.cos();
                    im -= value * angle.sin();
                }
                let at = (clip * s.frames() + frame) * s.bins() + bin;
                match s.spectrum {
                    Spectrum::Complex => {
                        y[2 * at] = re;
                        y[2 * at + 1] = im;
                    }
                    Spectrum::Magnitude => y[at] = re.hypot(im),
                    Spectrum::Power => y[at] = re * re + im * im,
                }
            }
        }
    }
}
