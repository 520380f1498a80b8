//! Which features, exactly: everything that changes a number.

use super::kind::Kind;
use super::statistics::Statistic;
use crate::error::{Error, Result};
use crate::resample::MAX_RATE;
use kernels::Kernel;
use kernels::power_to_db::{PowerToDb, Reference};
use kernels::stft::{Spectrum, Stft};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Whose conventions are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// librosa from 0.10 on: centred frames with zeros beyond the ends, a periodic Hann window, Slaney's mel scale,
    /// filters of equal area, decibels by `power_to_db`.
    #[default]
    Librosa,
}

impl Preset {
    /// Every preset.
    pub const ALL: [Preset; 1] = [Preset::Librosa];

    /// The name in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Preset::Librosa => "librosa",
        }
    }
}

/// Display and parsing by name; an unknown name's error lists the known ones.
macro_rules! by_name {
    ($type:ident, $what:literal) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }

        impl FromStr for $type {
            type Err = Error;

            fn from_str(name: &str) -> Result<Self> {
                $type::ALL
                    .into_iter()
                    .find(|v| v.name() == name)
                    .ok_or_else(|| {
                        let known = $type::ALL.map($type::name).join(", ");
                        Error::Settings(format!(
                            concat!("unknown ", $what, " `{}`; there is: {}"),
                            name, known
                        ))
                    })
            }
        }
    };
}

pub(super) use by_name;

by_name!(Preset, "preset");

/// Which features, exactly. [`Default`] is librosa's log-mel spectrogram.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FeatureSettings {
    /// What is computed.
    pub kind: Kind,
    /// Whose conventions are followed.
    pub preset: Preset,
    /// Samples per second; clips of other rates are resampled.
    pub sample_rate: u32,
    /// Samples in a frame, and in its window.
    pub n_fft: usize,
    /// Samples from frame to frame.
    pub hop: usize,
    /// Mel bands.
    pub n_mels: usize,
    /// Cepstral coefficients.
    pub n_mfcc: usize,
    /// Where the lowest mel band begins, in Hz.
    pub fmin: f32,
    /// Where the highest mel band ends, in Hz; half of the sample rate where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fmax: Option<f32>,
    /// The exponent of the magnitudes: 1 or 2.
    pub power: u32,
    /// The power that counts as 0 dB; where absent the clip's loudest, for MFCC 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<f32>,
    /// Smaller powers count as this one.
    pub amin: f32,
    /// How far below the clip's loudest band the decibels may fall; 0 for no limit.
    pub top_db: f32,
    /// How many orders of slopes over time follow as further bands: 0, 1 or 2.
    pub deltas: usize,
    /// Figures over all frames, which take their place: one frame, each figure of all bands in turn.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub statistics: Vec<Statistic>,
}

impl Default for FeatureSettings {
    fn default() -> Self {
        FeatureSettings {
            kind: Kind::LogMel,
            preset: Preset::Librosa,
            sample_rate: 22_050,
            n_fft: 2048,
            hop: 512,
            n_mels: 128,
            n_mfcc: 20,
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
    /// Refuses what makes no sense.
    ///
    /// # Errors
    /// [`Error::Settings`] naming the setting and its value.
    pub fn check(&self) -> Result<()> {
        let refuse = |message: String| Err(Error::Settings(message));
        if !(1..=MAX_RATE).contains(&self.sample_rate) {
            return refuse(format!(
                "sample_rate {} is not between 1 and {MAX_RATE} Hz",
                self.sample_rate
            ));
        }
        if !(1..=2).contains(&self.power) {
            return refuse(format!("power {} is neither 1 nor 2", self.power));
        }
        if self.deltas > 2 {
            return refuse(format!("deltas {} is more than 2", self.deltas));
        }
        for (i, statistic) in self.statistics.iter().enumerate() {
            if self.statistics[..i].contains(statistic) {
                return refuse(format!("statistics name {statistic} twice"));
            }
        }
        (self.kind.definition().check)(self)?;
        // A clip of one sample is the shortest there is: what else is wrong does not depend on the clip.
        let kernels: [&dyn Kernel; 2] = [&self.stft(1), &self.power_to_db(1)];
        kernels
            .into_iter()
            .try_for_each(|kernel| kernel.check().map_err(|e| Error::Settings(e.to_string())))
    }

    /// Rows of the features.
    pub fn bands(&self) -> usize {
        let bands = (self.kind.definition().bands)(self);
        let times = (1 + self.deltas.min(2)) * self.statistics.len().max(1);
        bands.saturating_mul(times)
    }

    /// Columns of the features of a clip with this many samples at [`FeatureSettings::sample_rate`].
    pub fn frames(&self, samples: usize) -> usize {
        match self.statistics.is_empty() {
            true => self.raw_size(samples).1,
            false => 1,
        }
    }

    /// Rows and columns before slopes and statistics.
    pub(super) fn raw_size(&self, samples: usize) -> (usize, usize) {
        let definition = self.kind.definition();
        ((definition.bands)(self), (definition.frames)(self, samples))
    }

    /// The samples under some frames, with the zeros that stand before and after the clip.
    pub(super) fn piece(&self, samples: &[f32], start: usize, count: usize) -> Vec<f32> {
        let whole = self.stft(samples.len());
        let len = (count - 1) * whole.hop + whole.n_fft;
        let from = start * whole.hop;
        let before = whole.pad().saturating_sub(from).min(len);
        let inside = samples.get((from + before).saturating_sub(whole.pad())..);
        let inside = inside.unwrap_or_default();
        let mut piece = vec![0.0; before];
        piece.extend(&inside[..inside.len().min(len - before)]);
        piece.resize(len, 0.0);
        piece
    }

    /// Where the highest mel band ends, in Hz.
    pub fn highest(&self) -> f32 {
        self.fmax.unwrap_or(self.sample_rate as f32 / 2.0)
    }

    pub(super) fn stft(&self, samples: usize) -> Stft {
        let spectrum = if self.power == 1 {
            Spectrum::Magnitude
        } else {
            Spectrum::Power
        };
        Stft {
            clips: 1,
            samples,
            n_fft: self.n_fft,
            hop: self.hop,
            centre: true,
            spectrum,
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_absurd_settings_are_counted_too() {
        let frames = |n_fft, hop, samples| {
            let settings = FeatureSettings {
                n_fft,
                hop,
                ..FeatureSettings::default()
            };
            settings.frames(samples)
        };
        assert_eq!(frames(2048, 512, 22_050), 44);
        assert_eq!(frames(usize::MAX, 1, 1), 1);
        assert_eq!(frames(usize::MAX, 1, usize::MAX), 1);
        assert_eq!(frames(2, 1, usize::MAX), usize::MAX - 1);
        assert_eq!(frames(0, 0, usize::MAX), usize::MAX);
    }

    #[test]
    fn senseless_settings_are_named() {
        let check = |change: fn(&mut FeatureSettings)| {
            let mut settings = FeatureSettings::default();
            change(&mut settings);
            settings.check().unwrap_err().to_string()
        };
        for (message, expected) in [
            (check(|s| s.sample_rate = 0), "sample_rate 0"),
            (check(|s| s.n_fft = 1), "n_fft 1"),
            (
                check(|s| s.n_fft = usize::MAX),
                "n_fft 18446744073709551615",
            ),
            (check(|s| s.hop = 0), "hop 0"),
            (check(|s| s.n_mels = 0), "n_mels 0"),
            (check(|s| s.n_mels = 5000), "n_mels 5000"),
            (check(|s| s.fmin = -1.0), "fmin -1"),
            (check(|s| s.fmin = f32::NAN), "fmin NaN"),
            (check(|s| s.fmax = Some(20_000.0)), "fmax 20000"),
            (check(|s| s.power = 3), "power 3"),
            (check(|s| s.amin = 0.0), "amin 0"),
            (check(|s| s.reference = Some(-1.0)), "reference -1"),
            (check(|s| s.top_db = -80.0), "top_db -80"),
            (check(|s| s.deltas = 3), "deltas 3"),
        ] {
            assert!(
                message.starts_with("feature settings: ") && message.contains(expected),
                "{message}"
            );
        }
    }
}
