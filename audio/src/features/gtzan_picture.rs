//! The pictures that are passed round with GTZAN, drawn from any sound, so that a network that learnt from them can hear.
//!
//! How they were drawn, found by comparing them with the sound they show (each step below made them more alike; the ten
//! tracks that were at hand correlate 0.95 to 0.99):
//!
//! 1. `scipy.signal.spectrogram` at its defaults: frames of 256 samples, each freed of its mean, in a Tukey window whose
//!    cosine flanks are a quarter of it; power per Hz, doubled for all frequencies but the lowest and the highest; its
//!    natural logarithm. Samples are 16-bit whole numbers: what rounding to them leaves is what the pictures show where
//!    music has nothing.
//! 2. Drawn on 496 × 369 pixels for 30 s. Six spectra fall on a pixel, which shows one of them, not their mean; a spectrum's
//!    129 values are spread over the 369 by repetition.
//! 3. Shrunk to 256 × 192 by a box filter, as PIL has it: the mean of the pixels whose centres lie inside.
//!
//! Here two rows are taken together: 96 bands. `n_fft` and `hop` are those above, whatever the settings say.

use super::definition::{Definition, How};
use super::kind::Axis;
use super::sound::Sound;
use crate::error::{Error, Result};
use kernels::Kernel;
use kernels::stft::{Spectrum, Stft};

pub(super) const GTZAN_PICTURE: Definition = Definition {
    check: |settings| match settings.sample_rate {
        SAMPLE_RATE => Ok(()),
        other => Err(Error::Settings(format!(
            "sample_rate {other}: gtzan_picture is made of sound of {SAMPLE_RATE} Hz"
        ))),
    },
    bands: |_| BANDS,
    axis: Axis::Hertz,
    unit: "ln",
    frames: |_, samples| columns(pixels(samples)),
    how: How::Sound(picture),
};

const SAMPLE_RATE: u32 = 22_050;
const N_FFT: usize = 256;
const BINS: usize = N_FFT / 2 + 1;

/// Samples from pixel to pixel: a 496th of 30 s.
const STEP: usize = 1334;

/// Pixels and rows of a picture's height, before and after it is shrunk.
const HEIGHT: [usize; 2] = [369, 192];
const BANDS: usize = HEIGHT[1] / 2;

/// A full scale of ±1 in steps of 16 bits.
const STEPS: f32 = 32_768.0;

/// Smaller powers count as this one: a tenth of what rounding to whole numbers leaves, 1/12 over 11 025 Hz.
const LEAST_POWER: f64 = 7.6e-7;

/// The share of a Tukey window that its two flanks take.
const FLANKS: f64 = 0.25;

/// Pixels of this many samples' width.
fn pixels(samples: usize) -> usize {
    samples.saturating_sub(N_FFT) / STEP + 1
}

/// Columns of so many pixels, 256 of 496.
fn columns(pixels: usize) -> usize {
    (pixels as f64 * 256.0 / 496.0).round().max(1.0) as usize
}

fn picture(sound: &Sound<'_>) -> Result<Vec<f32>> {
    let pixels = pixels(sound.samples.len());
    let spectra = log_spectra(sound.samples, STEP, pixels);
    let bands = bands_of_bins();
    let spans: Vec<_> = (0..columns(pixels))
        .map(|column| shrunk(column, pixels, columns(pixels)))
        .collect();
    let mut values = Vec::with_capacity(bands.len() * spans.len());
    for weights in &bands {
        for &(from, to) in &spans {
            let spectra = spectra[from * BINS..to * BINS].chunks_exact(BINS);
            let sum: f32 = spectra
                .map(|spectrum| {
                    weights
                        .iter()
                        .map(|&(bin, weight)| weight * spectrum[bin])
                        .sum::<f32>()
                })
                .sum();
            values.push(sum / (to - from) as f32);
        }
    }
    Ok(values)
}

/// The first and past the last of `old` pixels whose mean is pixel `at` of `new`: those whose centres lie in its
/// stretch.
fn shrunk(at: usize, old: usize, new: usize) -> (usize, usize) {
    let scale = old as f64 / new as f64;
    let edge = |at: usize| ((at as f64 * scale + 0.5) as usize).min(old);
    let from = edge(at).min(old - 1);
    (from, edge(at + 1).max(from + 1))
}

/// For each band the bins of a spectrum that it is made of, with weights that sum up to 1.
fn bands_of_bins() -> Vec<Vec<(usize, f32)>> {
    let band = |band: usize| {
        let mut weights: Vec<(usize, f32)> = Vec::new();
        for row in [2 * band, 2 * band + 1] {
            let (from, to) = shrunk(row, HEIGHT[0], HEIGHT[1]);
            for pixel in from..to {
                let bin = (2 * pixel + 1) * BINS / (2 * HEIGHT[0]);
                weights.push((bin, 0.5 / (to - from) as f32));
            }
        }
        weights
    };
    (0..BANDS).map(band).collect()
}

/// The natural logarithm of scipy's spectrogram, a spectrum every `step` samples: `[frames, BINS]`.
fn log_spectra(samples: &[f32], step: usize, frames: usize) -> Vec<f32> {
    let mut framed = vec![0.0; frames * N_FFT];
    for (t, frame) in framed.chunks_exact_mut(N_FFT).enumerate() {
        let samples = samples.get(t * step..).unwrap_or_default();
        for (value, sample) in frame.iter_mut().zip(samples) {
            *value = (sample * STEPS).round();
        }
        let mean = frame.iter().map(|v| f64::from(*v)).sum::<f64>() / N_FFT as f64;
        frame.iter_mut().for_each(|value| *value -= mean as f32);
    }
    let window = tukey(N_FFT);
    let stft = Stft {
        clips: frames,
        samples: N_FFT,
        n_fft: N_FFT,
        hop: N_FFT,
        centre: false,
        spectrum: Spectrum::Power,
    };
    // The kernel lays out a clip's bins one after the other: with one frame a clip, a spectrum.
    let mut values = vec![0.0; frames * BINS];
    stft.cpu(&[&framed, &window], &mut [&mut values]);
    let energy: f64 = window.iter().map(|w| f64::from(*w).powi(2)).sum();
    let scale = 1.0 / (f64::from(SAMPLE_RATE) * energy);
    for spectrum in values.chunks_exact_mut(BINS) {
        for (bin, value) in spectrum.iter_mut().enumerate() {
            let sides = if bin == 0 || bin == BINS - 1 {
                1.0
            } else {
                2.0
            };
            *value = (f64::from(*value) * scale * sides).max(LEAST_POWER).ln() as f32;
        }
    }
    values
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
    use approx::abs_diff_eq;
    use kernels::Device;

    fn of(samples: Vec<f32>) -> crate::Features {
        let settings = FeatureSettings {
            kind: Kind::GtzanPicture,
            ..FeatureSettings::default()
        };
        let clip = Clip {
            samples,
            sample_rate: SAMPLE_RATE,
        };
        extract(&Device::cpu(), &settings, &clip).unwrap()
    }

    /// `np.log(scipy.signal.spectrogram((n * n * 7 + n * 13) % 2001 - 900.0, 22050)[2])` for `n = np.arange(1000)`.
    #[test]
    fn its_spectra_are_scipys() {
        let samples: Vec<f32> = (0..1000i32)
            .map(|n| ((n * n * 7 + n * 13) % 2001 - 900) as f32 / STEPS)
            .collect();
        let spectra = log_spectra(&samples, 224, 4);
        for (bin, frame, expected) in SCIPY {
            let value = f64::from(spectra[frame * BINS + bin]);
            assert!(
                abs_diff_eq!(value, expected, epsilon = 1e-3),
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
    fn thirty_seconds_are_a_picture_and_a_window_a_quarter_of_it() {
        let definition = &GTZAN_PICTURE;
        let settings = FeatureSettings::default();
        for (samples, frames) in [(661_500, 256), (165_375, 64), (1, 1), (0, 1)] {
            assert_eq!((definition.frames)(&settings, samples), frames);
        }
    }

    /// `Image.fromarray(a).resize((n, 1), Image.Resampling.BOX)` of 31 to 16 pixels takes these together.
    #[test]
    fn shrinking_is_pils() {
        let spans: Vec<_> = (0..16).map(|at| shrunk(at, 31, 16)).collect();
        assert_eq!(spans, PIL);
        for bands in bands_of_bins() {
            let sum: f32 = bands.iter().map(|part| part.1).sum();
            assert!((sum - 1.0).abs() < 1e-6 && bands.iter().all(|part| part.0 < BINS));
        }
    }

    const PIL: [(usize, usize); 16] = [
        (0, 2),
        (2, 4),
        (4, 6),
        (6, 8),
        (8, 10),
        (10, 12),
        (12, 14),
        (14, 16),
        (16, 17),
        (17, 19),
        (19, 21),
        (21, 23),
        (23, 25),
        (25, 27),
        (27, 29),
        (29, 31),
    ];

    #[test]
    fn silence_and_a_single_sample_are_the_least_power() {
        for samples in [vec![0.0; 1000], vec![0.5], vec![1e-6; 3000]] {
            let features = of(samples.clone());
            let least = LEAST_POWER.ln() as f32;
            let silent = features
                .values
                .iter()
                .all(|value| (value - least).abs() < 1e-4);
            assert!(silent || samples.len() == 1);
            assert!(features.values.iter().all(|value| value.is_finite()));
        }
    }
}
