//! From a clip to what the network sees: windows, features, frames, normalisation.
//!
//! A clip longer than the network's input is cut into windows of exactly
//! [`Input::seconds`], spread evenly from its first sample to its last; their
//! number is the clip's length in windows, rounded. A clip that is shorter is
//! taken whole. The features of each window are resized in time to
//! [`Input::frames`]. In training every window is an example of its own; an
//! answer for a clip is the mean over its windows.
//!
//! `table.rs` has what is different where the network sees a row of a table, and
//! [`crate::picture`] where it sees a picture.

mod table;

use audio::{Clip, FeatureSettings};
use kernels::Device;
use serde::{Deserialize, Serialize};

use crate::Error;

/// Everything between a clip and the network; part of a recipe and of a model file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Length of a window in seconds; where it is missing, a clip is one window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// How many seconds a picture of sound shows: with it, pictures are cut into windows of [`Input::seconds`] as sound is;
    /// without it, a picture is one window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture_seconds: Option<f64>,
    /// Frames of the network's input: its width.
    pub frames: usize,
    /// 1, or 3 for a network that wants colours: red, green and blue of a picture; what is grey, as sound is, three
    /// times.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub channels: usize,
    /// Columns of a table, by their names or patterns of names (`mfcc*`), where the network does not see all: of the
    /// table that `features` stands for (kinds `gtzan` and `fma`), or else of a ready table.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// How the numbers are brought to a common scale.
    #[serde(default)]
    pub normalise: Normalise,
    /// What is computed from the sound.
    pub features: FeatureSettings,
}

fn one() -> usize {
    1
}

fn is_one(channels: &usize) -> bool {
    *channels == 1
}

/// How features are brought to a common scale: by figures of the training part only, or each window by its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Normalise {
    /// Not at all.
    None,
    /// All numbers by one mean and one deviation.
    #[default]
    Global,
    /// Every frequency band by its own.
    Band,
    /// Every window by its own mean and deviation.
    Window,
}

/// Some windows of features: `values` has the shape `[windows, bands, frames]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Windows {
    /// How many windows of the clip.
    pub windows: usize,
    /// Frequency bands (or coefficients) of each; of several channels, those of the first, then those of the second.
    pub bands: usize,
    /// Frames of each.
    pub frames: usize,
    /// The numbers, row-major.
    pub values: Vec<f32>,
}

impl Windows {
    /// Numbers in one window.
    #[must_use]
    pub fn window_len(&self) -> usize {
        self.bands * self.frames
    }
}

impl Input {
    /// Checks the settings that this crate adds to those of the features.
    ///
    /// # Errors
    /// [`Error::Setting`] naming the first that makes no sense.
    pub fn check(&self) -> Result<(), Error> {
        self.features.check()?;
        if self.frames == 0 {
            return Err(Error::setting("input.frames", "0 frames; at least 1"));
        }
        if ![1, 3].contains(&self.channels) {
            let reason = format!("{}, neither 1 nor 3", self.channels);
            return Err(Error::setting("input.channels", reason));
        }
        if self.table() {
            self.check_table()?;
        }
        let lengths = [
            ("input.seconds", self.seconds),
            ("input.picture_seconds", self.picture_seconds),
        ];
        for (name, seconds) in lengths {
            if let Some(seconds) = seconds.filter(|s| !(s.is_finite() && *s > 0.0)) {
                return Err(Error::setting(name, format!("{seconds} is no length")));
            }
        }
        Ok(())
    }

    /// Bands of each channel: of a table, the columns that were chosen.
    #[must_use]
    pub fn bands(&self) -> usize {
        match self.chosen() {
            Some(names) => names.len(),
            None => self.features.bands(),
        }
    }

    /// Rows of a window: the bands of every channel.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.channels.saturating_mul(self.bands())
    }

    /// The network's input: channels, bands and frames.
    #[must_use]
    pub fn shape(&self) -> [usize; 3] {
        [self.channels, self.bands(), self.frames]
    }

    /// One channel of a window becomes as many as are asked for; more stay as they are.
    pub(crate) fn repeat_channels(&self, window: &mut Vec<f32>) {
        let own = window.len();
        while own > 0 && window.len() < self.rows().saturating_mul(self.frames) {
            window.extend_from_within(..own);
        }
    }

    /// The network's input for one clip: all its windows. `name` goes into errors.
    ///
    /// # Errors
    /// What the features refuse; [`Error::NotFinite`] for features that are no numbers.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn windows(&self, device: &Device, clip: &Clip, name: &str) -> Result<Windows, Error> {
        kernels::block_on(self.windows_async(device, clip, name))
    }

    /// [`Input::windows`] without blocking, as a browser needs it.
    ///
    /// # Errors
    /// As [`Input::windows`].
    pub async fn windows_async(
        &self,
        device: &Device,
        clip: &Clip,
        name: &str,
    ) -> Result<Windows, Error> {
        let named = |source| Error::Features {
            name: name.into(),
            source,
        };
        let mut all: Option<Windows> = None;
        for (from, to) in cuts(clip.samples.len(), self.window_samples(clip)) {
            let window = Clip {
                samples: clip.samples[from..to].to_vec(),
                sample_rate: clip.sample_rate,
            };
            let features = audio::extract_async(device, &self.features, &window).await;
            let features = features.map_err(named)?;
            let mut features = features.resize_frames(self.frames).map_err(named)?;
            self.choose_rows(&mut features, name)?;
            self.repeat_channels(&mut features.values);
            if features.values.iter().any(|value| !value.is_finite()) {
                return Err(Error::NotFinite {
                    what: format!("{name}: features"),
                });
            }
            match &mut all {
                Some(all) => {
                    all.windows += 1;
                    all.values.extend(features.values);
                }
                none => {
                    *none = Some(Windows {
                        windows: 1,
                        bands: self.rows(),
                        frames: features.frames,
                        values: features.values,
                    })
                }
            }
        }
        all.ok_or_else(|| named(audio::Error::NoSamples { name: name.into() }))
    }

    /// Samples in a window at the clip's own rate; the whole clip where windows are not asked for.
    fn window_samples(&self, clip: &Clip) -> usize {
        let wanted = self
            .seconds
            .map(|seconds| (seconds * f64::from(clip.sample_rate)).round());
        wanted.map_or(clip.samples.len(), |samples| samples.max(1.0) as usize)
    }
}

/// Start and end of every window.
pub(crate) fn cuts(samples: usize, window: usize) -> Vec<(usize, usize)> {
    if samples == 0 || window == 0 {
        return Vec::new();
    }
    if samples <= window {
        return vec![(0, samples)];
    }
    let spare = samples - window;
    let count = (samples + window / 2) / window;
    let start = |index: usize| {
        if count == 1 {
            spare / 2
        } else {
            (spare as f64 * index as f64 / (count - 1) as f64).round() as usize
        }
    };
    (0..count)
        .map(|index| (start(index), start(index) + window))
        .collect()
}

/// Mean and deviation by which features are normalised: one pair, or one per band, or each window's own; none at all
/// leaves the features as they are.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Normalisation {
    /// What is subtracted.
    pub mean: Vec<f32>,
    /// What is divided by; never 0.
    pub deviation: Vec<f32>,
    /// Whether every window is normalised by its own mean and deviation.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub window: bool,
}

/// A band whose numbers hardly differ is not blown up.
const SMALLEST_DEVIATION: f64 = 1e-5;

/// Fits a [`Normalisation`] to windows that come one after the other, in one pass and in f64.
#[derive(Debug, Clone)]
pub struct Fit {
    /// Count, mean and sum of squares by part (Chan's update keeps the digits that a plain sum of squares loses).
    sums: Vec<(f64, f64, f64)>,
    window: bool,
}

impl Fit {
    /// For windows of this many bands.
    #[must_use]
    pub fn new(kind: Normalise, bands: usize) -> Fit {
        let parts = match kind {
            Normalise::None | Normalise::Window => 0,
            Normalise::Global => 1,
            Normalise::Band => bands.max(1),
        };
        Fit {
            sums: vec![(0.0, 0.0, 0.0); parts],
            window: kind == Normalise::Window,
        }
    }

    /// Takes in one window, `[bands, frames]`.
    pub fn add(&mut self, window: &[f32]) {
        let rows = window.len().div_ceil(self.sums.len().max(1)).max(1);
        for (values, (n, m, s)) in window.chunks(rows).zip(&mut self.sums) {
            let count = values.len() as f64;
            let mean = values.iter().map(|&value| f64::from(value)).sum::<f64>() / count;
            let squares = values
                .iter()
                .map(|&value| (f64::from(value) - mean).powi(2));
            let (total, delta) = (*n + count, mean - *m);
            *s += squares.sum::<f64>() + delta * delta * *n * count / total;
            *m += delta * count / total;
            *n = total;
        }
    }

    /// The figures of all windows so far.
    #[must_use]
    pub fn finish(&self) -> Normalisation {
        let deviation =
            |&(n, _, s): &(f64, f64, f64)| (s / n.max(1.0)).sqrt().max(SMALLEST_DEVIATION) as f32;
        Normalisation {
            mean: self.sums.iter().map(|sum| sum.1 as f32).collect(),
            deviation: self.sums.iter().map(deviation).collect(),
            window: self.window,
        }
    }
}

impl Normalisation {
    /// Normalises one window, `[bands, frames]`, in place.
    pub fn apply(&self, window: &mut [f32]) {
        if self.window {
            let mut own = Fit::new(Normalise::Global, 1);
            own.add(window);
            own.finish().apply(window);
        }
        let rows = window.len().div_ceil(self.mean.len().max(1)).max(1);
        for (values, (mean, deviation)) in window
            .chunks_mut(rows)
            .zip(self.mean.iter().zip(&self.deviation))
        {
            for value in values {
                *value = (*value - mean) / deviation;
            }
        }
    }

    /// Whether these figures fit a network whose input has this many bands.
    ///
    /// # Errors
    /// [`Error::Setting`] when there are neither none, nor one, nor one per band,
    /// or when one is not finite or 0.
    pub fn check(&self, bands: usize) -> Result<(), Error> {
        let (means, deviations) = (self.mean.len(), self.deviation.len());
        if means != deviations || ![0, 1, bands].contains(&means) {
            let reason = format!("{means} means and {deviations} deviations for {bands} bands");
            return Err(Error::setting("normalisation", reason));
        }
        let sound = self.mean.iter().all(|mean| mean.is_finite())
            && self.deviation.iter().all(|deviation| deviation.is_normal());
        if sound {
            Ok(())
        } else {
            Err(Error::setting(
                "normalisation",
                "a figure is 0 or no number",
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// For windows of 4 bands.
    fn fit(kind: Normalise, windows: &[Vec<f32>]) -> Normalisation {
        let mut fit = Fit::new(kind, 4);
        windows.iter().for_each(|window| fit.add(window));
        fit.finish()
    }

    #[test]
    fn windows_of_known_lengths() {
        assert_eq!(cuts(0, 8), []);
        assert_eq!(cuts(5, 8), [(0, 5)]);
        assert_eq!(cuts(11, 8), [(1, 9)]);
        assert_eq!(cuts(20, 8), [(0, 8), (6, 14), (12, 20)]);
        assert_eq!(cuts(16, 8), [(0, 8), (8, 16)]);
    }

    #[test]
    fn normalised_numbers_have_mean_0_and_deviation_1() {
        let windows: Vec<Vec<f32>> = (0..5)
            .map(|w| {
                (0..12)
                    .map(|i| (i as f32) * 3.0 + w as f32 - 80.0)
                    .collect()
            })
            .collect();
        for kind in [Normalise::Global, Normalise::Band] {
            let fitted = fit(kind, &windows);
            fitted.check(4).unwrap();
            let mut rows = vec![Vec::new(); 4];
            for window in &windows {
                let mut window = window.clone();
                fitted.apply(&mut window);
                for (row, values) in window.chunks(3).enumerate() {
                    rows[row].extend_from_slice(values);
                }
            }
            let groups = if kind == Normalise::Band {
                rows
            } else {
                vec![rows.concat()]
            };
            for values in groups {
                let mean: f32 = values.iter().sum::<f32>() / values.len() as f32;
                let variance: f32 = values
                    .iter()
                    .map(|value| (value - mean).powi(2))
                    .sum::<f32>()
                    / values.len() as f32;
                assert!(
                    mean.abs() < 1e-4 && (variance - 1.0).abs() < 1e-3,
                    "{kind:?}: {mean} {variance}"
                );
            }
        }
        let mut untouched = windows[0].clone();
        fit(Normalise::None, &windows).apply(&mut untouched);
        assert_eq!(untouched, windows[0]);
    }

    #[test]
    fn every_window_by_its_own_figures() {
        let fitted = fit(Normalise::Window, &[]);
        let json = serde_json::to_value(&fitted).unwrap();
        assert_eq!(
            serde_json::from_value::<Normalisation>(json).unwrap(),
            fitted
        );
        fitted.check(4).unwrap();
        for scale in [1.0, 100.0] {
            let mut window: Vec<f32> = [-1.0, 1.0, 3.0, 5.0].map(|v| v * scale + 7.0).to_vec();
            fitted.apply(&mut window);
            for (value, expected) in window.iter().zip([-3.0f32, -1.0, 1.0, 3.0]) {
                assert!((value - expected / 5f32.sqrt()).abs() < 1e-6, "{window:?}");
            }
        }
        let mut silence = [3.0; 4];
        fitted.apply(&mut silence);
        assert_eq!(silence, [0.0; 4]);
    }

    #[test]
    fn silence_is_not_blown_up_and_wrong_figures_are_refused() {
        let silence = [-80.0f32; 12];
        let fitted = fit(Normalise::Band, &[silence.to_vec()]);
        let mut window = silence;
        fitted.apply(&mut window);
        assert!(window.iter().all(|value| *value == 0.0));
        assert!(fitted.check(5).is_err());
        assert!(
            Normalisation {
                mean: vec![0.0],
                deviation: vec![0.0],
                window: false,
            }
            .check(4)
            .is_err()
        );
        assert!(
            Normalisation {
                mean: vec![f32::NAN],
                deviation: vec![1.0],
                window: false,
            }
            .check(4)
            .is_err()
        );
    }

    proptest! {
        #[test]
        fn windows_lie_inside_and_reach_both_ends(samples in 1usize..5000, window in 1usize..1000) {
            let cuts = cuts(samples, window);
            for &(from, to) in &cuts {
                prop_assert!(from < to && to <= samples && to - from == window.min(samples));
            }
            if cuts.len() > 1 {
                prop_assert_eq!((cuts[0].0, cuts[cuts.len() - 1].1), (0, samples));
            }
        }
    }
}
