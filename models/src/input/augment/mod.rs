//! Augmentation: random changes of training examples. Validation, test and inference are never augmented.
//!
//! There are two places for it in a recipe, each a list of lines. [`SoundVariants`] (`[training.sound]`, in `augment/sound.rs`)
//! changes the sound before features are computed, once. [`Augmentation`] (`training.augment`, here) changes features anew
//! each time a training sees them: in the list's order, a batch at a time, after normalisation, so that 0 is the mean of
//! what the network usually sees. What is drawn becomes a [`Change`] (`augment/change.rs`), on the host, or on the device
//! where features are computed there.
//!
//! | kind | what happens to an example `[bands, frames]` | after |
//! | --- | --- | --- |
//! | `time-shift` | its frames move round in a circle | |
//! | `time-stretch` | its frames are played faster or slower about a random moment | |
//! | `pitch-shift` | its bands are scaled about the lowest: what `2^(semitones/12)` does on a linear axis of frequency | |
//! | `gain` | one number is added to all: on decibels, loudness | |
//! | `noise` | normal noise is added at a signal-to-noise ratio | |
//! | `frequency-mask`, `time-mask` | stripes of up to so many bands or frames become 0 | SpecAugment (Park et al. 2019) |
//! | `mixup` | each example of a batch is mixed with another, and so is the loss | Zhang et al. 2018 |

mod change;
mod sound;
#[cfg(test)]
mod tests;

pub use change::Change;
pub use sound::{SoundChange, SoundVariants};

use kernels::philox::Philox;
use serde::{Deserialize, Serialize};

use crate::Error;

/// One augmentation. All amounts are drawn uniformly unless said otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Augmentation {
    /// Circular shift in time by up to this fraction of the window, either way.
    TimeShift {
        /// Fraction, from 0 to 1.
        up_to: f32,
    },
    /// The tempo is multiplied by 1 / (1 + by) to 1 + by, evenly on a logarithmic scale; what is missing at an end
    /// repeats.
    TimeStretch {
        /// Amount; 0.25: up to a quarter faster.
        by: f32,
    },
    /// Pitch shift by up to so many semitones, either way; above the highest band its last value repeats. For features
    /// on a linear axis of frequency.
    PitchShift {
        /// Semitones; 12 are an octave.
        semitones: f32,
    },
    /// Gain: an offset of all values of up to this much, either way, in standard deviations of the features.
    Gain {
        /// Amount, 0 or more.
        up_to: f32,
    },
    /// Normal noise.
    Noise {
        /// Signal-to-noise ratio in decibels: the example's power over the noise's.
        snr: f32,
    },
    /// Frequency masks: stripes of bands become 0.
    FrequencyMask {
        /// Maximum width of a stripe.
        bands: usize,
        /// Number of stripes.
        #[serde(default = "one")]
        count: usize,
    },
    /// Time masks: stripes of frames become 0.
    TimeMask {
        /// Maximum width of a stripe.
        frames: usize,
        /// Number of stripes.
        #[serde(default = "one")]
        count: usize,
    },
    /// Mixup: `λ·x + (1 − λ)·x'` with one λ of Beta(alpha, alpha) per batch.
    Mixup {
        /// Parameter of the distribution. Small: mostly one of the two; 1: uniform.
        alpha: f32,
    },
}

fn one() -> usize {
    1
}

/// Mixup of a batch: its loss is `share` of the loss with its own targets, and the rest with these.
#[derive(Debug, Clone, PartialEq)]
pub struct Mixed {
    /// λ, from 0 to 1.
    pub share: f32,
    /// Labels of the other examples.
    pub targets: Vec<u32>,
}

impl Augmentation {
    /// Validates the amounts.
    ///
    /// # Errors
    /// [`Error::Setting`] with the first invalid amount.
    pub fn check(&self) -> Result<(), Error> {
        use Augmentation as A;
        let (what, value, sound) = match *self {
            A::TimeShift { up_to } => ("time-shift up_to", up_to, (0.0..=1.0).contains(&up_to)),
            A::TimeStretch { by } => ("time-stretch by", by, (0.0..=3.0).contains(&by)),
            A::PitchShift { semitones } => {
                let sound = (0.0..=24.0).contains(&semitones);
                ("pitch-shift semitones", semitones, sound)
            }
            A::Gain { up_to } => ("gain up_to", up_to, (0.0..=1e3).contains(&up_to)),
            A::Noise { snr } => ("noise snr", snr, (-100.0..=200.0).contains(&snr)),
            A::Mixup { alpha } => ("mixup alpha", alpha, (1e-3..=100.0).contains(&alpha)),
            A::FrequencyMask { count, .. } | A::TimeMask { count, .. } => {
                ("mask count", count as f32, (1..=100).contains(&count))
            }
        };
        match sound {
            true => Ok(()),
            false => {
                let problem = format!("{what} = {value} is out of range");
                Err(Error::setting("training.augment", problem))
            }
        }
    }

    /// Draws for a batch of `n` examples `[bands, frames]`.
    fn draw(self, n: usize, [bands, frames]: [usize; 2], random: &mut Philox) -> Change {
        let each = |of: &mut dyn FnMut() -> Vec<f32>| (0..n).flat_map(|_| of()).collect();
        match self {
            Augmentation::TimeShift { up_to } => Change::Frames(each(&mut || {
                let by = random.range(-up_to, up_to) * frames as f32;
                let by = by.round() as i64;
                let place = |at: usize| (at as i64 - by).rem_euclid(frames as i64) as f32;
                (0..frames).map(place).collect()
            })),
            Augmentation::TimeStretch { by } => Change::Frames(each(&mut || {
                let limit = (1.0 + by).ln();
                let rate = random.range(-limit, limit).exp();
                let fixed = random.uniform() * (frames - 1) as f32;
                let place = |at: usize| fixed + (at as f32 - fixed) * rate;
                (0..frames).map(place).collect()
            })),
            Augmentation::PitchShift { semitones } => Change::Bands(each(&mut || {
                let scale = (random.range(-semitones, semitones) / 12.0).exp2();
                (0..bands).map(|band| band as f32 / scale).collect()
            })),
            Augmentation::Gain { up_to } => {
                Change::Add(each(&mut || vec![random.range(-up_to, up_to)]))
            }
            Augmentation::Noise { snr } => {
                let level = 10f64.powf(f64::from(-snr) / 20.0);
                let size = bands * frames;
                let noise = each(&mut || (0..size).map(|_| random.normal()).collect());
                Change::Noise(noise, level)
            }
            Augmentation::FrequencyMask {
                bands: widest,
                count,
            } => Change::KeepBands(each(&mut || stripes(bands, widest, count, random))),
            Augmentation::TimeMask {
                frames: widest,
                count,
            } => Change::KeepFrames(each(&mut || stripes(frames, widest, count, random))),
            Augmentation::Mixup { alpha } => {
                let share = beta(alpha, random);
                let mut order: Vec<u32> = (0..n as u32).collect();
                random.shuffle(&mut order);
                Change::Mix(order, share)
            }
        }
    }
}

/// Draws a recipe's changes, in their order, for a batch of examples `[bands, frames]` with these targets. What is
/// drawn
/// depends on the seed and the number of the step alone. Of several mixings the last counts for the loss.
pub fn draw(
    list: &[Augmentation],
    shape: [usize; 2],
    targets: &[u32],
    mut random: Philox,
) -> (Vec<Change>, Option<Mixed>) {
    if shape.contains(&0) || targets.is_empty() {
        return (Vec::new(), None);
    }
    let draw = |change: &Augmentation| change.draw(targets.len(), shape, &mut random);
    let changes: Vec<Change> = list.iter().map(draw).collect();
    let mixed = changes.iter().rev().find_map(|change| match change {
        Change::Mix(order, share) => Some(Mixed {
            share: *share,
            targets: order.iter().map(|&other| targets[other as usize]).collect(),
        }),
        _ => None,
    });
    (changes, mixed)
}

/// Returns 0 in stripes of up to `widest` of `len` places, 1 elsewhere.
fn stripes(len: usize, widest: usize, count: usize, random: &mut Philox) -> Vec<f32> {
    let mut kept = vec![1.0; len];
    for _ in 0..count {
        let (from, to) = stripe(len, widest, random);
        kept[from..to].fill(0.0);
    }
    kept
}

/// Returns a stripe of 0 to `widest` of `len` places.
fn stripe(len: usize, widest: usize, random: &mut Philox) -> (usize, usize) {
    let width = random.below(widest.min(len) + 1);
    let from = random.below(len - width + 1);
    (from, from + width)
}

/// Draws from Beta(alpha, alpha), by Jöhnk (1964); returns a half if his method rarely ends (a large alpha).
fn beta(alpha: f32, random: &mut Philox) -> f32 {
    for _ in 0..1000 {
        let x = random.uniform().powf(1.0 / alpha);
        let y = random.uniform().powf(1.0 / alpha);
        let sum = x + y;
        if sum <= 1.0 && sum > 0.0 {
            return x / sum;
        }
    }
    0.5
}
