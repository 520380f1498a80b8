//! Kinds that come of the samples under a frame, with no spectrum: after librosa.
//!
//! | kind | `librosa.feature.…` |
//! | --- | --- |
//! | `rms` | root of the mean square over `n_fft` samples; beyond the ends stand zeros |
//! | `zero_crossing_rate` | the share of a frame's samples whose sign is not their predecessor's; beyond the ends stands the outermost sample, and what is within ±1e-10 is positive |

use super::definition::{Definition, How};
use super::sound::Sound;
use std::ops::Range;

pub(super) const RMS: Definition = Definition {
    how: How::Sound(|sound| {
        let n = sound.settings.n_fft as f64;
        let square = |s: &f32| f64::from(*s) * f64::from(*s);
        Ok(per_frame(sound, |under| {
            let sum: f64 = sound.samples[under].iter().map(square).sum();
            (sum / n).sqrt()
        }))
    }),
    ..Definition::FRAMES
};

pub(super) const ZERO_CROSSING_RATE: Definition = Definition {
    how: How::Sound(|sound| {
        let n = sound.settings.n_fft as f64;
        let negative = |s: f32| s < -1e-10;
        // How many of the samples up to this one differ from their predecessor.
        let mut count = 0u32;
        let mut last = negative(sound.samples[0]);
        let crossings: Vec<u32> = (sound.samples.iter())
            .map(|&s| {
                count += u32::from(negative(s) != last);
                last = negative(s);
                count
            })
            .collect();
        Ok(per_frame(sound, |under| {
            // The first sample of a frame is not compared.
            let crossed = crossings[under.end - 1] - crossings[under.start];
            f64::from(crossed) / n
        }))
    }),
    ..Definition::FRAMES
};

/// `of` the samples that lie under each frame: at least one.
fn per_frame(sound: &Sound<'_>, of: impl Fn(Range<usize>) -> f64) -> Vec<f32> {
    let samples = sound.samples.len();
    let stft = sound.settings.stft(samples);
    (0..stft.frames())
        .map(|t| {
            let (from, to) = (t * stft.hop, t * stft.hop + stft.n_fft);
            let start = from.saturating_sub(stft.pad()).min(samples - 1);
            let end = to.saturating_sub(stft.pad()).clamp(start + 1, samples);
            of(start..end) as f32
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::FeatureSettings;
    use approx::abs_diff_eq;

    #[test]
    fn a_square_wave_has_its_level_and_its_crossings() {
        let settings = FeatureSettings {
            n_fft: 64,
            hop: 16,
            ..FeatureSettings::default()
        };
        // Eight samples up, eight down.
        let samples: Vec<f32> = (0..256)
            .map(|i| if i / 8 % 2 == 0 { 0.5 } else { -0.5 })
            .collect();
        let sound = Sound {
            samples: &samples,
            settings: &settings,
        };
        let compute = |definition: &Definition| match definition.how {
            How::Sound(compute) => compute(&sound).unwrap(),
            How::Bank(_) => unreachable!(),
        };
        let (rms, crossings) = (compute(&RMS), compute(&ZERO_CROSSING_RATE));
        assert_eq!((rms.len(), crossings.len()), (17, 17));
        assert_eq!(rms[8], 0.5);
        assert!(
            abs_diff_eq!(rms[0], 0.5 / 2f32.sqrt(), epsilon = 1e-6),
            "half of it is zeros"
        );
        // 64 samples from a multiple of 16 on: the crossing at the very first is not seen.
        assert_eq!(crossings[8], 7.0 / 64.0);
    }
}
