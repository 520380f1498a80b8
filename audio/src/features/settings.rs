//! Settings of features: everything that changes a value.

use super::kind::Kind;
use super::preset::Preset;
use super::statistics::Statistic;
use kernels::power_to_db::{PowerToDb, Reference};
use serde::{Deserialize, Serialize};

/// Settings of features. [`Default`] is librosa's log-mel spectrogram.
///
/// Fields missing in a file take the preset's values: [`FeatureSettings::of`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Written")]
pub struct FeatureSettings {
    /// Kind of features.
    pub kind: Kind,
    /// Conventions to follow.
    pub preset: Preset,
    /// Sample rate in Hz; clips of other rates are resampled.
    pub sample_rate: u32,
    /// FFT length, in samples.
    pub n_fft: usize,
    /// Window length in samples, at most `n_fft`; if absent, `n_fft`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<usize>,
    /// Hop length, in samples.
    pub hop: usize,
    /// Number of mel bands.
    pub n_mels: usize,
    /// Number of cepstral coefficients.
    pub n_mfcc: usize,
    /// Cepstral liftering, `1 + L/2·sin(πn / L)`; 0 for none.
    pub lifter: usize,
    /// Lower edge of the lowest mel band, in Hz.
    pub fmin: f32,
    /// Upper edge of the highest mel band, in Hz; if absent, half the sample rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fmax: Option<f32>,
    /// Exponent of the magnitudes: 1 or 2.
    pub power: u32,
    /// Reference power of 0 dB; if absent, the clip's maximum; for MFCC 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<f32>,
    /// Lower bound of powers; smaller ones are raised to it.
    pub amin: f32,
    /// Range of decibels below the clip's loudest band; 0 for no limit.
    pub top_db: f32,
    /// Highest order of deltas over time, added as further bands: 0, 1 or 2.
    pub deltas: usize,
    /// Statistics over all frames, in place of the frames: one frame, with each statistic of all bands in turn.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub statistics: Vec<Statistic>,
}

/// [`FeatureSettings`] as in a file: any field may be missing.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Written {
    preset: Preset,
    kind: Option<Kind>,
    sample_rate: Option<u32>,
    n_fft: Option<usize>,
    window: Option<usize>,
    hop: Option<usize>,
    n_mels: Option<usize>,
    n_mfcc: Option<usize>,
    lifter: Option<usize>,
    fmin: Option<f32>,
    fmax: Option<f32>,
    power: Option<u32>,
    reference: Option<f32>,
    amin: Option<f32>,
    top_db: Option<f32>,
    deltas: Option<usize>,
    statistics: Option<Vec<Statistic>>,
}

impl From<Written> for FeatureSettings {
    fn from(written: Written) -> Self {
        let own = FeatureSettings::of(written.preset);
        FeatureSettings {
            preset: own.preset,
            kind: written.kind.unwrap_or(own.kind),
            sample_rate: written.sample_rate.unwrap_or(own.sample_rate),
            n_fft: written.n_fft.unwrap_or(own.n_fft),
            window: written.window.or(own.window),
            hop: written.hop.unwrap_or(own.hop),
            n_mels: written.n_mels.unwrap_or(own.n_mels),
            n_mfcc: written.n_mfcc.unwrap_or(own.n_mfcc),
            lifter: written.lifter.unwrap_or(own.lifter),
            fmin: written.fmin.unwrap_or(own.fmin),
            fmax: written.fmax.or(own.fmax),
            power: written.power.unwrap_or(own.power),
            reference: written.reference.or(own.reference),
            amin: written.amin.unwrap_or(own.amin),
            top_db: written.top_db.unwrap_or(own.top_db),
            deltas: written.deltas.unwrap_or(own.deltas),
            statistics: written.statistics.unwrap_or(own.statistics),
        }
    }
}

impl Default for FeatureSettings {
    fn default() -> Self {
        FeatureSettings {
            kind: Kind::LogMel,
            preset: Preset::Librosa,
            sample_rate: 22_050,
            n_fft: 2048,
            window: None,
            hop: 512,
            n_mels: 128,
            n_mfcc: 20,
            lifter: 0,
            fmin: 0.0,
            fmax: None,
            power: 2,
            reference: None,
            amin: 1e-10,
            top_db: 80.0,
            deltas: 0,
            statistics: Vec::new(),
        }
    }
}

impl FeatureSettings {
    /// Returns a preset's defaults.
    pub fn of(preset: Preset) -> Self {
        let librosa = FeatureSettings {
            preset,
            ..FeatureSettings::default()
        };
        match preset {
            Preset::Librosa => librosa,
            Preset::Torchaudio => FeatureSettings {
                sample_rate: 16_000,
                n_fft: 400,
                hop: 200,
                n_mfcc: 40,
                reference: Some(1.0),
                ..librosa
            },
            Preset::Htk => FeatureSettings {
                sample_rate: 16_000,
                n_fft: 512,
                window: Some(400),
                hop: 160,
                n_mels: 26,
                n_mfcc: 13,
                lifter: 22,
                power: 1,
                reference: Some(1.0),
                amin: 1.0,
                top_db: 0.0,
                ..librosa
            },
        }
    }

    /// Returns the settings for another kind, without deltas and statistics.
    pub(super) fn with(&self, kind: Kind) -> Self {
        FeatureSettings {
            kind,
            deltas: 0,
            statistics: Vec::new(),
            ..self.clone()
        }
    }

    /// Returns the upper edge of the highest mel band, in Hz.
    pub fn highest(&self) -> f32 {
        self.fmax.unwrap_or(self.sample_rate as f32 / 2.0)
    }

    pub(super) fn power_to_db(&self, len: usize) -> PowerToDb {
        let reference = match self.reference {
            Some(power) => Reference::Value(power),
            None if self.kind == Kind::LogMel => Reference::Max,
            None => Reference::Value(1.0),
        };
        let top_db = (self.top_db != 0.0).then_some(self.top_db);
        PowerToDb {
            clips: 1,
            len,
            reference,
            amin: self.amin,
            top_db,
        }
    }
}
