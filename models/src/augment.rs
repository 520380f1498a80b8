//! Augmentation: examples are changed at random, anew each time a training sees them.
//!
//! Each is one line of a recipe (`[[training.augment]]`, or a list), and they are applied in that order to the features
//! of a batch after normalisation, so that 0 is the mean of what the network usually sees. Nothing is changed when a
//! network is validated, tested or asked.
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

#[cfg(test)]
mod tests {
    use super::*;
    use Augmentation as A;

    const SHAPE: [usize; 2] = [3, 5];

    fn values() -> Vec<f32> {
        (0..30).map(|i| (i as f32).sin()).collect()
    }

    fn changed(change: Augmentation, seed: u64) -> (Vec<f32>, Option<Mixed>) {
        let mut values = values();
        let mixed = augment(&[change], SHAPE, &mut values, &[7, 9], Philox::new(seed, 1));
        (values, mixed)
    }

    const ALL: [Augmentation; 8] = [
        A::TimeShift { up_to: 1.0 },
        A::TimeStretch { by: 0.5 },
        A::PitchShift { semitones: 6.0 },
        A::Gain { up_to: 2.0 },
        A::Noise { snr: 10.0 },
        A::FrequencyMask { bands: 3, count: 2 },
        A::TimeMask {
            frames: 4,
            count: 2,
        },
        A::Mixup { alpha: 0.4 },
    ];

    #[test]
    fn every_change_changes_and_depends_on_the_seed_alone() {
        for change in ALL {
            change.check().unwrap();
            let (first, mixed) = changed(change, 3);
            assert_eq!(
                (&first, &mixed),
                (&changed(change, 3).0, &changed(change, 3).1)
            );
            assert!(
                (0..20).any(|seed| changed(change, seed).0 != values()),
                "{change:?}"
            );
            assert!(
                (0..20).any(|seed| changed(change, seed).0 != first),
                "{change:?}"
            );
            assert!(first.iter().all(|value| value.is_finite()), "{change:?}");
        }
    }

    #[test]
    fn nothing_asked_for_is_nothing_changed() {
        let nothing = [
            A::TimeShift { up_to: 0.0 },
            A::TimeStretch { by: 0.0 },
            A::PitchShift { semitones: 0.0 },
            A::Gain { up_to: 0.0 },
            A::FrequencyMask { bands: 0, count: 1 },
            A::TimeMask {
                frames: 0,
                count: 1,
            },
        ];
        for change in nothing {
            let (after, mixed) = changed(change, 5);
            let worst = after.iter().zip(values()).map(|(a, b)| (a - b).abs());
            assert!(
                worst.fold(0.0, f32::max) < 1e-6 && mixed.is_none(),
                "{change:?}"
            );
        }
        let mut empty = [];
        for change in ALL {
            let mixed = augment(&[change], [0, 5], &mut empty, &[], Philox::new(0, 0));
            assert!(mixed.is_none());
        }
    }

    #[test]
    fn shifted_frames_come_back_on_the_other_side() {
        let (after, _) = changed(A::TimeShift { up_to: 1.0 }, 11);
        for (row, before) in after.chunks(5).zip(values().chunks(5)) {
            assert!((0..5).any(|by| {
                let mut row = row.to_vec();
                row.rotate_left(by);
                row == before
            }));
        }
    }

    #[test]
    fn stripes_are_as_wide_as_allowed_and_the_rest_stays() {
        let mut widest = 0;
        for seed in 0..50 {
            let (after, _) = changed(
                A::TimeMask {
                    frames: 2,
                    count: 1,
                },
                seed,
            );
            for (row, before) in after.chunks(5).zip(values().chunks(5)) {
                let masked = row.iter().zip(before).filter(|(a, b)| a != b);
                assert!(masked.clone().all(|(after, _)| *after == 0.0));
                widest = widest.max(masked.count());
            }
        }
        assert_eq!(widest, 2);
    }

    #[test]
    fn noise_has_the_ratio_asked_for() {
        let mut values = vec![2.0; 10_000];
        let noise = [A::Noise { snr: 20.0 }];
        augment(&noise, [100, 100], &mut values, &[0], Philox::new(1, 1));
        let power = values.iter().map(|v| (v - 2.0).powi(2)).sum::<f32>() / 10_000.0;
        assert!((power / 0.04 - 1.0).abs() < 0.05, "{power}");
    }

    #[test]
    fn mixed_examples_lie_between_two_and_say_which() {
        let (after, mixed) = changed(A::Mixup { alpha: 1.0 }, 2);
        let mixed = mixed.unwrap();
        let (before, share) = (values(), mixed.share);
        for (n, (after, target)) in after.chunks(15).zip(&mixed.targets).enumerate() {
            let other = if *target == 7 { 0 } else { 15 };
            for (at, value) in after.iter().enumerate() {
                let expected = share * before[15 * n + at] + (1.0 - share) * before[other + at];
                assert!((value - expected).abs() < 1e-6);
            }
        }
        let mut random = Philox::new(4, 4);
        let shares: Vec<f32> = (0..2000).map(|_| beta(0.3, &mut random)).collect();
        let mean = shares.iter().sum::<f32>() / 2000.0;
        let extreme = shares.iter().filter(|s| **s < 0.1 || **s > 0.9).count();
        // Beta(0.3, 0.3): mean 0.5, and 60 % of its mass within a tenth of the ends.
        assert!(
            (mean - 0.5).abs() < 0.03 && (1100..1300).contains(&extreme),
            "{mean} {extreme}"
        );
        assert_eq!(beta(100.0, &mut Philox::new(0, 0)), 0.5);
    }

    #[test]
    fn amounts_out_of_range_are_named() {
        for (change, what) in [
            (A::TimeShift { up_to: f32::NAN }, "time-shift"),
            (A::TimeStretch { by: -0.5 }, "time-stretch"),
            (A::PitchShift { semitones: 99.0 }, "pitch-shift"),
            (A::Gain { up_to: -1.0 }, "gain"),
            (A::Noise { snr: f32::INFINITY }, "noise"),
            (
                A::TimeMask {
                    frames: 1,
                    count: 0,
                },
                "mask",
            ),
            (A::Mixup { alpha: 0.0 }, "mixup"),
        ] {
            let error = change.check().unwrap_err().to_string();
            assert!(
                error.contains(what) && error.contains("training.augment"),
                "{error}"
            );
        }
    }
}
