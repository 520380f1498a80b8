//! Mel-frequency cepstral coefficients: the orthonormal DCT-II over a mel spectrogram's decibels.
//!
//! `librosa.feature.mfcc` and `torchaudio.transforms.MFCC`: decibels against 1, no farther than `top_db` below the
//! clip's loudest band. HTK's `MFCC_0`: natural logarithms, all coefficients scaled by `√(2 / n)`, `c0` the last.

use super::kind::{Axis, Definition, How};
use super::preset::Preset;
use super::settings::FeatureSettings;
use super::spectra::{Bank, Finish, MEL};
use crate::error::{Error, Result};
use kernels::Kernel;
use kernels::dct::Dct;

pub(super) const MFCC: Definition = Definition {
    check,
    bands: |settings| settings.n_mfcc,
    axis: Axis::Number,
    how: How::Bank(Bank {
        finish: Finish::Cepstrum,
        ..Bank::MEL
    }),
    ..MEL
};

fn check(settings: &FeatureSettings) -> Result<()> {
    (MEL.check)(settings)?;
    let (kept, bands) = (settings.n_mfcc, settings.n_mels);
    if kept == 0 || kept > bands {
        let message = format!("n_mfcc {kept} is not between 1 and n_mels {bands}");
        return Err(Error::Settings(message));
    }
    dct(settings, 1)
        .check()
        .map_err(|e| Error::Settings(e.to_string()))
}

/// The transform over the bands of this many frames.
pub(super) fn dct(settings: &FeatureSettings, frames: usize) -> Dct {
    Dct {
        outer: 1,
        n: settings.n_mels,
        inner: frames,
        kept: settings.n_mfcc,
        ortho: true,
    }
}

/// The lifter over `[n_mfcc, frames]`, and HTK's place and scale for `c0`.
pub(super) fn lift(settings: &FeatureSettings, values: &mut [f32], frames: usize) {
    let (htk, length) = (settings.preset == Preset::Htk, settings.lifter as f64);
    for (n, row) in values.chunks_exact_mut(frames.max(1)).enumerate() {
        let lift = |n: usize| 1.0 + length / 2.0 * (std::f64::consts::PI * n as f64 / length).sin();
        let factor = match (htk, settings.lifter) {
            (true, _) if n == 0 => std::f64::consts::SQRT_2,
            (_, 0) => 1.0,
            (true, _) => lift(n),
            // librosa counts from 1.
            (false, _) => lift(n + 1),
        };
        if factor != 1.0 {
            row.iter_mut().for_each(|value| *value *= factor as f32);
        }
    }
    if htk {
        values.rotate_left(frames);
    }
}
