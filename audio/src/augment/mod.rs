//! Augmentation of audio: samples to samples. Functions with random results take a [`Philox`]; all others are
//! deterministic.
//!
//! | function | does | as |
//! | --- | --- | --- |
//! | [`time_stretch`] | faster or slower at the same pitch | `librosa.effects.time_stretch` |
//! | [`pitch_shift`] | higher or lower at the same length | `librosa.effects.pitch_shift` |
//! | [`add_noise`] | white noise at a signal-to-noise ratio | `torchaudio.functional.add_noise` |
//! | [`gain`] | louder or softer | |
//! | [`roll`] | circular shift in time | `numpy.roll` |
//! | [`crop`] | random segment | |
//!
//! `vocoder.rs` holds the first, `pitch.rs` the second. None of them clips: floats may exceed full scale.

mod pitch;
mod vocoder;

pub use pitch::pitch_shift;
pub use vocoder::time_stretch;

use kernels::philox::Philox;

/// Adds white normal noise at a signal-to-noise ratio of `snr` decibels. The noise is scaled by its measured power, so
/// the ratio is exact. Silence stays silent.
pub fn add_noise(samples: &mut [f32], snr: f64, random: &mut Philox) {
    let noise: Vec<f32> = samples.iter().map(|_| random.normal()).collect();
    let scale = (energy(samples) / energy(&noise)).sqrt() * amplitude(-snr);
    // Neither with no samples, nor if the power of the noise is 0.
    if scale.is_finite() {
        for (sample, noise) in samples.iter_mut().zip(noise) {
            *sample += scale as f32 * noise;
        }
    }
}

/// Raises the level by `decibels`, or lowers it where they are negative.
pub fn gain(samples: &mut [f32], decibels: f64) {
    let factor = amplitude(decibels) as f32;
    samples.iter_mut().for_each(|sample| *sample *= factor);
}

/// Shifts the signal by `by` samples, circularly. Negative: earlier.
pub fn roll(samples: &mut [f32], by: i64) {
    if !samples.is_empty() {
        // A length fits i64, and the rest is below it.
        samples.rotate_right(by.rem_euclid(samples.len() as i64) as usize);
    }
}

/// Returns a segment of `length` samples at a random offset; the whole signal if it is not longer.
pub fn crop<'a>(samples: &'a [f32], length: usize, random: &mut Philox) -> &'a [f32] {
    let length = length.min(samples.len());
    let from = random.below(samples.len() - length + 1);
    &samples[from..from + length]
}

fn energy(samples: &[f32]) -> f64 {
    samples.iter().map(|s| f64::from(*s).powi(2)).sum()
}

/// Converts decibels to a factor of the amplitude.
fn amplitude(decibels: f64) -> f64 {
    10f64.powf(decibels / 20.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::{abs_diff_eq, assert_abs_diff_eq};
    use proptest::prelude::*;

    fn sound(length: usize) -> Vec<f32> {
        (0..length)
            .map(|i| ((i * i) as f32 * 0.01).sin() * 0.5)
            .collect()
    }

    #[test]
    fn noise_has_the_ratio_asked_for_and_is_white() {
        for snr in [-10.0, 0.0, 20.0, 60.0] {
            let (before, mut after) = (sound(20_000), sound(20_000));
            add_noise(&mut after, snr, &mut Philox::new(3, 1));
            let noise: Vec<f32> = after.iter().zip(&before).map(|(a, b)| a - b).collect();
            let measured = 10.0 * (energy(&before) / energy(&noise)).log10();
            // Samples of f32 hold the noise to their rounding.
            assert!(
                abs_diff_eq!(measured, snr, epsilon = 1e-3),
                "{measured} not {snr}"
            );
            // White: neighbours have nothing to do with each other (their correlation deviates by 1/√20 000 or so).
            for lag in [1, 2, 100] {
                let products = noise.iter().zip(&noise[lag..]);
                let sum: f64 = products.map(|(a, b)| f64::from(a * b)).sum();
                assert!((sum / energy(&noise)).abs() < 0.03, "{lag}");
            }
        }
    }

    #[test]
    fn noise_depends_on_the_seed_alone_and_silence_stays() {
        let noisy = |seed| {
            let mut samples = sound(500);
            add_noise(&mut samples, 10.0, &mut Philox::new(seed, 1));
            samples
        };
        assert_eq!(noisy(1), noisy(1));
        assert_ne!(noisy(1), noisy(2));
        let mut silence = vec![0.0; 100];
        add_noise(&mut silence, 10.0, &mut Philox::new(1, 1));
        assert_eq!(silence, vec![0.0; 100]);
    }

    #[test]
    fn decibels_are_a_factor() {
        let mut samples = [0.5, -0.25];
        gain(&mut samples, 20.0);
        assert_eq!(samples, [5.0, -2.5]);
        gain(&mut samples, -40.0);
        assert_abs_diff_eq!(samples[0], 0.05, epsilon = 1e-8);
    }

    #[test]
    fn what_leaves_comes_in_again() {
        for (by, expected) in [
            (1, [3, 0, 1, 2]),
            (-1, [1, 2, 3, 0]),
            (4, [0, 1, 2, 3]),
            (-9, [1, 2, 3, 0]),
            (i64::MIN, [0, 1, 2, 3]),
        ] {
            let mut samples = [0.0, 1.0, 2.0, 3.0];
            roll(&mut samples, by);
            assert_eq!(samples, expected.map(|v| v as f32), "{by}");
        }
    }

    #[test]
    fn every_piece_occurs() {
        let samples = [0.0, 1.0, 2.0];
        let mut random = Philox::new(1, 1);
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..50 {
            let piece = crop(&samples, 2, &mut random);
            assert_eq!(piece[1], piece[0] + 1.0);
            seen.insert(piece[0] as u32);
        }
        assert_eq!(seen.len(), 2);
    }

    proptest! {
        #[test]
        fn any_length_will_do(length in 0usize..300, by in any::<i64>(), piece in any::<usize>()) {
            let mut random = Philox::new(length as u64, 2);
            let mut samples = sound(length);
            add_noise(&mut samples, 10.0, &mut random);
            gain(&mut samples, -3.0);
            let before = samples.clone();
            roll(&mut samples, by);
            roll(&mut samples, -(by % length.max(1) as i64));
            prop_assert_eq!(&samples, &before);
            prop_assert_eq!(samples.len(), length);
            prop_assert!(samples.iter().all(|s| s.is_finite()));
            prop_assert_eq!(crop(&samples, piece, &mut random).len(), piece.min(length));
        }
    }
}
