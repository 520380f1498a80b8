//! How the learning rate changes while a network is trained.
//!
//! Definitions, names and defaults are PyTorch's (`torch.optim.lr_scheduler`), lengths are in epochs. `learning_rate` of the
//! training is what `plateau`, `step` and `cosine` begin with, and the highest that `one-cycle` and `cyclical` reach.
//! The rate of a step depends on the settings, the step's number and the epochs before alone, so nothing has to be kept
//! for a training that goes on after a stop. `cosine` and `one-cycle` are spread over all epochs: a training that goes
//! on for more of them goes on along the longer curve.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::training::history::EpochRow;

/// How the learning rate changes: a table with its `kind` and settings, `{ kind = "step", step_size = 20, gamma = 0.5
/// }`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Schedule {
    /// Smaller once the figures of the epochs no longer improve.
    Plateau(Plateau),
    /// Smaller every few epochs.
    Step(Step),
    /// Down along half a cosine, epoch by epoch.
    Cosine(Cosine),
    /// Up, then down to almost nothing, step by step.
    OneCycle(OneCycle),
    /// Up and down again and again, step by step.
    Cyclical(Cyclical),
}

/// `ReduceLROnPlateau`, with a relative threshold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Plateau {
    /// Which figure should improve.
    pub by: By,
    /// What the rate is multiplied with.
    pub factor: f64,
    /// So many epochs without a better figure are forgiven; the next one lowers the rate. (Keras' `patience` is one
    /// more for the same.)
    pub patience: usize,
    /// A figure is better where it is so by more than this share.
    pub threshold: f64,
    /// So many epochs after a change are not counted.
    pub cooldown: usize,
    /// The rate never falls below this one.
    pub min_lr: f64,
}

/// The figures that [`Plateau`] may watch: the validation clips', or the training's where there are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// The loss should fall.
    #[default]
    Loss,
    /// The share of right answers should rise.
    Accuracy,
    /// The weighted F1 should rise; without validation clips it is the accuracy.
    F1,
}

/// `StepLR`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Step {
    /// Epochs of one rate.
    pub step_size: usize,
    /// What the rate is then multiplied with.
    pub gamma: f64,
}

/// `CosineAnnealingLR` (Loshchilov & Hutter 2017, without restarts).
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cosine {
    /// The epochs from the highest rate to the lowest, after which it rises again; all epochs, where it is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub t_max: Option<usize>,
    /// The lowest rate.
    pub eta_min: f64,
}

/// `OneCycleLR` (Smith & Topin 2018) with cosines over all steps of the training; the momentum stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OneCycle {
    /// The share of the steps in which the rate rises.
    pub pct_start: f64,
    /// The first rate is the highest divided by this.
    pub div_factor: f64,
    /// The last rate is the first divided by this.
    pub final_div_factor: f64,
}

/// `CyclicLR` (Smith 2015): straight up, straight down.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cyclical {
    /// Epochs on the way up, and again on the way down; Smith advises 2 to 10 for both together.
    pub step_size: f64,
    /// The lowest rate is the highest divided by this; Smith advises 3 or 4.
    pub div_factor: f64,
    /// How high the cycles are.
    pub mode: Mode,
    /// For the mode `exp_range`: what the height is multiplied with at every step.
    pub gamma: f64,
}

/// How high the cycles of [`Cyclical`] are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// All as high as the first.
    #[default]
    Triangular,
    /// Each half as high as the one before.
    Triangular2,
    /// Falling with every step.
    ExpRange,
}

impl Default for Plateau {
    fn default() -> Self {
        Plateau {
            by: By::Loss,
            factor: 0.1,
            patience: 10,
            threshold: 1e-4,
            cooldown: 0,
            min_lr: 0.0,
        }
    }
}

impl Default for Step {
    /// PyTorch has no default length; 10 is ours.
    fn default() -> Self {
        Step {
            step_size: 10,
            gamma: 0.1,
        }
    }
}

impl Default for OneCycle {
    fn default() -> Self {
        OneCycle {
            pct_start: 0.3,
            div_factor: 25.0,
            final_div_factor: 1e4,
        }
    }
}

impl Default for Cyclical {
    /// PyTorch counts steps and has no default rates; 4 epochs a cycle and a quarter of the highest rate are Smith's.
    fn default() -> Self {
        Cyclical {
            step_size: 2.0,
            div_factor: 4.0,
            mode: Mode::Triangular,
            gamma: 1.0,
        }
    }
}

/// Where a training stands before one of its steps.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// The figures of the epochs that are done.
    pub history: &'a [EpochRow],
    /// The number of the step since the first epoch, from 0.
    pub step: u64,
    /// Steps in every epoch.
    pub steps: usize,
    /// Epochs in all.
    pub epochs: usize,
}

impl Schedule {
    /// The rate of one step, where `base` is the training's `learning_rate`.
    #[must_use]
    pub fn rate(&self, base: f64, at: &Moment<'_>) -> f64 {
        let epoch = at.history.len();
        match self {
            Schedule::Plateau(plateau) => plateau.rate(base, at.history),
            Schedule::Step(step) => base * power(step.gamma, epoch / step.step_size.max(1)),
            Schedule::Cosine(cosine) => {
                let t_max = cosine.t_max.unwrap_or(at.epochs).max(1);
                between(base, cosine.eta_min, epoch as f64 / t_max as f64)
            }
            Schedule::OneCycle(cycle) => cycle.rate(base, at),
            Schedule::Cyclical(cyclical) => cyclical.rate(base, at),
        }
    }

    /// Checks every value; `base` is the training's `learning_rate`.
    ///
    /// # Errors
    /// [`Error::Setting`] naming the first that makes no sense.
    pub fn check(&self, base: f64) -> Result<(), Error> {
        let share = |x: f64| (0.0..=1.0).contains(&x) && x > 0.0;
        let divides = |x: f64| x.is_finite() && x >= 1.0;
        let below = |x: f64| x >= 0.0 && x <= base;
        let checks: &[(&'static str, f64, bool)] = match self {
            Schedule::Plateau(s) => &[
                ("factor", s.factor, share(s.factor) && s.factor < 1.0),
                ("threshold", s.threshold, (0.0..1.0).contains(&s.threshold)),
                ("min_lr", s.min_lr, below(s.min_lr)),
            ],
            Schedule::Step(s) => &[
                ("step_size", s.step_size as f64, s.step_size > 0),
                ("gamma", s.gamma, share(s.gamma)),
            ],
            Schedule::Cosine(s) => &[
                ("t_max", s.t_max.unwrap_or(1) as f64, s.t_max != Some(0)),
                ("eta_min", s.eta_min, below(s.eta_min)),
            ],
            Schedule::OneCycle(s) => &[
                (
                    "pct_start",
                    s.pct_start,
                    share(s.pct_start) && s.pct_start < 1.0,
                ),
                ("div_factor", s.div_factor, divides(s.div_factor)),
                (
                    "final_div_factor",
                    s.final_div_factor,
                    divides(s.final_div_factor),
                ),
            ],
            Schedule::Cyclical(s) => &[
                (
                    "step_size",
                    s.step_size,
                    s.step_size.is_finite() && s.step_size > 0.0,
                ),
                ("div_factor", s.div_factor, divides(s.div_factor)),
                ("gamma", s.gamma, share(s.gamma)),
            ],
        };
        match checks.iter().find(|check| !check.2) {
            None => Ok(()),
            Some((name, value, _)) => Err(Error::setting(
                "training.schedule",
                format!("{name} = {value} is out of range"),
            )),
        }
    }
}

impl Plateau {
    fn rate(&self, base: f64, history: &[EpochRow]) -> f64 {
        let (mut rate, mut best) = (base, None);
        let (mut bad, mut cooling) = (0, 0);
        for figure in history.iter().map(|row| self.figure(row)) {
            match best {
                Some(old) if !self.better(figure, old) => bad += 1,
                _ => (best, bad) = (Some(figure), 0),
            }
            if cooling > 0 {
                (cooling, bad) = (cooling - 1, 0);
            }
            if bad > self.patience {
                rate = (rate * self.factor).max(self.min_lr);
                (cooling, bad) = (self.cooldown, 0);
            }
        }
        rate
    }

    fn figure(&self, row: &EpochRow) -> f64 {
        match self.by {
            By::Loss => row.validation_loss.unwrap_or(row.train_loss),
            By::Accuracy => row.validation_accuracy.unwrap_or(row.train_accuracy),
            By::F1 => row.validation_f1.unwrap_or(row.train_accuracy),
        }
    }

    fn better(&self, new: f64, old: f64) -> bool {
        match self.by {
            By::Loss => new < old * (1.0 - self.threshold),
            By::Accuracy | By::F1 => new > old * (1.0 + self.threshold),
        }
    }
}

impl OneCycle {
    fn rate(&self, highest: f64, at: &Moment<'_>) -> f64 {
        let first = highest / self.div_factor;
        let step = at.step as f64;
        let total = at.epochs as f64 * at.steps as f64;
        let (top, end) = (self.pct_start * total - 1.0, total - 1.0);
        // Of very few steps, none may be left for the way up.
        if step <= top {
            let way = if top > 0.0 { step / top } else { 1.0 };
            between(first, highest, way)
        } else {
            let way = ((step - top) / (end - top)).min(1.0);
            between(highest, first / self.final_div_factor, way)
        }
    }
}

impl Cyclical {
    fn rate(&self, highest: f64, at: &Moment<'_>) -> f64 {
        let lowest = highest / self.div_factor;
        let half = (self.step_size * at.steps as f64).max(1.0);
        let cycles = at.step as f64 / (2.0 * half);
        let cycle = cycles.floor();
        let height = 1.0 - (2.0 * (cycles - cycle) - 1.0).abs();
        let height = match self.mode {
            Mode::Triangular => height,
            Mode::Triangular2 => height / cycle.exp2(),
            Mode::ExpRange => height * self.gamma.powf(at.step as f64),
        };
        lowest + (highest - lowest) * height
    }
}

/// From one rate to another along half a cosine; `way` counts from 0 to 1.
fn between(from: f64, to: f64, way: f64) -> f64 {
    to + (from - to) / 2.0 * (1.0 + (PI * way).cos())
}

fn power(base: f64, exponent: usize) -> f64 {
    base.powi(exponent.try_into().unwrap_or(i32::MAX))
}

#[cfg(test)]
mod tests;
