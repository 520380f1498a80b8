//! Spectra in f64, for features that look at the quietest: what lies 120 dB below the loudest frequency is not yet lost
//! in rounding.

use rustfft::algorithm::{BluesteinsAlgorithm, Radix4};
use rustfft::num_complex::Complex64;
use rustfft::{Fft, FftDirection};
use std::f64::consts::TAU;
use std::sync::Arc;

/// The transform of real frames of one length.
pub(super) struct ExactFft {
    /// Of half the length where that is even: then a frame's even samples are the real parts `z`, its odd ones the
    /// imaginary.
    fft: Arc<dyn Fft<f64>>,
    /// `e^(-2πik/n)` for the frequencies from 0 to n / 2.
    turns: Vec<Complex64>,
    n: usize,
}

impl ExactFft {
    /// For frames of `n` samples. The algorithms stand here by name: rustfft's planner would bring all of its
    /// vectorised
    /// lengths a second time for f64, 0.6 MB of a program.
    pub fn new(n: usize) -> Self {
        let length = if n.is_multiple_of(2) { n / 2 } else { n };
        let radix4 = |n| Arc::new(Radix4::new(n, FftDirection::Forward));
        let turn = |k| Complex64::cis(-TAU * k as f64 / n as f64);
        ExactFft {
            fft: match length.is_power_of_two() {
                true => radix4(length),
                false => {
                    let inner = radix4((2 * length - 1).next_power_of_two());
                    Arc::new(BluesteinsAlgorithm::new(length, inner))
                }
            },
            turns: (0..=n / 2).map(turn).collect(),
            n,
        }
    }

    /// The magnitudes of a frame's frequencies from 0 to n / 2; `sample(i)` is its i-th sample.
    pub fn magnitudes(&self, sample: impl Fn(usize) -> f64) -> impl Iterator<Item = f64> {
        let halved = self.fft.len() < self.n;
        let mut z: Vec<Complex64> = match halved {
            true => (0..self.n / 2)
                .map(|i| Complex64::new(sample(2 * i), sample(2 * i + 1)))
                .collect(),
            false => (0..self.n).map(|i| sample(i).into()).collect(),
        };
        self.fft.process(&mut z);
        let len = z.len();
        self.turns.iter().enumerate().map(move |(k, turn)| {
            let (a, b) = (z[k % len], z[(len - k) % len].conj());
            // The even samples' spectrum is (a + b) / 2, the odd ones' (a - b) / 2i.
            let x = if halved {
                ((a + b) - Complex64::I * turn * (a - b)) * 0.5
            } else {
                a
            };
            // Not `norm`, which guards against overflow that sound cannot reach, slowly.
            x.norm_sqr().sqrt()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::abs_diff_eq;

    #[test]
    fn agrees_with_the_sum_that_defines_it() {
        for n in [1, 2, 3, 4, 5, 6, 9, 16, 17, 30, 64, 551] {
            let sample = |i: usize| ((i * i + 3 * i) as f64 * 0.7).sin() + 0.1;
            let found: Vec<f64> = ExactFft::new(n).magnitudes(sample).collect();
            assert_eq!(found.len(), n / 2 + 1);
            for (k, found) in found.into_iter().enumerate() {
                let term = |i| Complex64::cis(-TAU * (i * k % n) as f64 / n as f64) * sample(i);
                let sum: Complex64 = (0..n).map(term).sum();
                assert!(
                    abs_diff_eq!(found, sum.norm(), epsilon = 1e-13 * n as f64),
                    "{n} {k}"
                );
            }
        }
    }
}
