//! Kinds of features: their names and what each is. `registry.rs` has what computes them.

use super::names::by_name;
use crate::error::{Error, Result};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// `Variant = "name", "what it is";` becomes the variant, with its documentation, and its row.
macro_rules! kinds {
    ($($variant:ident = $name:literal, $about:literal;)*) => {
        /// Kind of features.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Kind {
            $(#[doc = $about] $variant,)*
        }

        const ROWS: &[(Kind, &str, &str)] = &[$((Kind::$variant, $name, $about),)*];

        impl Kind {
            /// Every kind.
            pub const ALL: [Kind; ROWS.len()] = [$(Kind::$variant,)*];
        }
    };
}

kinds! {
    Waveform = "waveform", "The samples themselves: one band, a frame for every sample.";
    Stft = "stft", "The power spectrum (the magnitude spectrum where `power` is 1), `n_fft / 2 + 1` bands.";
    Mel = "mel", "The mel spectrogram.";
    LogMel = "logmel", "The mel spectrogram in decibels.";
    Mfcc = "mfcc", "Mel-frequency cepstral coefficients: `n_mfcc` bands.";
    SpectralCentroid = "spectral_centroid", "The mean frequency of each spectrum, in Hz.";
    SpectralBandwidth = "spectral_bandwidth", "The width of each spectrum around its centroid, in Hz.";
    SpectralRolloff = "spectral_rolloff", "The frequency below which 85 % of each spectrum's energy lies, in Hz.";
    SpectralFlatness = "spectral_flatness", "Spectral flatness: 1 for white noise, near 0 for tones.";
    GtzanPicture = "gtzan_picture", "The pictures that circulate with GTZAN, drawn from any sound: 96 bands, 8.5 frames per second, independent of the other settings.";
    SpectralContrast = "spectral_contrast", "Spectral contrast: peaks above valleys in each of seven octaves, in dB.";
    PolyFeatures = "poly_features", "Coefficients of the line fitted to each spectrum.";
    Chroma = "chroma", "The power at each of twelve pitch classes, from C on; the largest is 1.";
    Rms = "rms", "Root mean square of each frame's samples.";
    ZeroCrossingRate = "zero_crossing_rate", "Share of each frame's samples at which the sign changes.";
    Gtzan = "gtzan", "GTZAN's table: one frame with 58 values of the whole clip, among them 20 MFCCs, independent of `n_mfcc`.";
    Harmonic = "harmonic", "Harmonic part of the signal (HPSS).";
    Percussive = "percussive", "Percussive part of the signal (HPSS).";
    OnsetStrength = "onset_strength", "Onset strength: the increase of each frame's level over the frame before.";
    Tempo = "tempo", "Beats per minute, of the whole clip.";
    Beats = "beats", "Beat positions: 1 in frames with a beat, else 0.";
    Cqt = "cqt", "The constant-Q transform: seven octaves of notes from C1 on.";
    ChromaCqt = "chroma_cqt", "The constant-Q magnitude of each of twelve pitch classes, from C on; the largest is 1.";
    ChromaCens = "chroma_cens", "Chroma in five steps of loudness, averaged over 41 frames.";
    Tonnetz = "tonnetz", "Chroma on the circles of fifths, minor and major thirds.";
    Yin = "yin", "The fundamental frequency of each frame, in Hz, between `fmin` (C2 where 0) and `fmax` (C7 where absent).";
    Pyaudio = "pyaudio", "pyAudioAnalysis's 34 short-term features and their deltas.";
    Fma = "fma", "The 518 columns of FMA's features.csv, for the whole clip; all settings but the sample rate are ignored.";
}

/// Meaning of the bands of a kind.
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

impl Kind {
    fn row(self) -> &'static (Kind, &'static str, &'static str) {
        &ROWS[self as usize]
    }

    /// Name in files and on the command line.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// Description in one sentence.
    pub fn about(self) -> &'static str {
        self.row().2
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
