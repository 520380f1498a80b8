//! pyAudioAnalysis's 34 short-term features and their deltas, as its version 0.3.14 computes them (Giannakopoulos 2015).
//!
//! | bands | hold |
//! | --- | --- |
//! | 0 to 7 | zero crossings, energy, entropy of energy, spectral centroid, spread, entropy, flux, rolloff |
//! | 8 to 20 | 13 cepstral coefficients |
//! | 21 to 33 | 12 chroma from A on, their standard deviation |
//! | 34 to 67 | the differences of all these from the frame before |
//!
//! Frames of `n_fft` samples, every `hop`, whole ones only and under no window, of the sound less its mean and divided by
//! its largest magnitude; everything in f64. Three oddities are kept, because tables made with it have them: the mel
//! filters take the `n_fft / 2` frequencies for twice as far apart as they are; of frequencies in the same semitone only
//! the last counts for chroma; and chroma divides by how many there are elsewhere.

use super::definition::{Definition, How};
use super::exact::ExactFft;
use super::settings::FeatureSettings;
use super::sound::Sound;
use crate::error::{Error, Result};
use kernels::cpu::{Disjoint, for_ranges};

pub(super) const PYAUDIO: Definition = Definition {
    check: |settings| Tables::new(settings).map(|_| ()),
    bands: |_| 2 * FEATURES,
    frames: |settings, samples| {
        let rest = samples.checked_sub(settings.n_fft);
        rest.map_or(0, |rest| (rest / settings.hop.max(1)).saturating_add(1))
    },
    how: How::Sound(features),
    ..Definition::FRAMES
};

const FEATURES: usize = 34;

/// Where in a frame's features the three groups begin that are more than one number.
const CEPSTRUM: usize = 8;
const CHROMA: usize = 21;

/// The share of the energy that lies below the rolloff.
const ROLLOFF: f64 = 0.9;

/// Parts of a frame, and of a spectrum, whose energies' entropy is taken.
const PARTS: usize = 10;

const EPSILON: f64 = f64::EPSILON;

/// Frames worth handing to another thread.
const FRAMES: usize = 32;

fn features(sound: &Sound<'_>) -> Result<Vec<f32>> {
    let tables = Tables::new(sound.settings)?;
    let FeatureSettings { n_fft, hop, .. } = *sound.settings;
    let frames = (PYAUDIO.frames)(sound.settings, sound.samples.len());
    if frames == 0 {
        return Err(Error::Settings(format!(
            "pyaudio: {} samples are shorter than a frame of {n_fft}",
            sound.samples.len()
        )));
    }
    let signal = scaled(sound.samples);
    let mut values = vec![0.0; 2 * FEATURES * frames];
    let shared = Disjoint::new(&mut values);
    for_ranges(frames, FRAMES, |range| {
        let frame = |t: usize| &signal[t * hop..][..n_fft];
        // From the frame before these on, for the differences; before the clip's first there is none.
        let start = range.start.saturating_sub(1);
        let mut last: Option<[f64; FEATURES]> = None;
        let mut spectrum_before = tables.spectrum(frame(start.saturating_sub(1)));
        for t in start..range.end {
            let spectrum = tables.spectrum(frame(t));
            let column = tables.features(frame(t), &spectrum, &spectrum_before);
            if t >= range.start {
                let delta = |i: usize| last.map_or(0.0, |last| column[i] - last[i]);
                let deltas = (0..FEATURES).map(delta);
                for (band, value) in column.into_iter().chain(deltas).enumerate() {
                    let at = band * frames + t;
                    // SAFETY: every frame's values have places of their own.
                    unsafe { shared.slice(at..at + 1) }.copy_from_slice(&[value as f32]);
                }
            }
            (last, spectrum_before) = (Some(column), spectrum);
        }
    });
    Ok(values)
}

/// Less its mean, and divided by its largest magnitude.
fn scaled(samples: &[f32]) -> Vec<f64> {
    let mean = samples.iter().map(|s| f64::from(*s)).sum::<f64>() / samples.len() as f64;
    let mut signal: Vec<f64> = samples.iter().map(|s| f64::from(*s) - mean).collect();
    let largest = signal.iter().fold(0.0, |m: f64, s| m.max(s.abs())) + 1e-10;
    signal.iter_mut().for_each(|s| *s /= largest);
    signal
}

/// What depends on the settings alone.
struct Tables {
    fft: ExactFft,
    /// Frequencies that are looked at.
    bins: usize,
    nyquist: f64,
    /// For each mel filter its first frequency and its weights.
    filters: Vec<(usize, Vec<f64>)>,
    /// For each pitch class the frequencies that count, and by how much.
    classes: [Vec<(usize, f64)>; 12],
}

impl Tables {
    fn new(settings: &FeatureSettings) -> Result<Self> {
        let (rate, bins) = (f64::from(settings.sample_rate), settings.n_fft / 2);
        let refuse = |what: &str| {
            Err(Error::Settings(format!(
                "pyaudio: {what} with n_fft {} at {rate} Hz",
                settings.n_fft
            )))
        };
        if !(PARTS..=1 << 15).contains(&bins) {
            return refuse("frames must have 20 to 65536 samples");
        }
        let Some(filters) = filters(rate, bins) else {
            return refuse("the mel filters do not fit");
        };
        let Some(classes) = classes(rate, bins) else {
            return refuse("there are fewer frequencies than semitones");
        };
        Ok(Tables {
            fft: ExactFft::new(settings.n_fft),
            bins,
            nyquist: rate / 2.0,
            filters,
            classes,
        })
    }

    /// Magnitudes, divided by their number.
    fn spectrum(&self, frame: &[f64]) -> Vec<f64> {
        let magnitudes = self.fft.magnitudes(|i| frame[i]).take(self.bins);
        magnitudes.map(|v| v / self.bins as f64).collect()
    }

    fn features(&self, frame: &[f64], spectrum: &[f64], last: &[f64]) -> [f64; FEATURES] {
        let mut features = [0.0; FEATURES];
        let (centroid, spread) = self.centroid(spectrum);
        features[0] = zero_crossings(frame);
        features[1] = energy(frame) / frame.len() as f64;
        features[2] = entropy(frame);
        features[3] = centroid;
        features[4] = spread;
        features[5] = entropy(spectrum);
        features[6] = flux(spectrum, last);
        features[7] = rolloff(spectrum);
        self.cepstrum(spectrum, &mut features[CEPSTRUM..CHROMA]);
        self.chroma(spectrum, &mut features[CHROMA..]);
        features
    }

    /// Mean and deviation of the frequency, as shares of half the sample rate.
    fn centroid(&self, spectrum: &[f64]) -> (f64, f64) {
        let largest = spectrum.iter().fold(0.0, |m: f64, v| m.max(*v));
        let scale = if largest == 0.0 { 0.0 } else { 1.0 / largest };
        let step = self.nyquist / self.bins as f64;
        let lines = || {
            spectrum
                .iter()
                .enumerate()
                .map(|(k, v)| ((k + 1) as f64 * step, v * scale))
        };
        let total = lines().map(|(_, v)| v).sum::<f64>() + EPSILON;
        let centroid = lines().map(|(hz, v)| hz * v).sum::<f64>() / total;
        let spread = lines()
            .map(|(hz, v)| (hz - centroid).powi(2) * v)
            .sum::<f64>()
            / total;
        (centroid / self.nyquist, spread.sqrt() / self.nyquist)
    }

    fn cepstrum(&self, spectrum: &[f64], out: &mut [f64]) {
        let band = |(first, weights): &(usize, Vec<f64>)| {
            let sum: f64 = weights
                .iter()
                .zip(&spectrum[*first..])
                .map(|(w, v)| w * v)
                .sum();
            (sum + EPSILON).log10()
        };
        let bands: Vec<f64> = self.filters.iter().map(band).collect();
        let n = bands.len() as f64;
        for (k, out) in out.iter_mut().enumerate() {
            let turn = std::f64::consts::PI * k as f64 / n;
            let sum: f64 = bands
                .iter()
                .enumerate()
                .map(|(i, v)| v * (turn * (i as f64 + 0.5)).cos())
                .sum();
            *out = sum * if k == 0 { 1.0 / n } else { 2.0 / n }.sqrt();
        }
    }

    fn chroma(&self, spectrum: &[f64], out: &mut [f64]) {
        let total = energy(spectrum);
        let scale = if total == 0.0 { 0.0 } else { 1.0 / total };
        for (out, class) in out.iter_mut().zip(&self.classes) {
            *out = class
                .iter()
                .map(|(k, w)| spectrum[*k] * spectrum[*k] * w)
                .sum::<f64>()
                * scale;
        }
        let mean = out[..12].iter().sum::<f64>() / 12.0;
        let variance = out[..12].iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 12.0;
        out[12] = variance.sqrt();
    }
}

fn energy(values: &[f64]) -> f64 {
    values.iter().map(|v| v * v).sum()
}

fn zero_crossings(frame: &[f64]) -> f64 {
    let sign = |v: f64| if v == 0.0 { 0.0 } else { v.signum() };
    let changes: f64 = frame
        .windows(2)
        .map(|pair| (sign(pair[1]) - sign(pair[0])).abs())
        .sum();
    changes / 2.0 / (frame.len() as f64 - 1.0)
}

/// How evenly the energy lies over [`PARTS`] equal parts.
fn entropy(values: &[f64]) -> f64 {
    let total = energy(values) + EPSILON;
    let parts = values.chunks_exact(values.len() / PARTS).take(PARTS);
    -parts
        .map(|part| energy(part) / total)
        .map(|share| share * (share + EPSILON).log2())
        .sum::<f64>()
}

/// How far the spectrum is from the last, each divided by its sum.
fn flux(spectrum: &[f64], last: &[f64]) -> f64 {
    let sum = |values: &[f64]| values.iter().map(|v| v + EPSILON).sum::<f64>();
    let (now, before) = (sum(spectrum), sum(last));
    spectrum
        .iter()
        .zip(last)
        .map(|(a, b)| (a / now - b / before).powi(2))
        .sum()
}

fn rolloff(spectrum: &[f64]) -> f64 {
    let threshold = ROLLOFF * energy(spectrum);
    let mut sum = EPSILON;
    let beyond = |v: &f64| {
        sum += v * v;
        sum > threshold
    };
    spectrum
        .iter()
        .position(beyond)
        .map_or(0.0, |k| k as f64 / spectrum.len() as f64)
}

/// 13 filters evenly spaced and 27 logarithmically; `None` where the highest ends beyond the last frequency.
fn filters(rate: f64, bins: usize) -> Option<Vec<(usize, Vec<f64>)>> {
    const LOWEST: f64 = 133.33;
    const STEP: f64 = 200.0 / 3.0;
    const RATIO: f64 = 1.071_170_3;
    const LINEAR: usize = 13;
    const ALL: usize = 40;
    let edge = |i: usize| match i {
        0..LINEAR => LOWEST + i as f64 * STEP,
        _ => (LOWEST + (LINEAR - 1) as f64 * STEP) * RATIO.powi((i - LINEAR + 1) as i32),
    };
    let place = |hz: f64| (hz * bins as f64 / rate).floor() as usize;
    let filter = |i: usize| {
        let [low, peak, high] = [edge(i), edge(i + 1), edge(i + 2)];
        let height = 2.0 / (high - low);
        let weight = |k: usize| {
            let hz = k as f64 / bins as f64 * rate;
            match k <= place(peak) {
                true => height / (peak - low) * (hz - low),
                false => height / (high - peak) * (high - hz),
            }
        };
        (
            place(low) + 1,
            (place(low) + 1..=place(high)).map(weight).collect(),
        )
    };
    (place(edge(ALL + 1)) < bins).then(|| (0..ALL).map(filter).collect())
}

/// `None` where the highest semitone's number is none of a frequency.
fn classes(rate: f64, bins: usize) -> Option<[Vec<(usize, f64)>; 12]> {
    const A0: f64 = 27.5;
    let semitone = |k: usize| {
        let hz = (k + 1) as f64 * rate / (2 * bins) as f64;
        (12.0 * (hz / A0).log2()).round_ties_even() as isize
    };
    let semitones: Vec<isize> = (0..bins).map(semitone).collect();
    // As numpy indexes: negative numbers count from the end.
    let wrapped = |semitone: isize| {
        let place = if semitone < 0 {
            semitone + bins as isize
        } else {
            semitone
        };
        usize::try_from(place).ok().filter(|place| *place < bins)
    };
    let mut last = vec![None; bins];
    for (k, semitone) in semitones.iter().enumerate() {
        last[wrapped(*semitone)?] = Some(k);
    }
    let count = |k: usize| semitones.iter().filter(|s| **s == semitones[k]).count();
    let mut classes: [Vec<(usize, f64)>; 12] = Default::default();
    for (place, k) in last.iter().enumerate() {
        if let Some(k) = k {
            classes[place % 12].push((*k, 1.0 / count(wrapped(semitones[place])?) as f64));
        }
    }
    Some(classes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_do_not_depend_on_where_the_work_is_cut() {
        // More frames than one thread takes at once: the same as from a sound that begins elsewhere.
        let sample = |n: usize| (n as f32 * 0.05).sin() * (n as f32 * 0.0007).cos();
        let samples: Vec<f32> = (0..400 * 100 + 800).map(sample).collect();
        let settings = FeatureSettings {
            n_fft: 800,
            hop: 400,
            ..Default::default()
        };
        let tables = Tables::new(&settings).unwrap();
        let values = features(&Sound {
            samples: &samples,
            settings: &settings,
        })
        .unwrap();
        let signal = scaled(&samples);
        let spectra: Vec<_> = (0..101)
            .map(|t| tables.spectrum(&signal[t * 400..][..800]))
            .collect();
        let columns: Vec<_> = (0..101)
            .map(|t| {
                tables.features(
                    &signal[t * 400..][..800],
                    &spectra[t],
                    &spectra[t.max(1) - 1],
                )
            })
            .collect();
        for t in 0..101 {
            for band in 0..FEATURES {
                assert_eq!(values[band * 101 + t], columns[t][band] as f32);
                let delta = columns[t][band] - columns[t.max(1) - 1][band];
                assert_eq!(
                    values[(FEATURES + band) * 101 + t],
                    delta as f32,
                    "{band} at {t}"
                );
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_and_silence_is_borne() {
        for (n_fft, sample_rate, expected) in [
            (0, 22_050, "20 to 65536 samples"),
            (usize::MAX, 22_050, "20 to 65536 samples"),
            (1102, 6000, "the mel filters do not fit"),
            (200, 22_050, "fewer frequencies than semitones"),
        ] {
            let settings = FeatureSettings {
                n_fft,
                sample_rate,
                ..Default::default()
            };
            let error = (PYAUDIO.check)(&settings).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        let settings = FeatureSettings {
            n_fft: 1102,
            hop: 551,
            ..Default::default()
        };
        let short = features(&Sound {
            samples: &[0.0; 1101],
            settings: &settings,
        })
        .unwrap_err();
        assert!(
            short
                .to_string()
                .contains("1101 samples are shorter than a frame of 1102"),
            "{short}"
        );
        let silence = features(&Sound {
            samples: &[0.0; 3000],
            settings: &settings,
        })
        .unwrap();
        assert!(silence.iter().all(|v| v.is_finite()));
    }
}
