//! Presets: conventions of librosa, torchaudio and HTK.

use super::names::by_name;
use super::scale::{hz_to_mel, mel_to_hz};
use crate::error::{Error, Result};
use crate::resample::Filter;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Conventions to follow. Each preset has its own default settings ([`super::FeatureSettings::of`]).
///
/// | | `librosa` | `torchaudio` | `htk` |
/// | --- | --- | --- | --- |
/// | frames | centred, zeros beyond the ends | centred, the sound mirrored at its ends | within the sound, each by itself with pre-emphasis 0.97, full scale at 32768 |
/// | resampling | soxr's HQ | windowed sinc (`sinc_interp_hann`) | soxr's HQ |
/// | window | periodic Hann | periodic Hann | Hamming |
/// | mel scale | Slaney's | `2595·log10(1 + f / 700)` | the same |
/// | filters | triangles over Hz, of area 1 | triangles over Hz, of height 1 | triangles over mel, of height 1 |
/// | log-mel | decibels below the clip's loudest | decibels against 1 | natural logarithm, of at least 1 |
/// | MFCC | orthonormal DCT | orthonormal DCT | `√(2 / n)` DCT, liftered, `c0` last |
/// | slopes | lines and parabolas through 9 frames | lines through 5 frames | lines through 5 frames |
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// librosa from 0.10 on: `librosa.stft`, `feature.melspectrogram`, `power_to_db`, `feature.mfcc`.
    #[default]
    Librosa,
    /// `torchaudio.transforms`: `MelSpectrogram`, `AmplitudeToDB`, `MFCC`.
    Torchaudio,
    /// HTK's `HCopy` with `MFCC_0` (The HTK Book, chapter 5).
    Htk,
}

impl Preset {
    /// All presets.
    pub const ALL: [Preset; 3] = [Preset::Librosa, Preset::Torchaudio, Preset::Htk];

    /// Returns the name in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Preset::Librosa => "librosa",
            Preset::Torchaudio => "torchaudio",
            Preset::Htk => "htk",
        }
    }

    /// Returns the low-pass filter for resampling.
    pub fn resampling(self) -> Filter {
        match self {
            Preset::Torchaudio => Filter::Torchaudio,
            Preset::Librosa | Preset::Htk => Filter::Soxr,
        }
    }

    /// Converts Hz to mel, on this preset's scale.
    pub fn hz_to_mel(self, hz: f64) -> f64 {
        match self {
            Preset::Librosa => hz_to_mel(hz),
            _ => 2595.0 * (1.0 + hz / 700.0).log10(),
        }
    }

    /// Converts mel to Hz, on this preset's scale.
    pub fn mel_to_hz(self, mel: f64) -> f64 {
        match self {
            Preset::Librosa => mel_to_hz(mel),
            _ => 700.0 * (10f64.powf(mel / 2595.0) - 1.0),
        }
    }
}

by_name!(Preset, "preset");

#[cfg(test)]
mod tests {
    use super::*;
    use approx::{abs_diff_eq, assert_abs_diff_eq};

    #[test]
    fn both_mel_scales_turn_back() {
        for preset in Preset::ALL {
            for hz in [0.0, 60.0, 1000.0, 7600.0] {
                let back = preset.mel_to_hz(preset.hz_to_mel(hz));
                assert!(
                    abs_diff_eq!(back, hz, epsilon = 1e-8),
                    "{preset}: {hz} {back}"
                );
            }
        }
        assert_abs_diff_eq!(Preset::Htk.hz_to_mel(1000.0), 999.985, epsilon = 1e-2);
    }
}
