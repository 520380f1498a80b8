//! The registry of kinds: what is known of each is one line here, how it is computed one file.
//!
//! To add a kind, write a file with a [`Definition`] and add its line to the table below. Checks, sizes, the command
//! line's `--kind`, benches and the tests that walk every kind read the table.

use super::settings::{FeatureSettings, by_name};
use super::sound::Sound;
use super::{
    beats, chroma, contrast, gtzan, gtzan_picture, mfcc, spectra, spectral, time, waveform,
};
use super::{cqt, fma, harmony, hpss, onset, pyaudio, tempo, yin};
use crate::error::{Error, Result};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// `Variant = "name", DEFINITION, "what it is";` becomes the variant, with its documentation, and its row.
macro_rules! kinds {
    ($($variant:ident = $name:literal, $definition:expr, $about:literal;)*) => {
        /// What is computed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Kind {
            $(#[doc = $about] $variant,)*
        }

        const ROWS: &[(Kind, &str, &str, &Definition)] =
            &[$((Kind::$variant, $name, $about, &$definition),)*];

        impl Kind {
            /// Every kind.
            pub const ALL: [Kind; ROWS.len()] = [$(Kind::$variant,)*];
        }
    };
}

kinds! {
    Waveform = "waveform", waveform::WAVEFORM, "The samples themselves: one band, a frame for every sample.";
    Stft = "stft", spectra::STFT, "Spectra on the linear scale: `n_fft / 2 + 1` bands.";
    Mel = "mel", spectra::MEL, "The mel spectrogram.";
    LogMel = "logmel", spectra::LOGMEL, "The mel spectrogram in decibels.";
    Mfcc = "mfcc", mfcc::MFCC, "Mel-frequency cepstral coefficients: `n_mfcc` bands.";
    SpectralCentroid = "spectral_centroid", spectral::CENTROID, "The mean frequency of each spectrum, in Hz.";
    SpectralBandwidth = "spectral_bandwidth", spectral::BANDWIDTH, "The width of each spectrum around its centroid, in Hz.";
    SpectralRolloff = "spectral_rolloff", spectral::ROLLOFF, "The frequency below which 85 % of each spectrum lie, in Hz.";
    SpectralFlatness = "spectral_flatness", spectral::FLATNESS, "How like noise each spectrum is, from 0 to 1.";
    GtzanPicture = "gtzan_picture", gtzan_picture::GTZAN_PICTURE, "The pictures that are passed round with GTZAN, drawn from any sound: 96 bands, 8.5 frames a second, whatever the other settings say.";
    SpectralContrast = "spectral_contrast", contrast::CONTRAST, "How far each of seven octaves' peaks lie above its valleys, in dB.";
    PolyFeatures = "poly_features", spectral::POLY, "Slope and height of the line through each spectrum.";
    Chroma = "chroma", chroma::CHROMA, "The power at each of twelve pitch classes, from C on; the largest is 1.";
    Rms = "rms", time::RMS, "The root of the mean square of each frame's samples.";
    ZeroCrossingRate = "zero_crossing_rate", time::ZERO_CROSSING_RATE, "The share of each frame's samples at which the sign changes.";
    Gtzan = "gtzan", gtzan::GTZAN, "GTZAN's table: one frame, 58 figures of the whole clip, 20 MFCCs among them, whatever `n_mfcc` says.";
    Harmonic = "harmonic", hpss::HARMONIC, "What is held of the sound, sample for sample.";
    Percussive = "percussive", hpss::PERCUSSIVE, "What is struck of the sound, sample for sample.";
    OnsetStrength = "onset_strength", onset::ONSET, "How much louder each frame is than the one before.";
    Tempo = "tempo", tempo::TEMPO, "Beats per minute, of the whole clip.";
    Beats = "beats", beats::BEATS, "Where a listener would tap the foot: 1 in each frame with a beat, 0 elsewhere.";
    Cqt = "cqt", cqt::CQT, "The constant-Q transform: seven octaves of notes from C1 on.";
    ChromaCqt = "chroma_cqt", harmony::CHROMA_CQT, "The constant-Q magnitude of each of twelve pitch classes, from C on; the largest is 1.";
    ChromaCens = "chroma_cens", harmony::CHROMA_CENS, "Chroma in five steps of loudness, averaged over 41 frames.";
    Tonnetz = "tonnetz", harmony::TONNETZ, "Chroma on the circles of fifths, minor and major thirds.";
    Yin = "yin", yin::YIN, "The fundamental frequency of each frame, in Hz, between `fmin` (C2 where 0) and `fmax` (C7 where absent).";
    Pyaudio = "pyaudio", pyaudio::PYAUDIO, "pyAudioAnalysis's 34 short-term features and their deltas.";
    Fma = "fma", fma::FMA, "The 518 columns of FMA's features.csv, of the whole clip; of the settings only the sample rate counts.";
}

/// What the bands of a kind are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Axis {
    /// Frequencies from 0 to half of the sample rate, evenly spaced.
    Hertz,
    /// Frequencies evenly spaced on the preset's mel scale.
    Mel,
    /// Pitch classes from C on.
    PitchClass,
    /// Coefficients, octaves: bands that only have a number.
    Number,
    /// Columns of a table.
    Table,
}

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
    Bank(spectra::Bank),
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

impl Kind {
    fn row(self) -> &'static (Kind, &'static str, &'static str, &'static Definition) {
        &ROWS[self as usize]
    }

    /// The name in files and on the command line.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// What it is, in a sentence.
    pub fn about(self) -> &'static str {
        self.row().2
    }

    /// What its bands are.
    pub fn axis(self) -> Axis {
        self.definition().axis
    }

    /// The unit of its values; empty where they have none.
    pub fn unit(self) -> &'static str {
        self.definition().unit
    }

    pub(super) fn definition(self) -> &'static Definition {
        self.row().3
    }
}

by_name!(Kind, "kind");

impl Default for Kind {
    /// The mel spectrogram in decibels.
    fn default() -> Self {
        Kind::LogMel
    }
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        name.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_own_row_and_name() {
        for (i, kind) in Kind::ALL.into_iter().enumerate() {
            assert_eq!((kind.row().0, kind as usize), (kind, i));
            assert_eq!(kind.to_string().parse::<Kind>().unwrap(), kind);
            let json = serde_json::to_string(&kind).unwrap();
            assert_eq!(json, format!("\"{kind}\""));
            assert_eq!(serde_json::from_str::<Kind>(&json).unwrap(), kind);
        }
        let error = "mffc".parse::<Kind>().unwrap_err().to_string();
        assert!(
            error.starts_with(
                "feature settings: unknown kind `mffc`; there is: waveform, stft, mel"
            ),
            "{error}"
        );
    }
}
