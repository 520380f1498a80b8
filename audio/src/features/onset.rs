//! Onset strength: increase of energy from frame to frame, as in `librosa.onset.onset_strength`.

use super::definition::{Definition, How};
use super::kind::{Axis, Kind};
use super::output::Features;
use super::settings::FeatureSettings;
use super::sound::Sound;
use super::spectra::MEL;
use super::statistics::median;
use crate::error::{Error, Result};

pub(super) const ONSET: Definition = Definition {
    bands: |_| 1,
    axis: Axis::Number,
    unit: "dB",
    how: How::Sound(|sound| of_sound(sound, Aggregate::Mean)),
    ..MEL
};

/// Aggregation of a frame's bands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Aggregate {
    /// Mean: librosa's default.
    #[default]
    Mean,
    /// Median, which a single loud band does not affect: used for beats and tempo.
    Median,
}

/// Returns the onset strength in each frame of a log-mel spectrogram (decibels with reference 1, `top_db` 80), with
/// frames of `n_fft` samples and a hop of `hop` samples.
///
/// Each band's rise since the frame before, falls counting as none, over all bands. A centred frame hears a sound
/// half a
/// window before its middle; the strengths are shifted by so many frames, and the first ones are 0.
///
/// # Errors
/// [`Error::Settings`] if the features are empty or do not match their shape, or `hop` is 0.
pub fn onset_strength(
    decibels: &Features,
    n_fft: usize,
    hop: usize,
    aggregate: Aggregate,
) -> Result<Vec<f32>> {
    let Features {
        bands,
        frames,
        values,
    } = decibels;
    let (bands, frames) = (*bands, *frames);
    if hop == 0 || values.is_empty() || bands.checked_mul(frames) != Some(values.len()) {
        return Err(Error::Settings(format!(
            "onset strength: {bands}×{frames} features ({} values) with hop {hop}",
            values.len()
        )));
    }
    let rises = match aggregate {
        Aggregate::Mean => means(values, bands, frames),
        Aggregate::Median => medians(values, bands, frames),
    };
    let delay = 1 + n_fft / hop / 2;
    let mut strengths = vec![0.0; frames];
    for (strength, rise) in strengths.iter_mut().skip(delay).zip(rises) {
        *strength = rise;
    }
    Ok(strengths)
}

/// Returns the onset strengths of a signal with its own settings.
pub(super) fn of_sound(sound: &Sound<'_>, aggregate: Aggregate) -> Result<Vec<f32>> {
    let settings = FeatureSettings {
        power: 2,
        reference: Some(1.0),
        ..sound.settings.with(Kind::LogMel)
    };
    let decibels = sound.features(&settings)?;
    onset_strength(&decibels, settings.n_fft, settings.hop, aggregate)
}

fn rise(pair: &[f32]) -> f32 {
    (pair[1] - pair[0]).max(0.0)
}

fn means(values: &[f32], bands: usize, frames: usize) -> Vec<f32> {
    let mut sums = vec![0.0; frames - 1];
    for row in values.chunks_exact(frames) {
        for (sum, pair) in sums.iter_mut().zip(row.windows(2)) {
            *sum += rise(pair);
        }
    }
    sums.iter().map(|sum| sum / bands as f32).collect()
}

fn medians(values: &[f32], bands: usize, frames: usize) -> Vec<f32> {
    let mut column = vec![0.0; bands];
    let median = |t: usize| {
        for (rises, row) in column.iter_mut().zip(values.chunks_exact(frames)) {
            *rises = rise(&row[t..t + 2]);
        }
        median(&mut column)
    };
    (0..frames - 1).map(median).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn features(bands: usize, values: &[f32]) -> Features {
        Features {
            bands,
            frames: values.len() / bands.max(1),
            values: values.to_vec(),
        }
    }

    #[test]
    fn rises_count_and_falls_do_not() {
        // One band falls where the other rises by 6, then both rise.
        let picture = features(2, &[0.0, 6.0, 7.0, 7.0, 5.0, 0.0, 3.0, 3.0]);
        let strength = |n_fft, aggregate| onset_strength(&picture, n_fft, 4, aggregate).unwrap();
        assert_eq!(strength(4, Aggregate::Mean), [0.0, 3.0, 2.0, 0.0]);
        assert_eq!(strength(8, Aggregate::Mean), [0.0, 0.0, 3.0, 2.0]);
        assert_eq!(strength(1000, Aggregate::Mean), [0.0; 4]);
        assert_eq!(strength(4, Aggregate::Median), [0.0, 3.0, 2.0, 0.0]);
        assert_eq!(
            onset_strength(
                &features(3, &[0.0, 1.0, 0.0, 9.0, 0.0, 2.0]),
                2,
                2,
                Aggregate::Median
            )
            .unwrap(),
            [0.0, 2.0]
        );
        assert_eq!(
            onset_strength(&features(1, &[5.0]), 2, 2, Aggregate::Median).unwrap(),
            [0.0]
        );
    }

    #[test]
    fn broken_features_are_refused() {
        let broken = Features {
            bands: 2,
            frames: 2,
            values: vec![0.0; 3],
        };
        for (picture, hop) in [
            (broken, 1),
            (features(1, &[1.0]), 0),
            (Features::default(), 1),
        ] {
            let error = onset_strength(&picture, 2048, hop, Aggregate::Mean).unwrap_err();
            assert!(error.to_string().contains("onset strength: "), "{error}");
        }
    }
}
