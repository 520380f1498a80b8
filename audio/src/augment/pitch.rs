//! Shifting the pitch, as `librosa.effects.pitch_shift`: a stretch in time, and a resampling that undoes its length.

use super::vocoder::time_stretch;
use crate::clip::Clip;
use crate::error::{Error, Result};
use crate::resample::resample;

/// The largest part of a fraction that stands for a ratio of frequencies. Between rates of this size the resampler goes by
/// FFT. Semitones within two octaves are met to 4·10⁻⁷ of their ratio: to a quarter of a sample in half a minute.
const LARGEST: u64 = 8192;

/// The sound `steps` steps higher (lower where they are negative) at the same length; `steps_per_octave` of them are an
/// octave, 12 being semitones. Where they move nothing, the sound stays as it is.
///
/// librosa resamples by soxr, we do by [`resample`]: the two differ above nine tenths of the lower of both bandwidths.
///
/// # Errors
/// [`Error::Settings`] for more than four octaves either way, or 0 steps to the octave.
pub fn pitch_shift(samples: &[f32], steps: f64, steps_per_octave: u32) -> Result<Vec<f32>> {
    let octaves = steps / f64::from(steps_per_octave);
    if !(-4.0..=4.0).contains(&octaves) {
        let reason = format!(
            "pitch shift: {steps} of {steps_per_octave} steps to the octave lie outside ±4 octaves"
        );
        return Err(Error::Settings(reason));
    }
    // As many times as high as it was.
    let (from, to) = fraction(octaves.exp2());
    if from == to {
        return Ok(samples.to_vec());
    }
    let longer = Clip {
        samples: time_stretch(samples, (-octaves).exp2())?,
        sample_rate: from,
    };
    let mut shifted = resample(&longer, to)?.samples;
    shifted.resize(samples.len(), 0.0);
    Ok(shifted)
}

/// The last convergent of a number's continued fraction with both parts up to [`LARGEST`]. The number is from 1/16 to 16.
fn fraction(number: f64) -> (u32, u32) {
    let mut before = (0, 1);
    let mut now = (1, 0);
    let mut rest = number;
    loop {
        let whole = rest.floor();
        let next = |now: u64, before: u64| whole as u64 * now + before;
        let next = (next(now.0, before.0), next(now.1, before.1));
        if next.0.max(next.1) > LARGEST {
            break;
        }
        (before, now) = (now, next);
        // What is left is rounding.
        if rest - whole < 1e-9 {
            break;
        }
        rest = 1.0 / (rest - whole);
    }
    (now.0 as u32, now.1 as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::abs_diff_eq;
    use proptest::prelude::*;
    use std::f64::consts::TAU;

    fn tone(cycles: f64, length: usize) -> Vec<f32> {
        let sample = |i: usize| (TAU * cycles * i as f64).sin() as f32 * 0.5;
        (0..length).map(sample).collect()
    }

    /// Cycles a sample, by the ways through zero in the middle half.
    fn frequency(samples: &[f32]) -> f64 {
        let middle = &samples[samples.len() / 4..samples.len() * 3 / 4];
        let turns = middle.windows(2).filter(|w| w[0] <= 0.0 && w[1] > 0.0);
        turns.count() as f64 / middle.len() as f64
    }

    #[test]
    fn a_tone_moves_by_its_steps() {
        for (steps, of, factor) in [
            (12.0, 12, 2.0),
            (-12.0, 12, 0.5),
            (7.0, 12, 1.498_307),
            (-3.5, 24, 0.903_824),
            (1.0, 1, 2.0),
        ] {
            let shifted = pitch_shift(&tone(0.02, 60_000), steps, of).unwrap();
            assert_eq!(shifted.len(), 60_000);
            let measured = frequency(&shifted) / 0.02;
            // One turn of three hundred.
            assert!(
                abs_diff_eq!(measured / factor, 1.0, epsilon = 4e-3),
                "{steps}: {measured}"
            );
            // Upwards it is slowed down first, which takes some of its level.
            let loudest = shifted[20_000..40_000].iter().fold(0f32, |m, s| m.max(*s));
            assert!((0.42..0.51).contains(&loudest), "{steps}: {loudest}");
        }
    }

    #[test]
    fn fractions_are_near() {
        assert_eq!(fraction(2.0), (2, 1));
        assert_eq!(fraction(0.0625), (1, 16));
        assert_eq!(fraction(1.0), (1, 1));
        for semitone in -24..=24 {
            let ratio = (f64::from(semitone) / 12.0).exp2();
            let (p, q) = fraction(ratio);
            let error = f64::from(p) / f64::from(q) / ratio - 1.0;
            assert!(error.abs() < 4e-7, "{semitone}: {p}/{q}, {error}");
        }
    }

    #[test]
    fn steps_that_are_none_are_refused() {
        for (steps, of) in [(49.0, 12), (1.0, 0), (0.0, 0), (f64::NAN, 12)] {
            let error = pitch_shift(&[0.0; 100], steps, of).unwrap_err();
            assert!(error.to_string().contains("octave"), "{error}");
        }
        assert_eq!(pitch_shift(&[0.5; 3], 0.0, 12).unwrap(), [0.5; 3]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn any_length_is_shifted(length in 0usize..5000, steps in -48f64..48.0) {
            let shifted = pitch_shift(&tone(0.01, length), steps, 12).unwrap();
            prop_assert_eq!(shifted.len(), length);
            prop_assert!(shifted.iter().all(|s| s.abs() < 5.0));
        }
    }
}
