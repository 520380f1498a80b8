//! Definitions: all that is known of a kind, and what computes it.

use super::bank::FilterBank;
use super::kind::Axis;
use super::settings::FeatureSettings;
use super::sound::Sound;
use crate::error::{Error, Result};

/// How a kind is computed, and what is known before it is.
pub(super) struct Definition {
    /// Refuses settings that make no sense for this kind; what makes none for any is checked before.
    pub(super) check: fn(&FeatureSettings) -> Result<()>,
    /// Rows.
    pub(super) bands: fn(&FeatureSettings) -> usize,
    /// Columns, from the number of samples at the settings' rate.
    pub(super) frames: fn(&FeatureSettings, usize) -> usize,
    /// What the bands are, from the first to the last.
    pub(super) axis: Axis,
    /// The unit of the values.
    pub(super) unit: &'static str,
    /// What computes it.
    pub(super) how: How,
}

/// What computes a kind.
pub(super) enum How {
    /// Spectra through a bank of filters: on whatever device.
    Bank(Bank),
    /// Anything else, on the CPU: values `[bands, frames]`.
    Sound(fn(&Sound<'_>) -> Result<Vec<f32>>),
}

impl Definition {
    /// One value for every frame of the STFT, to be changed where a kind differs: `Definition { how, ..FRAMES }`.
    pub(super) const FRAMES: Definition = Definition {
        check: |_| Ok(()),
        bands: |_| 1,
        frames: |settings, samples| settings.stft(samples).frames(),
        axis: Axis::Number,
        unit: "",
        how: How::Sound(|sound| {
            let message = format!("{}: nothing computes it", sound.settings.kind);
            Err(Error::Settings(message))
        }),
    };
}

/// What becomes of spectra.
pub(super) struct Bank {
    pub(super) filters: fn(&FeatureSettings) -> FilterBank,
    pub(super) finish: Finish,
}

/// What becomes of the filtered bands, all frames at hand.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Finish {
    Bands,
    Decibels,
    Cepstrum,
}

impl Bank {
    pub(super) const MEL: Bank = Bank {
        filters: FilterBank::mel,
        finish: Finish::Bands,
    };
}
