//! Checks of settings; sizes and names of the features that they give.

use super::definition::How;
use super::kind::Axis;
use super::settings::FeatureSettings;
use crate::error::{Error, Result};
use crate::rate::MAX_RATE;
use kernels::Kernel;

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
        if self.n_fft < 2 {
            return refuse(format!("n_fft {} is less than 2", self.n_fft));
        }
        if !(1..=2).contains(&self.power) {
            return refuse(format!("power {} is neither 1 nor 2", self.power));
        }
        if self
            .window
            .is_some_and(|len| !(1..=self.n_fft).contains(&len))
        {
            let (len, n_fft) = (self.window_len(), self.n_fft);
            return refuse(format!("window {len} is not between 1 and n_fft {n_fft}"));
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

    /// Number of mel filters that lie between two frequencies of the spectrum: their bands are silent, whatever the
    /// sound.
    pub fn empty_filters(&self) -> usize {
        match &self.kind.definition().how {
            How::Bank(bank) => (bank.filters)(self).empty(),
            How::Sound(_) => 0,
        }
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

    /// What the rows are called: a table's columns by their names, others `mfcc_1`, `mfcc_2`, …; then `…_delta`,
    /// `…_delta2` and `…_mean` and so on, as far as there are slopes and statistics.
    pub fn names(&self) -> Vec<String> {
        let kind = self.kind.name();
        let numbered = || match (self.kind.definition().bands)(self) {
            1 => vec![kind.to_string()],
            bands => (1..=bands).map(|n| format!("{kind}_{n}")).collect(),
        };
        let mut names = self.kind.columns().unwrap_or_else(numbered);
        let slopes = ["", "_delta", "_delta2"];
        let with = |names: &[String], endings: &[String]| -> Vec<String> {
            let each = |ending| names.iter().map(move |name| format!("{name}{ending}"));
            endings.iter().flat_map(each).collect()
        };
        let slopes = slopes.map(String::from);
        names = with(&names, &slopes[..1 + self.deltas.min(2)]);
        let figures: Vec<String> = self.statistics.iter().map(|s| format!("_{s}")).collect();
        match figures.is_empty() {
            true => names,
            false => with(&names, &figures),
        }
    }

    /// Whether a clip is one row of figures, called as [`FeatureSettings::names`] says: a table's kind, or statistics.
    pub fn is_table(&self) -> bool {
        self.kind.axis() == Axis::Table || !self.statistics.is_empty()
    }

    /// Whether the features are bands over time and can be drawn: no table, no slopes, no statistics.
    pub fn is_picture(&self) -> bool {
        !self.is_table() && self.deltas == 0
    }

    /// Rows and columns before slopes and statistics.
    pub(super) fn raw_size(&self, samples: usize) -> (usize, usize) {
        let definition = self.kind.definition();
        ((definition.bands)(self), (definition.frames)(self, samples))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::{Kind, Preset, Statistic};

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
    fn every_row_has_a_name() {
        for kind in Kind::ALL {
            let mut settings = FeatureSettings {
                kind,
                n_fft: 512,
                ..FeatureSettings::default()
            };
            assert_eq!(settings.names().len(), settings.bands(), "{kind}");
            settings.deltas = 2;
            settings.statistics = vec![Statistic::Max, Statistic::Var];
            let names = settings.names();
            assert_eq!(names.len(), settings.bands(), "{kind}");
            assert!(settings.is_table() && settings.frames(100_000) == 1);
            assert!(names[names.len() - 1].ends_with("_delta2_var"), "{names:?}");
        }
    }

    #[test]
    fn what_a_file_leaves_out_is_the_presets() {
        let read = |text: &str| serde_json::from_str::<FeatureSettings>(text).unwrap();
        assert_eq!(read("{}"), FeatureSettings::default());
        let htk = read(r#"{"preset": "htk", "n_mels": 40}"#);
        assert_eq!((htk.window, htk.n_fft, htk.n_mels), (Some(400), 512, 40));
        for preset in Preset::ALL {
            let settings = FeatureSettings::of(preset);
            let text = serde_json::to_string(&settings).unwrap();
            assert_eq!(read(&text), settings);
        }
        assert!(serde_json::from_str::<FeatureSettings>(r#"{"n_mel": 1}"#).is_err());
    }

    #[test]
    fn empty_mel_filters_are_counted() {
        let count = |n_fft, n_mels, fmin| {
            let settings = FeatureSettings {
                n_fft,
                n_mels,
                fmin,
                ..FeatureSettings::default()
            };
            settings.empty_filters()
        };
        assert_eq!(count(2048, 128, 0.0), 0);
        // Rows of zeros in `librosa.filters.mel(sr=22050, n_fft=512, n_mels=256)`, and with `n_fft=256, fmin=100`.
        assert_eq!(count(512, 256, 0.0), 39);
        assert_eq!(count(256, 128, 100.0), 20);
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
            (check(|s| s.n_fft = 1), "n_fft 1 is less than 2"),
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
            (check(|s| s.window = Some(0)), "window 0"),
            (check(|s| s.window = Some(4096)), "window 4096"),
        ] {
            assert!(
                message.starts_with("feature settings: ") && message.contains(expected),
                "{message}"
            );
        }
    }
}
