//! The definition: one sum over frames and frequencies per sample.

use super::{Istft, TINY};
use std::f64::consts::TAU;

pub fn istft(s: &Istft, inputs: &[&[f64]], y: &mut [f64]) {
    let [re, im, window] = [inputs[0], inputs[1], inputs[2]];
    for clip in 0..s.clips {
        for i in 0..s.samples {
            let (mut sum, mut squares) = (0.0, 0.0);
            for t in s.over(i) {
                let n = i + s.pad() - t * s.hop;
                let at = (clip * s.frames + t) * s.bins();
                sum += window[n] * frame(s.n_fft, &re[at..], &im[at..], n);
                squares += window[n] * window[n];
            }
            y[clip * s.samples + i] = match squares > f64::from(TINY) {
                true => sum / squares,
                false => sum,
            };
        }
    }
}

/// Sample `n` of the frame with this spectrum.
fn frame(n_fft: usize, re: &[f64], im: &[f64], n: usize) -> f64 {
    let term = |k: usize| {
        let angle = TAU * ((k * n) % n_fft) as f64 / n_fft as f64;
        match k == 0 || 2 * k == n_fft {
            true => re[k] * angle.cos(),
            // With its conjugate.
            false => 2.0 * (re[k] * angle.cos() - im[k] * angle.sin()),
        }
    };
    (0..=n_fft / 2).map(term).sum::<f64>() / n_fft as f64
}
