//! Mel-frequency cepstral coefficients: the orthonormal DCT-II over a mel spectrogram's decibels.
//!
//! `librosa.feature.mfcc`: decibels against 1, no farther than `top_db` below the clip's loudest band.

use super::kind::{Definition, How};
use super::settings::FeatureSettings;
use super::spectra::{Bank, Finish, MEL};
use crate::error::{Error, Result};
use kernels::Kernel;
use kernels::dct::Dct;

pub(super) const MFCC: Definition = Definition {
    check,
    bands: |settings| settings.n_mfcc,
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
