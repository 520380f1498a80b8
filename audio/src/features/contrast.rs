//! Spectral contrast: by octave, how far the loudest lie above the quietest bins, in decibels.
//!
//! `librosa.feature.spectral_contrast` at its defaults (Jiang et al. 2002): bands up to 200 Hz, 400 Hz, …, 6400 Hz and
//! the rest; the mean of the top and of the bottom 2 % of each band's magnitudes, each in decibels against 1 and no
//! farther than 80 dB below the clip's largest. The quietest bins lie where a transform in f32 is mostly rounding.

use super::definition::{Definition, How};
use super::settings::FeatureSettings;
use super::sound::Sound;
use crate::error::{Error, Result};
use std::ops::Range;

pub(super) const CONTRAST: Definition = Definition {
    check: |settings| octaves(settings).map(|_| ()),
    bands: |_| BANDS,
    unit: "dB",
    how: How::Sound(contrast),
    ..Definition::FRAMES
};

const BANDS: usize = 7;
const LOWEST_HZ: f64 = 200.0;
const QUANTILE: f64 = 0.02;

/// One band: its bins, and how many of them count as top and as bottom.
type Octave = (Range<usize>, usize);

fn octaves(settings: &FeatureSettings) -> Result<Vec<Octave>> {
    let bins = settings.n_fft / 2 + 1;
    // As numpy's rfftfreq, so that a bin on the edge of two bands falls to the same one.
    let hz = 1.0 / (settings.n_fft as f64 * (1.0 / f64::from(settings.sample_rate)));
    let edge = |k: usize| match k {
        0 => 0.0,
        _ => LOWEST_HZ * 2f64.powi(k as i32 - 1),
    };
    let octave = |k: usize| -> Option<Octave> {
        let (low, high) = (edge(k), edge(k + 1));
        let first = (0..bins).find(|&bin| bin as f64 * hz >= low)?;
        let end = (first..bins).find(|&bin| bin as f64 * hz > high);
        let end = end.unwrap_or(bins);
        (end > first).then_some(())?;
        // The bin below a band belongs to it, the last one only where nothing follows.
        let first = first.saturating_sub(usize::from(k > 0));
        let (end, count) = match k == BANDS - 1 {
            true => (bins, bins - first),
            false => (end - 1, end - first),
        };
        let counted = (QUANTILE * count as f64).round_ties_even().max(1.0) as usize;
        (end >= first + counted).then_some((first..end, counted))
    };
    let nyquist = f64::from(settings.sample_rate) / 2.0;
    let all: Option<Vec<Octave>> = (0..BANDS).map(octave).collect();
    match all {
        Some(all) if edge(BANDS - 1) < nyquist => Ok(all),
        _ => Err(Error::Settings(format!(
            "spectral_contrast has octaves from 200 to 6400 Hz: sample_rate {} and n_fft {} leave one without bins",
            settings.sample_rate, settings.n_fft
        ))),
    }
}

fn contrast(sound: &Sound<'_>) -> Result<Vec<f32>> {
    let octaves = octaves(sound.settings)?;
    // Peaks, then valleys.
    let mut values = sound.per_exact_spectrum(2 * BANDS, |spectrum, out| {
        let (peaks, valleys) = out.split_at_mut(BANDS);
        for ((bins, counted), (peak, valley)) in octaves.iter().zip(peaks.iter_mut().zip(valleys)) {
            let mut band = spectrum[bins.clone()].to_vec();
            let mean = |values: &[f32]| values.iter().sum::<f32>() / *counted as f32;
            // The bottom and the top to the ends: their order there does not matter to a mean.
            let (length, least) = (band.len(), counted - 1);
            band.select_nth_unstable_by(least, f32::total_cmp);
            *valley = mean(&band[..*counted]);
            band.select_nth_unstable_by(length - counted, f32::total_cmp);
            *peak = mean(&band[length - counted..]);
        }
    });
    let half = values.len() / 2;
    let (peaks, valleys) = values.split_at_mut(half);
    decibels(peaks);
    decibels(valleys);
    for (peak, valley) in peaks.iter_mut().zip(valleys) {
        *peak -= *valley;
    }
    values.truncate(half);
    Ok(values)
}

/// `librosa.power_to_db` at its defaults.
fn decibels(values: &mut [f32]) {
    for value in values.iter_mut() {
        *value = 10.0 * value.max(1e-10).log10();
    }
    let floor = values.iter().copied().fold(f32::NEG_INFINITY, f32::max) - 80.0;
    for value in values {
        *value = value.max(floor);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octaves_cover_all_bins_and_impossible_ones_are_refused() {
        let of = |sample_rate, n_fft| {
            octaves(&FeatureSettings {
                sample_rate,
                n_fft,
                ..FeatureSettings::default()
            })
        };
        for (rate, n_fft) in [(22_050, 2048), (44_100, 4096), (16_000, 400), (22_050, 255)] {
            let all = of(rate, n_fft).unwrap();
            assert_eq!((all[0].0.start, all[6].0.end), (0, n_fft / 2 + 1));
            for pair in all.windows(2) {
                assert!(pair[1].0.start <= pair[0].0.end + 1 && pair[1].0.start > pair[0].0.start);
            }
        }
        for (rate, n_fft) in [(8000, 2048), (22_050, 32), (12_800, 1024)] {
            let error = of(rate, n_fft).unwrap_err().to_string();
            assert!(error.contains(&format!("n_fft {n_fft}")), "{error}");
        }
    }
}
