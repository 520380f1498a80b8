//! From a clip to the network's input: windows, features, frames, normalisation.
//!
//! A clip longer than the network's input is cut into windows of exactly
//! [`Input::seconds`], spread evenly from its first sample to its last; their
//! number is the clip's length in windows, rounded. A clip that is shorter is
//! taken whole. The features of each window are resized in time to
//! [`Input::frames`]. In training every window is an example of its own; an
//! answer for a clip is the mean over its windows.

use audio::{Clip, FeatureSettings};
use kernels::Device;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::input::Normalise;

/// Default batch size in windows, if memory allows.
pub(crate) const AT_ONCE: usize = 16;

/// Input settings: everything between a clip and the network; part of a recipe and of a model file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Length of a window in seconds; if missing, a clip is one window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// How many seconds a picture of sound shows: with it, pictures are cut into windows of [`Input::seconds`] as
    /// sound is;
    /// without it, a picture is one window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture_seconds: Option<f64>,
    /// Number of frames of the network's input: its width.
    pub frames: usize,
    /// Number of channels: 1, or 3 for red, green and blue of an image; audio and grey images are then repeated three
    /// times.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub channels: usize,
    /// Columns of a table, by their names or patterns of names (`mfcc*`), where the network does not see all: of the
    /// table that `features` stands for (kinds `gtzan` and `fma`), or else of a ready table.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// Normalisation of the values.
    #[serde(default)]
    pub normalise: Normalise,
    /// Settings of the features.
    pub features: FeatureSettings,
}

fn one() -> usize {
    1
}

fn is_one(channels: &usize) -> bool {
    *channels == 1
}

/// Windows of features: `values` has the shape `[windows, bands, frames]`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Windows {
    /// Number of windows.
    pub windows: usize,
    /// Number of bands (or coefficients) per window; with several channels, those of the first, then those of the
    /// second.
    pub bands: usize,
    /// Number of frames per window.
    pub frames: usize,
    /// Values, row-major.
    pub values: Vec<f32>,
}

impl Windows {
    /// Returns the number of values in one window.
    #[must_use]
    pub fn window_len(&self) -> usize {
        self.bands * self.frames
    }

    /// Puts windows of the same shape behind those that are there.
    pub(crate) fn append(&mut self, more: Windows) {
        match self.windows {
            0 => *self = more,
            _ => {
                self.windows += more.windows;
                self.values.extend(more.values);
            }
        }
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
        let (rate, hop) = (
            f64::from(self.features.sample_rate),
            self.features.hop as f64,
        );
        if let Some(seconds) = self.seconds.filter(|seconds| seconds * rate < hop) {
            let reason = format!("{seconds} is less than a frame ({hop} samples)");
            return Err(Error::setting("input.seconds", reason));
        }
        Ok(())
    }

    /// Bands of each channel: of a table, the columns that were chosen.
    #[must_use]
    pub fn bands(&self) -> usize {
        self.width().unwrap_or_else(|| self.features.bands())
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
        let (own, wanted) = (window.len(), self.rows().saturating_mul(self.frames));
        while own > 0 && window.len() < wanted {
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
        let mut all = Windows::default();
        let keep = async |windows| {
            all.append(windows);
            Ok(())
        };
        self.each_windows(device, clip, name, keep).await?;
        Ok(all)
    }

    /// Hands over the windows of a clip, [`AT_ONCE`] at most at a time.
    ///
    /// # Errors
    /// As [`Input::windows`]; whatever `heard` refuses.
    pub(crate) async fn each_windows(
        &self,
        device: &Device,
        clip: &Clip,
        name: &str,
        mut heard: impl AsyncFnMut(Windows) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let cuts = self.cuts(clip.samples.len(), clip.sample_rate);
        if cuts.is_empty() {
            return Err(Error::Features {
                name: name.into(),
                source: audio::Error::NoSamples { name: name.into() },
            });
        }
        for cuts in cuts.chunks(AT_ONCE) {
            let mut some = Windows::default();
            for &(from, to) in cuts {
                let window = Clip {
                    samples: clip.samples[from..to].to_vec(),
                    sample_rate: clip.sample_rate,
                };
                some.append(self.window(device, &window, name).await?);
            }
            heard(some).await?;
        }
        Ok(())
    }

    /// Samples of a window at the features' rate.
    ///
    /// # Errors
    /// [`Error::Setting`] where a clip is one window, however long.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn window_samples(&self) -> Result<usize, Error> {
        let samples = |seconds: f64| seconds * f64::from(self.features.sample_rate);
        match self.seconds {
            Some(seconds) => Ok(samples(seconds).round().max(1.0) as usize),
            None => Err(Error::setting(
                "training.extract",
                "on the device all windows are equally long: input.seconds says how long",
            )),
        }
    }

    /// The windows of a clip as sound at the features' rate, `[windows, 1, samples]`; a clip that is shorter than one
    /// is
    /// filled up with silence.
    ///
    /// # Errors
    /// [`Error::Features`] for sound that is none, or that cannot be resampled.
    #[cfg(feature = "report")]
    pub(crate) fn sound(&self, clip: &Clip, name: &str) -> Result<Windows, Error> {
        let named = |source| Error::Features {
            name: name.into(),
            source,
        };
        clip.check(name).map_err(named)?;
        let (samples, rate) = (self.window_samples()?, self.features.sample_rate);
        let mut all = Windows::default();
        for (from, to) in self.cuts(clip.samples.len(), clip.sample_rate) {
            let mut window = Clip {
                samples: clip.samples[from..to].to_vec(),
                sample_rate: clip.sample_rate,
            };
            if clip.sample_rate != rate {
                let filter = self.features.preset.resampling();
                window = audio::resample_with(&window, rate, filter).map_err(named)?;
            }
            // Resampling may also have rounded its length otherwise.
            window.samples.resize(samples, 0.0);
            all.append(Windows {
                windows: 1,
                bands: 1,
                frames: samples,
                values: window.samples,
            });
        }
        Ok(all)
    }

    /// The one window that a whole clip is.
    pub(crate) async fn window(
        &self,
        device: &Device,
        clip: &Clip,
        name: &str,
    ) -> Result<Windows, Error> {
        let named = |source| Error::Features {
            name: name.into(),
            source,
        };
        let features = audio::extract_async(device, &self.features, clip).await;
        let features = features.map_err(named)?;
        let mut features = features.resize_frames(self.frames).map_err(named)?;
        self.choose_rows(&mut features, name)?;
        self.repeat_channels(&mut features.values);
        if features.values.iter().any(|value| !value.is_finite()) {
            return Err(Error::NotFinite {
                what: format!("{name}: features"),
            });
        }
        Ok(Windows {
            windows: 1,
            bands: self.rows(),
            frames: features.frames,
            values: features.values,
        })
    }

    /// Start and end of every window of a clip; one where windows are not asked for.
    pub(crate) fn cuts(&self, samples: usize, sample_rate: u32) -> Vec<(usize, usize)> {
        let wanted = self
            .seconds
            .map(|seconds| (seconds * f64::from(sample_rate)).round());
        cuts(
            samples,
            wanted.map_or(samples, |wanted| wanted.max(1.0) as usize),
        )
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn windows_of_known_lengths() {
        assert_eq!(cuts(0, 8), []);
        assert_eq!(cuts(5, 8), [(0, 5)]);
        assert_eq!(cuts(11, 8), [(1, 9)]);
        assert_eq!(cuts(20, 8), [(0, 8), (6, 14), (12, 20)]);
        assert_eq!(cuts(16, 8), [(0, 8), (8, 16)]);
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
