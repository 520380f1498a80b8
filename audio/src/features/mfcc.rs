//! Mel-frequency cepstral coefficients: the orthonormal DCT-II over a mel spectrogram's decibels.
//!
//! `librosa.feature.mfcc` and `torchaudio.transforms.MFCC`: decibels against 1, no farther than `top_db` below the
//! clip's loudest band. HTK's `MFCC_0`: natural logarithms, all coefficients scaled by `√(2 / n)`, `c0` the last.

use super::cepstrum::dct;
use super::definition::{Bank, Definition, Finish, How};
use super::kind::Axis;
use super::settings::FeatureSettings;
use super::spectra::MEL;
use crate::error::{Error, Result};
use kernels::Kernel;

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
