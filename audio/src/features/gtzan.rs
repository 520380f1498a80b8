//! The table that is known as GTZAN's `features_30_sec.csv`: a clip as one row of 58 figures, in the order of
//! [`Kind::columns`].
//!
//! Mean and variance of librosa's features over all frames (of chroma over all classes too), of the harmonic and the
//! percussive part's samples, and the tempo. `length` counts samples.

use super::beats::beat_track;
use super::definition::{Definition, How};
use super::hpss::hpss;
use super::kind::{Axis, Kind};
use super::onset::{Aggregate, of_sound};
use super::settings::FeatureSettings;
use super::sound::Sound;
use super::statistics::Statistic;
use crate::error::{Error, Result};

pub(super) const GTZAN: Definition = Definition {
    check,
    bands: |_| 1 + 2 * (KINDS.len() + 2) + 1 + 2 * N_MFCC,
    frames: |_, _| 1,
    axis: Axis::Table,
    unit: "",
    how: How::Sound(row),
};

/// The kinds whose mean and variance come first.
const KINDS: [Kind; 6] = [
    Kind::Chroma,
    Kind::Rms,
    Kind::SpectralCentroid,
    Kind::SpectralBandwidth,
    Kind::SpectralRolloff,
    Kind::ZeroCrossingRate,
];

/// The table has so many cepstral coefficients, whatever the settings say.
const N_MFCC: usize = 20;

fn mfcc(settings: &FeatureSettings) -> FeatureSettings {
    FeatureSettings {
        n_mfcc: N_MFCC,
        ..settings.with(Kind::Mfcc)
    }
}

fn check(settings: &FeatureSettings) -> Result<()> {
    mfcc(settings).check()?;
    let (hop, n_fft) = (settings.hop, settings.n_fft);
    if hop > n_fft / 2 {
        let message = format!("gtzan: hop {hop} is more than half of n_fft {n_fft}");
        return Err(Error::Settings(message));
    }
    Ok(())
}

fn row(sound: &Sound<'_>) -> Result<Vec<f32>> {
    let settings = sound.settings;
    let pair = |values: &[f32]| [Statistic::Mean.of(values), Statistic::Var.of(values)];
    let mut row = vec![sound.samples.len() as f32];
    for kind in KINDS {
        row.extend(pair(&sound.features(&settings.with(kind))?.values));
    }
    let parts = hpss(sound.samples, settings.n_fft, settings.hop)?;
    row.extend(pair(&parts.harmonic));
    row.extend(pair(&parts.percussive));
    let strengths = of_sound(sound, Aggregate::Median)?;
    row.push(beat_track(&strengths, settings.sample_rate, settings.hop)?.tempo as f32);
    let mfcc = sound.features(&mfcc(settings))?;
    row.extend(mfcc.values.chunks_exact(mfcc.frames).flat_map(pair));
    Ok(row)
}
