//! The spectra that the well-known pictures of GTZAN show, so that a network that learnt from them can hear.
//!
//! They are `scipy.signal.spectrogram` at its defaults: frames of `n_fft` samples that begin with the clip, each freed of
//! its mean, in a Tukey window whose cosine flanks are a quarter of it; power per Hz, doubled for all frequencies but the
//! lowest and the highest; its natural logarithm. Samples are 16-bit whole numbers, rounded to them here, since the noise
//! of that rounding is what the pictures show where music has nothing.
//!
//! Drawn 496 pixels wide, each pixel shows the last of the six spectra that fall on it (scipy's step is 224), not their
//! mean: so `hop` is best 1334 here, a 496th of 30 s. With that the numbers correlate with the pictures' 0.94 to 0.99.

use super::kind::{Axis, Definition, How};
use super::sound::Sound;
use crate::error::{Error, Result};
use kernels::Kernel;
use kernels::stft::{Spectrum, Stft};

pub(super) const GTZAN_PICTURE: Definition = Definition {
    check: |settings| match settings.n_fft >= 4 {
        true => Ok(()),
        false => Err(Error::Settings(format!(
            "n_fft {} is too short for a Tukey window, at least 4",
            settings.n_fft
        ))),
    },
    bands: |settings| settings.n_fft / 2 + 1,
    axis: Axis::Hertz,
    unit: "ln",
    frames: |settings, samples| samples.saturating_sub(settings.n_fft) / settings.hop.max(1) + 1,
    how: How::Sound(spectra),
};

/// A full scale of ±1 in steps of 16 bits.
const STEPS: f32 = 32_768.0;

/// Smaller powers count as this one: a tenth of what rounding to whole numbers leaves, 1/12 over 11 025 Hz.
const LEAST_POWER: f64 = 7.6e-7;

/// The share of a Tukey window that its two flanks take.
const FLANKS: f64 = 0.25;

fn spectra(sound: &Sound<'_>) -> Result<Vec<f32>> {
    let (n_fft, hop) = (sound.settings.n_fft, sound.settings.hop);
    let frames = (GTZAN_PICTURE.frames)(sound.settings, sound.samples.len());
    let mut framed = vec![0.0; frames * n_fft];
    for (t, frame) in framed.chunks_exact_mut(n_fft).enumerate() {
        let samples = sound.samples.get(t * hop..).unwrap_or_default();
        for (value, sample) in frame.iter_mut().zip(samples) {
            *value = (sample * STEPS).round();
        }
        let mean = frame.iter().map(|v| f64::from(*v)).sum::<f64>() / n_fft as f64;
        frame.iter_mut().for_each(|value| *value -= mean as f32);
    }
    let window = tukey(n_fft);
    let stft = Stft {
        clips: frames,
        samples: n_fft,
        n_fft,
        hop: n_fft,
        centre: false,
        spectrum: Spectrum::Power,
    };
    let bins = stft.bins();
    let mut powers = vec![0.0; frames * bins];
    stft.cpu(&[&framed, &window], &mut [&mut powers]);
    let energy: f64 = window.iter().map(|w| f64::from(*w).powi(2)).sum();
    let scale = 1.0 / (f64::from(sound.settings.sample_rate) * energy);
    let mut values = vec![0.0; bins * frames];
    for (t, powers) in powers.chunks_exact(bins).enumerate() {
        for (bin, power) in powers.iter().enumerate() {
            let outermost = bin == 0 || 2 * bin == n_fft;
            let density = f64::from(*power) * scale * if outermost { 1.0 } else { 2.0 };
            values[bin * frames + t] = density.max(LEAST_POWER).ln() as f32;
        }
    }
    Ok(values)
}

/// scipy's periodic Tukey window: flanks of a cosine, flat between them.
fn tukey(len: usize) -> Vec<f32> {
    let flank = FLANKS * len as f64 / 2.0;
    let value = |n: usize| {
        let from_end = (n as f64).min(len as f64 - n as f64);
        match from_end < flank {
            true => 0.5 - 0.5 * (std::f64::consts::PI * from_end / flank).cos(),
            false => 1.0,
        }
    };
    (0..len).map(|n| value(n) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Clip, FeatureSettings, Kind, extract};
    use kernels::Device;

    fn of(samples: Vec<f32>) -> crate::Features {
        let settings = FeatureSettings {
            kind: Kind::GtzanPicture,
            n_fft: 256,
            hop: 224,
            ..FeatureSettings::default()
        };
        let clip = Clip {
            samples,
            sample_rate: 22_050,
        };
        extract(&Device::cpu(), &settings, &clip).unwrap()
    }

    /// `np.log(scipy.signal.spectrogram((n * n * 7 + n * 13) % 2001 - 900.0, 22050)[2])` for `n = np.arange(1000)`.
    #[test]
    fn it_is_scipys_spectrogram() {
        let features = of((0..1000i32)
            .map(|n| ((n * n * 7 + n * 13) % 2001 - 900) as f32 / STEPS)
            .collect());
        assert_eq!((features.bands, features.frames), (129, 4));
        for (bin, frame, expected) in SCIPY {
            let value = f64::from(features.values[bin * 4 + frame]);
            assert!(
                (value - expected).abs() < 2e-3,
                "{bin} {frame}: {value}, {expected}"
            );
        }
    }

    const SCIPY: [(usize, usize, f64); 6] = [
        (0, 0, 2.355083),
        (1, 1, 5.284602),
        (4, 2, -0.284857),
        (5, 3, 3.352980),
        (60, 0, 2.221706),
        (128, 3, 3.000517),
    ];

    #[test]
    fn silence_and_a_single_sample_are_the_least_power() {
        for samples in [vec![0.0; 1000], vec![0.5], vec![1e-6; 300]] {
            let features = of(samples.clone());
            let least = LEAST_POWER.ln() as f32;
            let silent = features.values.iter().all(|value| *value == least);
            assert!(silent || samples.len() == 1);
            assert!(features.values.iter().all(|value| value.is_finite()));
        }
    }
}
