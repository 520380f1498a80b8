//! The table `fma`: the 518 columns of FMA's `features.csv`, in the order of
//! [`Kind::columns`] (Defferrard et al. 2017).
//!
//! Eleven kinds, 74 bands in all, seven figures of each. As in the script that made the table, of the whole sound at its
//! own rate, frames of 2048 samples every 512; tonnetz of CENS; and chroma and the spectral kinds take the rate for
//! 22 050 Hz whatever it is, so that of sound at 44 100 Hz their frequencies come out halved. The table was made with
//! librosa 0.5, whose `rmse` was the root of a spectrum's mean power; here it still is. What else that version did
//! differently is as librosa does it now: zeros, not reflections, beyond the ends; tuning; filters.

use super::cqt::{self, Scale};
use super::definition::{Definition, How};
use super::harmony::{Chroma, Norm};
use super::kind::Axis;
use super::kind::Kind;
use super::settings::FeatureSettings;
use super::sound::Sound;
use super::statistics::Statistic;
use crate::error::Result;
use kernels::stft::Spectrum;

pub(super) const FMA: Definition = Definition {
    check,
    bands: |_| {
        PARTS
            .iter()
            .map(|(_, bands)| bands * STATISTICS.len())
            .sum()
    },
    frames: |_, _| 1,
    axis: Axis::Table,
    unit: "",
    how: How::Sound(table),
};

/// Every kind with its bands, in order: the table's first heading.
pub(super) const PARTS: [(&str, usize); 11] = [
    ("chroma_cens", 12),
    ("chroma_cqt", 12),
    ("chroma_stft", 12),
    ("mfcc", 20),
    ("rmse", 1),
    ("spectral_bandwidth", 1),
    ("spectral_centroid", 1),
    ("spectral_contrast", 7),
    ("spectral_rolloff", 1),
    ("tonnetz", 6),
    ("zcr", 1),
];

/// The figures of each: its second.
pub(super) const STATISTICS: [Statistic; 7] = [
    Statistic::Kurtosis,
    Statistic::Max,
    Statistic::Mean,
    Statistic::Median,
    Statistic::Min,
    Statistic::Skew,
    Statistic::Std,
];

/// The rate that FMA's script takes for granted.
const ASSUMED_RATE: u32 = 22_050;

fn settings(kind: Kind, sample_rate: u32) -> FeatureSettings {
    FeatureSettings {
        kind,
        sample_rate,
        reference: Some(1.0),
        ..FeatureSettings::default()
    }
}

fn check(given: &FeatureSettings) -> Result<()> {
    settings(Kind::Mfcc, given.sample_rate).check()?;
    Scale::NOTES.check(given)
}

fn table(sound: &Sound<'_>) -> Result<Vec<f32>> {
    let rate = sound.settings.sample_rate;
    let own = settings(Kind::Mfcc, rate);
    let heard = Sound {
        settings: &own,
        ..*sound
    };
    let frames = cqt::frames(sound.samples.len(), own.hop);
    let notes = cqt::magnitudes(&heard, &Scale::NOTES.tuned(&heard))?;
    let chroma = Chroma::of(&notes, 12, frames);
    let cens = chroma.cens();
    let at = |kind: Kind, rate: u32| -> Result<Vec<f32>> {
        Ok(sound.features(&settings(kind, rate))?.values)
    };
    let power = |spectrum: &[f32]| {
        let sum: f64 = spectrum.iter().map(|p| f64::from(*p)).sum();
        (sum / spectrum.len() as f64).sqrt()
    };
    let parts = [
        cens.clone(),
        chroma.scaled(Norm::Largest),
        at(Kind::Chroma, ASSUMED_RATE)?,
        at(Kind::Mfcc, rate)?,
        heard.one_per_spectrum(Spectrum::Power, power),
        at(Kind::SpectralBandwidth, ASSUMED_RATE)?,
        at(Kind::SpectralCentroid, ASSUMED_RATE)?,
        at(Kind::SpectralContrast, ASSUMED_RATE)?,
        at(Kind::SpectralRolloff, ASSUMED_RATE)?,
        Chroma {
            values: cens,
            frames,
        }
        .tonnetz(),
        at(Kind::ZeroCrossingRate, rate)?,
    ];
    let mut row = Vec::with_capacity(518);
    for ((_, bands), values) in PARTS.iter().zip(&parts) {
        for statistic in STATISTICS {
            row.extend(
                values
                    .chunks_exact(values.len() / bands)
                    .map(|band| statistic.of(band)),
            );
        }
    }
    Ok(row)
}
