//! Augmentation: training examples are changed at random. Nothing is changed when a network is validated, tested or asked.
//!
//! There are two places for it in a recipe, each a list of lines. [`SoundVariants`] (`[training.sound]`, in `augment/sound.rs`)
//! changes the sound before features are computed, once. [`Augmentation`] (`training.augment`, here) changes features anew
//! each time a training sees them: in the list's order, a batch at a time, after normalisation, so that 0 is the mean of
//! what the network usually sees.
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

mod sound;
#[cfg(test)]
mod tests;

pub use sound::{SoundChange, SoundVariants};

use kernels::philox::Philox;
use serde::{Deserialize, Serialize};

use crate::Error;

/// One change. All amounts are drawn uniformly unless said otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Augmentation {
    /// Frames move round by up to this share of the window, either way.
    TimeShift {
        /// From 0 to 1.
        up_to: f32,
    },
    /// The tempo is multiplied by 1 / (1 + by) to 1 + by, evenly on a logarithmic scale; what is missing at an end repeats.
    TimeStretch {
        /// 0.25: up to a quarter faster.
        by: f32,
    },
    /// The pitch moves by up to so many semitones, either way; above the highest band its last value repeats. For
    /// features on a linear axis of frequency.
    PitchShift {
        /// 12 are an octave.
        semitones: f32,
    },
    /// Up to this much is added to or taken from everything, in the features' own deviations.
    Gain {
        /// 0 or more.
        up_to: f32,
    },
    /// Normal noise.
    Noise {
        /// The signal-to-noise ratio in decibels: the example's power over the noise's.
        snr: f32,
    },
    /// Stripes of bands become 0.
    FrequencyMask {
        /// The widest stripe.
        bands: usize,
        /// How many stripes.
        #[serde(default = "one")]
        count: usize,
    },
    /// Stripes of frames become 0.
    TimeMask {
        /// The widest stripe.
        frames: usize,
        /// How many stripes.
        #[serde(default = "one")]
        count: usize,
    },
    /// `λ·x + (1 − λ)·x'` with one λ of Beta(alpha, alpha) for a batch.
    Mixup {
        /// Small: mostly one of the two; 1: evenly anything.
        alpha: f32,
    },
}

fn one() -> usize {
    1
}

/// With what a batch was mixed: its loss is `share` of that against its own targets and the rest against these.
#[derive(Debug, Clone, PartialEq)]
pub struct Mixed {
    /// λ, at least 0 and at most 1.
    pub share: f32,
    /// The label of the other example of each.
    pub targets: Vec<u32>,
}

impl Augmentation {
    /// Checks the amounts.
    ///
    /// # Errors
    /// [`Error::Setting`] naming the one that makes no sense.
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

    /// Changes a batch `[n, bands, frames]` with its `targets`; tells of mixing.
    fn apply(
        self,
        [bands, frames]: [usize; 2],
        values: &mut [f32],
        targets: &[u32],
        random: &mut Philox,
    ) -> Option<Mixed> {
        let size = bands * frames;
        if size == 0 {
            return None;
        }
        if let Augmentation::Mixup { alpha } = self {
            return Some(mix(alpha, size, values, targets, random));
        }
        for example in values.chunks_exact_mut(size) {
            match self {
                Augmentation::TimeShift { up_to } => {
                    let by = random.range(-up_to, up_to) * frames as f32;
                    let by = (by.round() as i64).rem_euclid(frames as i64) as usize;
                    for row in example.chunks_exact_mut(frames) {
                        row.rotate_right(by);
                    }
                }
                Augmentation::TimeStretch { by } => {
                    let limit = (1.0 + by).ln();
                    let rate = random.range(-limit, limit).exp();
                    let fixed = random.uniform() * (frames - 1) as f32;
                    let mut source = vec![0.0; frames];
                    for row in example.chunks_exact_mut(frames) {
                        source.copy_from_slice(row);
                        for (at, value) in row.iter_mut().enumerate() {
                            *value = between(&source, fixed + (at as f32 - fixed) * rate);
                        }
                    }
                }
                Augmentation::PitchShift { semitones } => {
                    let scale = (random.range(-semitones, semitones) / 12.0).exp2();
                    let source = example.to_vec();
                    for (band, row) in example.chunks_exact_mut(frames).enumerate() {
                        let at = (band as f32 / scale).min((bands - 1) as f32);
                        let (low, part) = (at as usize, at.fract());
                        let high = (low + 1).min(bands - 1);
                        let (low, high) = (&source[low * frames..], &source[high * frames..]);
                        for ((value, low), high) in row.iter_mut().zip(low).zip(high) {
                            *value = low + part * (high - low);
                        }
                    }
                }
                Augmentation::Gain { up_to } => {
                    let gain = random.range(-up_to, up_to);
                    example.iter_mut().for_each(|value| *value += gain);
                }
                Augmentation::Noise { snr } => {
                    let power = example.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>();
                    let deviation =
                        (power / size as f64).sqrt() * 10f64.powf(f64::from(-snr) / 20.0);
                    for value in example.iter_mut() {
                        *value += deviation as f32 * random.normal();
                    }
                }
                Augmentation::FrequencyMask {
                    bands: widest,
                    count,
                } => {
                    for _ in 0..count {
                        let (from, to) = stripe(bands, widest, random);
                        example[from * frames..to * frames].fill(0.0);
                    }
                }
                Augmentation::TimeMask {
                    frames: widest,
                    count,
                } => {
                    for _ in 0..count {
                        let (from, to) = stripe(frames, widest, random);
                        for row in example.chunks_exact_mut(frames) {
                            row[from..to].fill(0.0);
                        }
                    }
                }
                Augmentation::Mixup { .. } => {}
            }
        }
        None
    }
}

/// Applies a recipe's changes, in their order, to a batch `[n, bands, frames]`. What is drawn depends on the seed and
/// the number of the step alone. Of several mixings the last counts for the loss.
pub fn augment(
    list: &[Augmentation],
    shape: [usize; 2],
    values: &mut [f32],
    targets: &[u32],
    mut random: Philox,
) -> Option<Mixed> {
    list.iter().fold(None, |mixed, change| {
        change.apply(shape, values, targets, &mut random).or(mixed)
    })
}

/// A row's value between two of its places; beyond an end, the end's.
fn between(row: &[f32], at: f32) -> f32 {
    let at = at.clamp(0.0, (row.len() - 1) as f32);
    let (low, part) = (at as usize, at.fract());
    let high = row[(low + 1).min(row.len() - 1)];
    row[low] + part * (high - row[low])
}

/// A stripe of 0 to `widest` of `len` places.
fn stripe(len: usize, widest: usize, random: &mut Philox) -> (usize, usize) {
    let width = random.below(widest.min(len) + 1);
    let from = random.below(len - width + 1);
    (from, from + width)
}

/// Mixes every example with another one of the batch.
fn mix(alpha: f32, size: usize, values: &mut [f32], targets: &[u32], random: &mut Philox) -> Mixed {
    let share = beta(alpha, random);
    let mut order: Vec<usize> = (0..targets.len()).collect();
    random.shuffle(&mut order);
    let source = values.to_vec();
    for (example, &other) in values.chunks_exact_mut(size).zip(&order) {
        for (value, other) in example.iter_mut().zip(&source[other * size..]) {
            *value = share * *value + (1.0 - share) * other;
        }
    }
    Mixed {
        share,
        targets: order.iter().map(|&other| targets[other]).collect(),
    }
}

/// A number of Beta(alpha, alpha), after Jöhnk (1964); where his method rarely ends (a large alpha), a half.
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
