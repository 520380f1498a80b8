//! Resampling by a short windowed sinc, summed up for each sample, as torchaudio does.

use super::change::Change;
use kernels::vectorized;
use std::f64::consts::PI;

/// Zeros of the sinc on either side of its middle (`lowpass_filter_width`).
const ZEROS: f64 = 6.0;

/// Cutoff as a share of the lower Nyquist frequency (`rolloff`).
const ROLLOFF: f64 = 0.99;

/// Resampler through torchaudio's filter. The result has no delay and no end.
pub(super) struct Taps {
    change: Change,
    /// Taps of each phase, `[l, taps]`, and where they begin.
    weights: Vec<f32>,
    taps: usize,
    first: Vec<usize>,
    /// Samples from the first one on that is still needed, and what of them lies before the next `m`.
    waiting: Vec<f32>,
    before: usize,
    /// Phase of the next sample.
    phase: usize,
}

impl Taps {
    pub(super) fn new(change: Change) -> Taps {
        let Change { m, l } = change;
        // Zeros of the sinc per sample that goes in.
        let speed = ROLLOFF / change.stretch();
        let reach = ZEROS / speed;
        let (taps, padding) = ((2.0 * reach) as usize + 1, reach.ceil() as usize);
        let mut weights = Vec::with_capacity(l * taps);
        let mut first = Vec::with_capacity(l);
        for phase in 0..l {
            let time = padding as f64 + phase as f64 * m as f64 / l as f64;
            let from = (time - reach).ceil() as usize;
            first.push(from);
            let at = |tap| kernel(((from + tap) as f64 - time) * speed) * speed;
            weights.extend((0..taps).map(|tap| at(tap) as f32));
        }
        Taps {
            change,
            weights,
            taps,
            first,
            waiting: vec![0.0; padding],
            before: 0,
            phase: 0,
        }
    }

    pub(super) fn push(&mut self, samples: &[f32], to: &mut Vec<f32>) {
        self.waiting.extend_from_slice(samples);
        loop {
            let from = self.before + self.first[self.phase];
            let Some(under) = self.waiting.get(from..from + self.taps) else {
                break;
            };
            to.push(dot(&self.weights[self.phase * self.taps..], under));
            self.phase += 1;
            if self.phase == self.change.l {
                self.phase = 0;
                self.before += self.change.m;
            }
        }
        let done = self.before.min(self.waiting.len());
        self.waiting.drain(..done);
        self.before -= done;
    }
}

/// Sinc under a Hann window (squared cosine), at so many zeros from its middle.
fn kernel(x: f64) -> f64 {
    if x.abs() >= ZEROS {
        return 0.0;
    }
    let sinc = if x == 0.0 {
        1.0
    } else {
        (PI * x).sin() / (PI * x)
    };
    sinc * (PI * x / ZEROS / 2.0).cos().powi(2)
}

vectorized! {
    /// `Σ a[i] · b[i]`, as far as both go.
    fn dot(a: &[f32], b: &[f32]) -> f32 {
        let a = &a[..b.len().min(a.len())];
        let mut sums = [0f32; 8];
        let (left, right) = (a.chunks_exact(8), b.chunks_exact(8));
        let rest = left.remainder().iter().zip(right.remainder());
        let rest = rest.map(|(a, b)| a * b).sum::<f32>();
        for (a, b) in left.zip(right) {
            for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
                *sum += a * b;
            }
        }
        sums.iter().sum::<f32>() + rest
    }
}
