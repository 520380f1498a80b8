//! Variants of training clips: the audio itself is augmented, before features are computed.
//!
//! ```toml
//! [training.sound]
//! variants = 2
//! changes = [
//!   { kind = "time-stretch", by = 0.2 },
//!   { kind = "pitch-shift", semitones = 2.0 },
//!   { kind = "noise", snr = 20.0 },
//! ]
//! ```
//!
//! Every training clip is learnt from as it is and, as further clips, in so many variants; in each of them all changes are
//! made, in their order, by amounts of its own. The changes are made once, at the features' sample rate, when features are
//! computed, and kept in the cache as all features are. What is drawn depends on the file's content and the number of the
//! variant alone: every seed, fold and trial finds the same variants there. Clips of validation and test have none, and
//! the normalisation is fitted to the clips as they are.
//!
//! | kind | what happens to the sound | as |
//! | --- | --- | --- |
//! | `time-stretch` | faster or slower at the same pitch | `librosa.effects.time_stretch` |
//! | `pitch-shift` | higher or lower at the same length | `librosa.effects.pitch_shift` |
//! | `gain` | louder or softer | |
//! | `noise` | white noise is added at a signal-to-noise ratio | |
//! | `time-shift` | it moves round in a circle | `numpy.roll` |
//! | `crop` | a piece of it is left | |

use audio::{Clip, augment, resample};
use kernels::philox::Philox;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::data::dataset::{Content, Dataset};

/// Maximum number of variants per clip; more are probably a typing error.
const MOST: usize = 100;

/// Settings of the variants, which are trained on in addition to the training clips.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SoundVariants {
    /// Number of variants per training clip.
    #[serde(default = "one")]
    pub variants: usize,
    /// Changes of each variant, in this order.
    pub changes: Vec<SoundChange>,
}

/// One change of the audio. All amounts are drawn uniformly unless said otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum SoundChange {
    /// Time stretch: the tempo is multiplied by 1 / (1 + by) to 1 + by, log-uniformly.
    TimeStretch {
        /// Amount; 0.25: up to a quarter faster.
        by: f64,
    },
    /// Pitch shift by up to so many semitones, either way.
    PitchShift {
        /// Semitones; 12 are an octave.
        semitones: f64,
    },
    /// Gain of up to so many decibels, up or down.
    Gain {
        /// Decibels; 6: up to twice the amplitude, down to half of it.
        decibels: f64,
    },
    /// White normal noise.
    Noise {
        /// Signal-to-noise ratio in decibels.
        snr: f64,
    },
    /// Circular shift in time by up to this fraction of the length, either way.
    TimeShift {
        /// Fraction, from 0 to 1.
        up_to: f64,
    },
    /// Random crop; a shorter clip is unchanged.
    Crop {
        /// Length of the crop; not below the recipe's `input.seconds`.
        seconds: f64,
    },
}

fn one() -> usize {
    1
}

fn refuse<T>(reason: String) -> Result<T, Error> {
    Err(Error::setting("training.sound", reason))
}

impl SoundVariants {
    /// Validates number and amounts.
    ///
    /// # Errors
    /// [`Error::Setting`] with the first invalid value.
    pub fn check(&self) -> Result<(), Error> {
        if !(1..=MOST).contains(&self.variants) {
            return refuse(format!("{} variants; 1 to {MOST}", self.variants));
        }
        if self.changes.is_empty() {
            return refuse("no changes; a variant would be a copy".into());
        }
        self.changes.iter().try_for_each(SoundChange::check)
    }

    /// Checks that no crop is shorter than the network's windows.
    ///
    /// # Errors
    /// [`Error::Setting`].
    pub fn check_crop(&self, window: Option<f64>) -> Result<(), Error> {
        for change in &self.changes {
            if let (SoundChange::Crop { seconds }, Some(window)) = (change, window)
                && *seconds < window
            {
                return refuse(format!(
                    "crop seconds = {seconds} is shorter than a window (input.seconds = {window})"
                ));
            }
        }
        Ok(())
    }

    /// Checks that the dataset has audio.
    ///
    /// # Errors
    /// [`Error::Setting`] for a dataset of images, or a table.
    pub fn check_data(&self, dataset: &Dataset) -> Result<(), Error> {
        let other = dataset
            .items
            .iter()
            .find(|item| item.content != Content::Sound);
        match other {
            None => Ok(()),
            Some(item) => refuse(format!(
                "{} is a {}; these changes need sound (training.augment changes features)",
                item.name, item.content
            )),
        }
    }

    /// Returns a variant of a clip, at a sample rate of `rate`.
    ///
    /// # Errors
    /// [`audio::Error::Rate`] for a rate that cannot be converted to; [`audio::Error::Settings`] for amounts that
    /// [`SoundVariants::check`] refuses.
    pub fn variant(
        &self,
        clip: &Clip,
        rate: u32,
        mut random: Philox,
    ) -> Result<Clip, audio::Error> {
        let mut clip = resample(clip, rate)?;
        for change in &self.changes {
            change.apply(&mut clip, &mut random)?;
        }
        Ok(clip)
    }
}

impl SoundChange {
    fn check(&self) -> Result<(), Error> {
        use SoundChange as C;
        let (what, value, sound) = match *self {
            C::TimeStretch { by } => ("time-stretch by", by, (0.0..=3.0).contains(&by)),
            C::PitchShift { semitones } => {
                let sound = (0.0..=24.0).contains(&semitones);
                ("pitch-shift semitones", semitones, sound)
            }
            C::Gain { decibels } => {
                let sound = (0.0..=100.0).contains(&decibels);
                ("gain decibels", decibels, sound)
            }
            C::Noise { snr } => ("noise snr", snr, (-100.0..=200.0).contains(&snr)),
            C::TimeShift { up_to } => ("time-shift up_to", up_to, (0.0..=1.0).contains(&up_to)),
            C::Crop { seconds } => {
                let sound = seconds.is_finite() && seconds > 0.0;
                ("crop seconds", seconds, sound)
            }
        };
        match sound {
            true => Ok(()),
            false => refuse(format!("{what} = {value} is out of range")),
        }
    }

    fn apply(self, clip: &mut Clip, random: &mut Philox) -> Result<(), audio::Error> {
        let samples = &mut clip.samples;
        let mut up_to = |most: f64| most * f64::from(random.range(-1.0, 1.0));
        match self {
            SoundChange::TimeStretch { by } => {
                let rate = up_to((1.0 + by).ln()).exp();
                *samples = augment::time_stretch(samples, rate)?;
            }
            SoundChange::PitchShift { semitones } => {
                *samples = augment::pitch_shift(samples, up_to(semitones), 12)?;
            }
            SoundChange::Gain { decibels } => augment::gain(samples, up_to(decibels)),
            SoundChange::Noise { snr } => augment::add_noise(samples, snr, random),
            SoundChange::TimeShift { up_to: share } => {
                let by = up_to(share) * samples.len() as f64;
                augment::roll(samples, by.round() as i64);
            }
            SoundChange::Crop { seconds } => {
                let length = (seconds * f64::from(clip.sample_rate)).round();
                *samples = augment::crop(samples, length.max(1.0) as usize, random).to_vec();
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use SoundChange as C;

    const ALL: [SoundChange; 6] = [
        C::TimeStretch { by: 0.5 },
        C::PitchShift { semitones: 4.0 },
        C::Gain { decibels: 12.0 },
        C::Noise { snr: 10.0 },
        C::TimeShift { up_to: 1.0 },
        C::Crop { seconds: 0.25 },
    ];

    fn variant(change: SoundChange, clip: &Clip, number: u64) -> Clip {
        let sound = SoundVariants {
            variants: 1,
            changes: vec![change],
        };
        sound.check().unwrap();
        sound.variant(clip, 8000, Philox::new(5, number)).unwrap()
    }

    #[test]
    fn every_change_changes_and_depends_on_its_numbers_alone() {
        let clip = audio::synth::clip(0, 1, 0.5, 8000);
        for change in ALL {
            let first = variant(change, &clip, 1);
            assert_eq!(first, variant(change, &clip, 1), "{change:?}");
            // Noise and pieces differ too.
            assert_ne!(first, variant(change, &clip, 2), "{change:?}");
            assert_ne!(first, clip, "{change:?}");
            assert!(first.samples.iter().all(|s| s.is_finite()), "{change:?}");
            let length = match change {
                C::Crop { .. } => 2000..=2000,
                C::TimeStretch { .. } => 2667..=6000,
                _ => 4000..=4000,
            };
            assert!(length.contains(&first.samples.len()), "{change:?}");
        }
    }

    #[test]
    fn no_sound_at_all_stays_none() {
        let none = Clip {
            samples: Vec::new(),
            sample_rate: 8000,
        };
        for change in ALL {
            assert_eq!(variant(change, &none, 1), none, "{change:?}");
        }
    }

    #[test]
    fn changes_are_made_at_the_rate_of_the_features() {
        let clip = audio::synth::clip(0, 1, 0.5, 16_000);
        let piece = variant(C::Crop { seconds: 0.25 }, &clip, 1);
        assert_eq!((piece.sample_rate, piece.samples.len()), (8000, 2000));
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let check = |variants, changes: &[SoundChange]| {
            let changes = changes.to_vec();
            let checked = SoundVariants { variants, changes }.check();
            checked.unwrap_err().to_string()
        };
        for (change, what) in [
            (C::TimeStretch { by: -0.5 }, "time-stretch"),
            (C::PitchShift { semitones: 25.0 }, "pitch-shift"),
            (C::Gain { decibels: f64::NAN }, "gain"),
            (C::Noise { snr: f64::INFINITY }, "noise"),
            (C::TimeShift { up_to: 1.5 }, "time-shift"),
            (C::Crop { seconds: 0.0 }, "crop"),
        ] {
            let error = check(1, &[ALL[0], change]);
            assert!(
                error.contains(what) && error.contains("training.sound"),
                "{error}"
            );
        }
        assert!(check(0, &ALL).contains("0 variants"));
        assert!(check(1, &[]).contains("no changes"));
    }
}
