//! Constant-Q transform: a spectrum whose bins are a twelfth of an octave apart, as the notes are (Brown 1991).
//!
//! `librosa.cqt` at its defaults, magnitudes: each bin's filter is a complex wave under a Hann window whose length is
//! the same number of periods for all, so that low bins look at long stretches of sound. An octave's filters are applied
//! in the frequency domain (Schörkhuber and Klapuri 2010), without their faintest hundredth; for the next octave down the
//! sound is taken at half the rate, as long as `hop` can be halved.

use super::definition::{Definition, How};
use super::kind::Axis;
use super::overlap::under;
use super::settings::FeatureSettings;
use super::sound::{self, Sound};
use super::tuning;
use crate::error::{Error, Result};
use crate::resample::halve;
use kernels::Kernel;
use kernels::cpu::{Disjoint, for_ranges};
use kernels::stft::{Spectrum, Stft};
use std::borrow::Cow;
use std::f32::consts::SQRT_2;
use std::ops::Range;

pub(super) const CQT: Definition = Definition {
    check: |settings| Scale::NOTES.check(settings),
    bands: |_| Scale::NOTES.bins,
    frames: |settings, samples| frames(samples, settings.hop),
    axis: Axis::Number,
    unit: "",
    how: How::Sound(|sound| magnitudes(sound, &Scale::NOTES)),
};

/// C1 in Hz.
const C1: f64 = 32.703_195_662_574_83;

/// Of equal windows under a Hann window: how much wider a filter is than 1 / its length.
const BANDWIDTH: f64 = 1.500_183_105_468_75;

/// The share of a filter's magnitudes that is left out, the faintest first.
const FAINT: f64 = 0.01;

/// Frames worth handing to another thread, and transformed at once.
const FRAMES: usize = 32;

/// Which frequencies.
#[derive(Debug, Clone)]
pub(super) struct Scale {
    /// The lowest, in Hz.
    lowest: f64,
    pub(super) bins: usize,
    /// Bins in an octave.
    per_octave: usize,
}

impl Scale {
    /// Seven octaves of notes from C1 on: librosa's default.
    pub(super) const NOTES: Scale = Scale::octaves(12);

    /// Seven octaves from C1 on.
    pub(super) const fn octaves(per_octave: usize) -> Scale {
        Scale {
            lowest: C1,
            bins: 7 * per_octave,
            per_octave,
        }
    }

    /// The same, tuned as the sound is.
    pub(super) fn tuned(self, sound: &Sound<'_>) -> Scale {
        let settings = FeatureSettings {
            sample_rate: sound.settings.sample_rate,
            ..FeatureSettings::default()
        };
        let heard = Sound {
            settings: &settings,
            ..*sound
        };
        let tuning = tuning::estimate(&heard, Spectrum::Magnitude, self.per_octave);
        let lowest = self.lowest * (tuning / self.per_octave as f64).exp2();
        Scale { lowest, ..self }
    }

    fn hz(&self, bin: usize) -> f64 {
        self.lowest * (bin as f64 / self.per_octave as f64).exp2()
    }

    /// Periods under each filter.
    fn periods(&self) -> f64 {
        let square = (2.0 / self.per_octave as f64).exp2();
        (square + 1.0) / (square - 1.0)
    }

    /// The frequency at which the highest filter ends.
    fn cutoff(&self) -> f64 {
        self.hz(self.bins - 1) * (1.0 + 0.5 * BANDWIDTH / self.periods())
    }

    /// Refuses rates at which the highest filter does not fit.
    pub(super) fn check(&self, settings: &FeatureSettings) -> Result<()> {
        // Half a bin more, for the tuning.
        let (cutoff, rate) = (
            self.cutoff() * (0.5 / self.per_octave as f64).exp2(),
            settings.sample_rate,
        );
        if f64::from(rate) / 2.0 < cutoff {
            return Err(Error::Settings(format!(
                "{}: its filters go up to {cutoff:.0} Hz, beyond half of the sample rate {rate}",
                settings.kind
            )));
        }
        Ok(())
    }
}

pub(super) fn frames(samples: usize, hop: usize) -> usize {
    (samples / hop.max(1)).saturating_add(1)
}

/// `[bins, frames]`.
pub(super) fn magnitudes(sound: &Sound<'_>, scale: &Scale) -> Result<Vec<f32>> {
    let frames = frames(sound.samples.len(), sound.settings.hop);
    let size = sound::count(sound.settings.kind, scale.bins, frames)?;
    let (mut rate, mut hop) = (f64::from(sound.settings.sample_rate), sound.settings.hop);
    let octaves = scale.bins.div_ceil(scale.per_octave);
    let mut samples = Cow::Borrowed(sound.samples);
    // Where every octave would do with a lower rate, the first does too.
    let spare = (rate / 2.0 / scale.cutoff()).log2().ceil() as isize - 2;
    let halvings = spare.min(hop.trailing_zeros() as isize - octaves as isize + 1);
    for _ in 0..halvings {
        samples = slower(&samples).into();
        (rate, hop) = (rate / 2.0, hop / 2);
    }
    let first_rate = rate;

    let mut values = vec![0.0; size];
    for octave in 0..octaves {
        let end = scale.bins - octave * scale.per_octave;
        let bins = end.saturating_sub(scale.per_octave)..end;
        let filters = Filters::new(scale, bins.clone(), rate, first_rate)?;
        filters.apply(
            &samples,
            hop,
            frames,
            &mut values[bins.start * frames..end * frames],
        )?;
        if octave + 1 < octaves && hop.is_multiple_of(2) && scale.hz(bins.start - 1) <= rate / 5.0 {
            samples = slower(&samples).into();
            (rate, hop) = (rate / 2.0, hop / 2);
        }
    }
    Ok(values)
}

/// The sound at half the rate, of the same energy.
fn slower(samples: &[f32]) -> Vec<f32> {
    let mut slower = halve(samples);
    slower.iter_mut().for_each(|s| *s *= SQRT_2);
    slower
}

/// An octave's filters over the spectra of `n_fft` samples.
struct Filters {
    n_fft: usize,
    filters: Vec<Filter>,
}

struct Filter {
    /// The first frequency that it looks at.
    first: usize,
    /// Real and imaginary part for each frequency from there on.
    weights: Vec<[f32; 2]>,
    /// What its magnitudes are divided by.
    scale: f32,
}

impl Filters {
    fn new(scale: &Scale, bins: Range<usize>, rate: f64, first_rate: f64) -> Result<Self> {
        let length = |bin: usize, rate: f64| scale.periods() * rate / scale.hz(bin);
        let n_fft = length(bins.start, rate).log2().ceil().exp2() as usize;
        let whole = vec![1.0; n_fft];
        let transform = Stft {
            clips: 2,
            samples: n_fft,
            n_fft,
            hop: 1,
            centre: false,
            spectrum: Spectrum::Complex,
        };
        transform
            .check()
            .map_err(|e| Error::Settings(e.to_string()))?;
        let filter = |bin: usize| {
            let length_here = length(bin, rate);
            let wave = wave(length_here, scale.hz(bin) / rate, n_fft);
            let mut spectra = vec![0.0; 2 * 2 * transform.bins()];
            transform.cpu(&[&wave, &whole], &mut [&mut spectra]);
            let (re, im) = spectra.split_at(2 * transform.bins());
            // The transform of re + i·im.
            let turned = |(a, b): (&[f32], &[f32])| [a[0] - b[1], a[1] + b[0]];
            let spectrum: Vec<[f32; 2]> = re
                .chunks_exact(2)
                .zip(im.chunks_exact(2))
                .map(turned)
                .collect();
            let gain = length_here / n_fft as f64 * (first_rate / rate).sqrt();
            let (first, mut weights) = loud(&spectrum);
            for weight in weights.as_flattened_mut() {
                *weight = (f64::from(*weight) * gain) as f32;
            }
            Filter {
                first,
                weights,
                scale: length(bin, first_rate).sqrt() as f32,
            }
        };
        Ok(Filters {
            n_fft,
            filters: bins.map(filter).collect(),
        })
    }

    /// Magnitudes `[filters, frames]`.
    fn apply(&self, samples: &[f32], hop: usize, frames: usize, out: &mut [f32]) -> Result<()> {
        let stft = |count: usize| Stft {
            clips: 1,
            samples: (count - 1) * hop + self.n_fft,
            n_fft: self.n_fft,
            hop,
            centre: false,
            spectrum: Spectrum::Complex,
        };
        stft(FRAMES.min(frames))
            .check()
            .map_err(|e| Error::Settings(e.to_string()))?;
        let window = vec![1.0; self.n_fft];
        let out = Disjoint::new(out);
        for_ranges(frames, FRAMES, |range| {
            let stft = stft(range.len());
            let from = (range.start * hop) as isize - (self.n_fft / 2) as isize;
            let piece = under(samples, from, stft.samples);
            let mut spectra = vec![0.0; range.len() * 2 * stft.bins()];
            stft.cpu(&[&piece, &window], &mut [&mut spectra]);
            for (i, filter) in self.filters.iter().enumerate() {
                // SAFETY: every range of frames has places of its own.
                let out = unsafe { out.slice(i * frames + range.start..i * frames + range.end) };
                for (out, spectrum) in out.iter_mut().zip(spectra.chunks_exact(2 * stft.bins())) {
                    *out = filter.magnitude(&spectrum[2 * filter.first..]);
                }
            }
        });
        Ok(())
    }
}

impl Filter {
    fn magnitude(&self, spectrum: &[f32]) -> f32 {
        let [mut re, mut im] = [0.0f32; 2];
        for (w, z) in self.weights.iter().zip(spectrum.chunks_exact(2)) {
            re += w[0] * z[0] - w[1] * z[1];
            im += w[0] * z[1] + w[1] * z[0];
        }
        (re * re + im * im).sqrt() / self.scale
    }
}

/// A filter's real parts, then its imaginary ones, each in the middle of `n_fft` numbers: `length` samples of a wave of
/// `frequency` per sample, the magnitudes adding up to 1.
fn wave(length: f64, frequency: f64, n_fft: usize) -> Vec<f32> {
    let (from, to) = (
        (-length / 2.0).floor() as isize,
        (length / 2.0).floor() as isize,
    );
    let count = ((to - from) as usize).min(n_fft);
    let tau = std::f64::consts::TAU;
    let hann = |n: usize| 0.5 - 0.5 * (tau * n as f64 / count as f64).cos();
    let sum: f64 = (0..count).map(hann).sum();
    let mut wave = vec![0.0; 2 * n_fft];
    let start = (n_fft - count) / 2;
    for n in 0..count {
        let (sin, cos) = ((from + n as isize) as f64 * tau * frequency).sin_cos();
        wave[start + n] = (cos * hann(n) / sum) as f32;
        wave[n_fft + start + n] = (sin * hann(n) / sum) as f32;
    }
    wave
}

/// The spectrum from its first to its last value that is not faint; faint ones between are 0.
fn loud(spectrum: &[[f32; 2]]) -> (usize, Vec<[f32; 2]>) {
    let magnitude = |z: &[f32; 2]| z[0].hypot(z[1]);
    let mut sorted: Vec<f32> = spectrum.iter().map(magnitude).collect();
    sorted.sort_unstable_by(f32::total_cmp);
    let total: f64 = sorted.iter().map(|m| f64::from(*m)).sum();
    let mut sum = 0.0;
    let enough = |m: &&f32| {
        sum += f64::from(**m) / total;
        sum >= FAINT
    };
    let threshold = sorted.iter().find(enough).copied().unwrap_or(0.0);
    let is_loud = |z: &[f32; 2]| magnitude(z) >= threshold;
    let first = spectrum.iter().position(is_loud).unwrap_or(0);
    let end = spectrum
        .iter()
        .rposition(is_loud)
        .map_or(0, |last| last + 1);
    let kept = |z: &[f32; 2]| if is_loud(z) { *z } else { [0.0; 2] };
    (
        first,
        spectrum[first..end.max(first)].iter().map(kept).collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_falls_into_its_bin() {
        let settings = FeatureSettings::default();
        for (bin, hop) in [(21, 512), (45, 512), (80, 512), (45, 441)] {
            let hz = Scale::NOTES.hz(bin);
            let sample = |n: usize| (std::f64::consts::TAU * hz * n as f64 / 22_050.0).sin() as f32;
            let samples: Vec<f32> = (0..44_100).map(sample).collect();
            let settings = FeatureSettings {
                hop,
                ..settings.clone()
            };
            let sound = Sound {
                samples: &samples,
                settings: &settings,
            };
            let values = magnitudes(&sound, &Scale::NOTES).unwrap();
            let frames = frames(samples.len(), hop);
            let middle: Vec<f32> = (0..84).map(|b| values[b * frames + frames / 2]).collect();
            let loudest = (0..84)
                .max_by(|a, b| middle[*a].total_cmp(&middle[*b]))
                .unwrap();
            assert_eq!(loudest, bin, "hop {hop}");
            assert!(middle[bin] > 3.0 * middle[(bin + 2) % 84]);
        }
    }

    #[test]
    fn shortest_sounds_and_odd_hops_are_borne() {
        for (samples, hop) in [(1, 512), (3, 1 << 14), (700, 1), (5000, 4999)] {
            let settings = FeatureSettings {
                hop,
                ..FeatureSettings::default()
            };
            let samples = vec![0.5; samples];
            let sound = Sound {
                samples: &samples,
                settings: &settings,
            };
            let values = magnitudes(&sound, &Scale::NOTES).unwrap();
            assert_eq!(values.len(), 84 * frames(samples.len(), hop));
            assert!(values.iter().all(|v| v.is_finite()));
        }
    }

    #[test]
    fn too_low_and_too_high_rates_are_refused() {
        let low = FeatureSettings {
            sample_rate: 8000,
            ..FeatureSettings::default()
        };
        let error = Scale::NOTES.check(&low).unwrap_err().to_string();
        assert!(error.contains("half of the sample rate 8000"), "{error}");
        // With an odd hop nothing can be halved, and the longest filter does not fit a transform.
        let high = FeatureSettings {
            sample_rate: 1_000_000,
            hop: 441,
            ..FeatureSettings::default()
        };
        let sound = Sound {
            samples: &[0.0; 100],
            settings: &high,
        };
        let error = magnitudes(&sound, &Scale::NOTES).unwrap_err();
        assert!(matches!(error, Error::Settings(_)), "{error}");
    }

    #[test]
    fn more_magnitudes_than_fit_memory_are_refused() {
        let sound = Sound {
            samples: &vec![0.0; 1 << 23],
            settings: &FeatureSettings {
                kind: super::super::Kind::ChromaCqt,
                hop: 1,
                ..FeatureSettings::default()
            },
        };
        let error = magnitudes(&sound, &Scale::octaves(36)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "feature settings: chroma_cqt: 252×8388609 are more than 1073741824 values"
        );
    }
}
