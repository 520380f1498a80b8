//! Half the sample rate, through the low-pass filter of soxr's "HQ", which librosa takes.
//!
//! `y[n] = Σ_k h[k] · x[2n - k]`, where h is a sinc under a Kaiser window (Kaiser 1974). Its three numbers were fitted to
//! soxr's answer to an impulse, and meet it within 4e-8: what its single precision leaves. The resampler of files is
//! another one, and gives other numbers where sound begins or ends without a fade.

use super::correlate;
use kernels::cpu::{Disjoint, for_ranges};
use std::f64::consts::PI;
use std::sync::LazyLock;

/// Half the length of the window, in samples.
const REACH: f64 = 194.5;

/// The window's shape, Kaiser's β.
const BETA: f64 = 13.04;

/// The cutoff, as a share of the old Nyquist frequency: half of the amplitude is left there.
const CUTOFF: f64 = 0.478_435_9;

/// Taps on either side of the middle.
const SIDE: usize = REACH as usize;

/// Samples of the result worth handing to another thread.
const GRAIN: usize = 1 << 14;

/// The filter's even taps and its odd ones: even taps meet even samples of the padded sound, odd ones odd.
static TAPS: LazyLock<[Vec<f32>; 2]> = LazyLock::new(|| {
    let taps = (0..=2 * SIDE).map(|i| tap(i as f64 - SIDE as f64) as f32);
    every_other(&taps.collect::<Vec<f32>>())
});

/// Those at even places and those at odd ones.
fn every_other(x: &[f32]) -> [Vec<f32>; 2] {
    [0, 1].map(|from| x.iter().skip(from).step_by(2).copied().collect())
}

/// Every other sample of the filtered sound, `⌈len / 2⌉` of them; beyond the ends the sound is zero.
pub(super) fn halve(samples: &[f32]) -> Vec<f32> {
    let len = samples.len().div_ceil(2);
    let mut padded = vec![0.0; SIDE];
    padded.extend_from_slice(samples);
    padded.resize(padded.len() + 2 * (SIDE + correlate::padding(1)), 0.0);
    let sounds = every_other(&padded);
    let mut halved = vec![0.0; len];
    let out = Disjoint::new(&mut halved);
    for_ranges(len, GRAIN, |range| {
        // SAFETY: ranges do not overlap.
        let out = unsafe { out.slice(range.clone()) };
        for (taps, x) in TAPS.iter().zip(&sounds) {
            correlate::filter(taps, &x[range.start..], out);
        }
    });
    halved
}

/// The filter at `k` samples from its middle.
fn tap(k: f64) -> f64 {
    let sinc = match k {
        0.0 => 1.0,
        k => (PI * CUTOFF * k).sin() / (PI * CUTOFF * k),
    };
    let window = bessel(BETA * (1.0 - (k / REACH).powi(2)).sqrt()) / bessel(BETA);
    CUTOFF * sinc * window
}

/// The modified Bessel function I₀: `Σ ((x/2)^n / n!)²`.
fn bessel(x: f64) -> f64 {
    let mut term = 1.0;
    let mut sum = 1.0;
    for n in 1..64 {
        term *= (x / 2.0 / f64::from(n)).powi(2);
        sum += term;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `soxr.resample(x, 2, 1, quality="HQ")` of soxr 1.1 gives from sample 500 on, of an impulse at this place.
    const SOXR: [(usize, [f32; 6]); 2] = [
        (
            1000,
            [
                0.47843587,
                0.02148393,
                -0.02124477,
                0.02085046,
                -0.02030736,
                0.01962417,
            ],
        ),
        (
            1001,
            [
                0.31752712,
                0.31752712,
                -0.10376473,
                0.05979646,
                -0.04012784,
                0.02860846,
            ],
        ),
    ];

    #[test]
    fn an_impulse_gives_soxrs_filter() {
        for (at, want) in SOXR {
            let mut x = vec![0.0; 2000];
            x[at] = 1.0;
            let y = halve(&x);
            assert_eq!(y.len(), 1000);
            for (y, want) in y[500..].iter().zip(want) {
                assert!((y - want).abs() < 1e-7, "{y} and {want}");
            }
        }
    }

    #[test]
    fn ends_are_silence_and_odd_lengths_round_up() {
        for len in [0usize, 1, 2, 63, 129, 1001] {
            let x: Vec<f32> = (0..len).map(|i| (i as f32 * 0.7).sin()).collect();
            let y = halve(&x);
            assert_eq!(y.len(), len.div_ceil(2));
            for (n, y) in y.iter().enumerate() {
                let terms = x.iter().enumerate().map(|(i, x)| {
                    let k = 2.0 * n as f64 - i as f64;
                    if k.abs() < REACH {
                        tap(k) * f64::from(*x)
                    } else {
                        0.0
                    }
                });
                let want: f64 = terms.sum();
                assert!((f64::from(*y) - want).abs() < 1e-5, "{y} and {want}");
            }
        }
    }
}
