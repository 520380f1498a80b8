//! Learning-rate schedules.
//!
//! Definitions, names and defaults are PyTorch's (`torch.optim.lr_scheduler`); lengths are in epochs. `learning_rate`
//! of the training is the initial rate of `plateau`, `step` and `cosine`, and the highest rate of `one-cycle` and
//! `cyclical`. The rate of a step depends only on the settings, the step's number and the earlier epochs, so resuming
//! needs no further state. `cosine` and `one-cycle` extend over all epochs: a training that is resumed for more epochs
//! continues on the longer curve.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::training::history::EpochRow;

/// How the learning rate changes: a table with its `kind` and settings, `{ kind = "step", step_size = 20, gamma = 0.5
/// }`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Schedule {
    /// Lowers the rate once the epochs' metric no longer improves.
    Plateau(Plateau),
    /// Lowers the rate every few epochs.
    Step(Step),
    /// Lowers the rate along half a cosine, epoch by epoch.
    Cosine(Cosine),
    /// Raises the rate, then lowers it to almost nothing, step by step.
    OneCycle(OneCycle),
    /// Raises and lowers the rate repeatedly, step by step.
    Cyclical(Cyclical),
}

/// `ReduceLROnPlateau`, with a relative threshold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Plateau {
    /// Metric that should improve.
    pub by: By,
    /// Factor of the rate.
    pub factor: f64,
    /// So many epochs without a better figure are forgiven; the next one lowers the rate. (Keras' `patience` is one
    /// more for the same.)
    pub patience: usize,
    /// Relative improvement that counts as better.
    pub threshold: f64,
    /// Number of epochs after a change that are not counted.
    pub cooldown: usize,
    /// Lower bound of the rate.
    pub min_lr: f64,
}

/// Metrics that [`Plateau`] may watch: those of the validation clips, or of the training if there are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// Loss; should fall.
    #[default]
    Loss,
    /// Accuracy; should rise.
    Accuracy,
    /// Weighted F1; should rise. Without validation clips it is the accuracy.
    F1,
}

/// `StepLR`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Step {
    /// Number of epochs between changes.
    pub step_size: usize,
    /// Factor of the rate at each change.
    pub gamma: f64,
}

/// `CosineAnnealingLR` (Loshchilov & Hutter 2017, without restarts).
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cosine {
    /// Number of epochs from the highest rate to the lowest, after which it rises again; if missing, all epochs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub t_max: Option<usize>,
    /// Lowest rate.
    pub eta_min: f64,
}

/// `OneCycleLR` (Smith & Topin 2018) with cosines over all steps of the training; momentum is not changed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OneCycle {
    /// Fraction of the steps in which the rate rises.
    pub pct_start: f64,
    /// Quotient of the highest and the first rate.
    pub div_factor: f64,
    /// Quotient of the first and the last rate.
    pub final_div_factor: f64,
}

/// `CyclicLR` (Smith 2015): linear rise and fall.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cyclical {
    /// Number of epochs of a rise, and of a fall; Smith advises 2 to 10 for both together.
    pub step_size: f64,
    /// Quotient of the highest and the lowest rate; Smith advises 3 or 4.
    pub div_factor: f64,
    /// Height of the cycles.
    pub mode: Mode,
    /// For the mode `exp_range`: factor of the height at every step.
    pub gamma: f64,
}

/// Height of the cycles of [`Cyclical`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// All cycles have the same height.
    #[default]
    Triangular,
    /// Each cycle is half as high as the one before.
    Triangular2,
    /// The height falls with every step.
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

/// Position of a training before one of its steps.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// Metrics of the completed epochs.
    pub history: &'a [EpochRow],
    /// Number of the step since the first epoch, from 0.
    pub step: u64,
    /// Number of steps per epoch.
    pub steps: usize,
    /// Number of epochs.
    pub epochs: usize,
}

impl Schedule {
    /// Returns the rate of one step; `base` is the training's `learning_rate`.
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

    /// Validates every value; `base` is the training's `learning_rate`.
    ///
    /// # Errors
    /// [`Error::Setting`] with the first invalid value.
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
        // With very few steps, there may be none for the rise.
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

/// Interpolates between two rates along half a cosine; `way` goes from 0 to 1.
fn between(from: f64, to: f64, way: f64) -> f64 {
    to + (from - to) / 2.0 * (1.0 + (PI * way).cos())
}

fn power(base: f64, exponent: usize) -> f64 {
    base.powi(exponent.try_into().unwrap_or(i32::MAX))
}

#[cfg(test)]
mod tests;
