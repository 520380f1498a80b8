//! Training settings of a recipe.

use engine::Rule;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::input::augment::{Augmentation, SoundVariants};
use crate::training::history::EpochRow;
use crate::training::schedule::Schedule;

/// Training settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainingSettings {
    /// Maximum number of epochs.
    pub epochs: usize,
    /// Batch size; the last step of an epoch takes the remaining examples.
    pub batch: usize,
    /// Optimizer: `"sgd"`, `"rmsprop"`, `"adam"` or `"adamw"` with PyTorch's defaults, or a table with `kind` and
    /// settings of its own.
    pub optimizer: Rule,
    /// Learning rate.
    pub learning_rate: f64,
    /// Learning-rate schedule; if missing, the rate is constant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// L2 penalty on all weights, added to their gradients as `2·l2·w`: Keras' definition. Weights are the parameters
    /// with more than one axis: not biases nor the scale of BatchNorm, which Keras' `kernel_regularizer` also excludes.
    /// (PyTorch's `weight_decay` applies to all parameters; it is a setting of the optimizer.)
    pub l2: f64,
    /// Maximum norm of all gradients together; larger ones are scaled down (clipping by norm).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_norm: Option<f64>,
    /// Whether the loss uses class weights: clips / (labels · clips of the label), scikit-learn's "balanced".
    pub class_weights: bool,
    /// How much of the belief in a label is spread over all of them, from 0 to 1; PyTorch's `label_smoothing`. The
    /// losses
    /// that are reported are without it.
    pub label_smoothing: f64,
    /// Random augmentation of training examples, in this order; see [`crate::input::augment`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub augment: Vec<Augmentation>,
    /// Variants of the training clips, whose audio is changed before features are computed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sound: Option<SoundVariants>,
    /// Where features are computed.
    #[serde(skip_serializing_if = "Extract::is_ahead")]
    pub extract: Extract,
    /// Frozen layers, by their paths in the network: see [`engine::Network::freeze`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub frozen: Vec<String>,
    /// Criterion of the best epoch, whose weights are kept.
    pub best: Best,
    /// Stop early after this many epochs without improvement; never, where it is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patience: Option<usize>,
}

impl Default for TrainingSettings {
    fn default() -> Self {
        TrainingSettings {
            epochs: 30,
            batch: 32,
            optimizer: Rule::default(),
            learning_rate: 1e-3,
            schedule: None,
            l2: 0.0,
            clip_norm: None,
            class_weights: false,
            label_smoothing: 0.0,
            augment: Vec::new(),
            sound: None,
            extract: Extract::Ahead,
            frozen: Vec::new(),
            best: Best::Loss,
            patience: None,
        }
    }
}

/// Where a training's features are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Extract {
    /// On the CPU, before the training; they are cached for the next one.
    #[default]
    Ahead,
    /// On the training's device, for every batch anew.
    Device,
}

impl Extract {
    pub(crate) fn is_ahead(&self) -> bool {
        *self == Extract::Ahead
    }
}

/// Criterion of the best epoch, on the validation clips. Without validation clips it is the last epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Best {
    /// Lowest loss.
    #[default]
    Loss,
    /// Highest accuracy; if equal, lowest loss.
    Accuracy,
    /// Highest weighted F1; if equal, lowest loss.
    F1,
    /// The last epoch, whatever its metrics.
    Last,
}

impl Best {
    /// Whether `new` is better than `old`.
    #[must_use]
    pub fn prefers(self, new: &EpochRow, old: &EpochRow) -> bool {
        let key = |row: &EpochRow| {
            let loss = -row.validation_loss?;
            let first = match self {
                Best::Loss => loss,
                Best::Accuracy => row.validation_accuracy?,
                Best::F1 => row.validation_f1?,
                Best::Last => return None,
            };
            Some((first, loss))
        };
        match (key(new), key(old)) {
            (Some(new), Some(old)) => new.0 > old.0 || (new.0 == old.0 && new.1 > old.1),
            _ => true,
        }
    }
}

impl TrainingSettings {
    /// Validates every value.
    ///
    /// # Errors
    /// [`Error::Setting`] with the first invalid value.
    pub fn check(&self) -> Result<(), Error> {
        if self.epochs == 0 {
            return Err(Error::setting("training.epochs", "0 epochs; at least 1"));
        }
        if self.batch == 0 {
            return Err(Error::setting("training.batch", "0 examples; at least 1"));
        }
        if self.patience == Some(0) {
            return Err(Error::setting("training.patience", "0 epochs; at least 1"));
        }
        // Devices compute in f32.
        let finite = |value: f64| (value as f32).is_finite();
        if !(finite(self.learning_rate) && self.learning_rate > 0.0) {
            return Err(Error::setting(
                "training.learning_rate",
                format!("{} is no learning rate", self.learning_rate),
            ));
        }
        if let Some(schedule) = &self.schedule {
            schedule.check(self.learning_rate)?;
        }
        if !(finite(self.l2) && self.l2 >= 0.0) {
            return Err(Error::setting(
                "training.l2",
                format!("{} is no penalty", self.l2),
            ));
        }
        if let Some(norm) = self.clip_norm.filter(|n| !(n.is_finite() && *n > 0.0)) {
            return Err(Error::setting(
                "training.clip_norm",
                format!("{norm} is no norm to clip to"),
            ));
        }
        if !(0.0..=1.0).contains(&self.label_smoothing) {
            return Err(Error::setting(
                "training.label_smoothing",
                format!("{} does not lie between 0 and 1", self.label_smoothing),
            ));
        }
        self.augment.iter().try_for_each(Augmentation::check)?;
        if let Some(sound) = &self.sound {
            sound.check()?;
        }
        self.optimizer
            .check()
            .map_err(|error| Error::setting("training.optimizer", error.to_string()))
    }
}

/// Returns the weight of every label in the loss; labels without training clips have weight 0.
#[must_use]
pub fn balanced_weights(counts: &[usize]) -> Vec<f32> {
    let present = counts.iter().filter(|&&count| count > 0).count();
    let total: usize = counts.iter().sum();
    let weight = |&count: &usize| {
        if count == 0 {
            0.0
        } else {
            total as f32 / (present as f32 * count as f32)
        }
    };
    counts.iter().map(weight).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(loss: f64, accuracy: f64) -> EpochRow {
        EpochRow {
            validation_loss: Some(loss),
            validation_accuracy: Some(accuracy),
            validation_f1: Some(accuracy),
            ..Default::default()
        }
    }

    #[test]
    fn the_best_epoch_by_each_measure() {
        assert!(Best::Loss.prefers(&row(0.5, 0.1), &row(0.6, 0.9)));
        assert!(!Best::Loss.prefers(&row(0.6, 0.9), &row(0.6, 0.1)));
        assert!(Best::Accuracy.prefers(&row(0.9, 0.8), &row(0.1, 0.7)));
        assert!(Best::F1.prefers(&row(0.4, 0.8), &row(0.5, 0.8)));
        assert!(!Best::F1.prefers(&row(0.5, 0.8), &row(0.5, 0.8)));
        assert!(Best::Last.prefers(&row(9.0, 0.0), &row(0.1, 1.0)));
        let without = EpochRow::default();
        assert!(
            Best::Loss.prefers(&without, &without),
            "without validation the last epoch is kept"
        );
    }

    #[test]
    fn weights_are_balanced() {
        assert_eq!(balanced_weights(&[3, 3]), [1.0, 1.0]);
        assert_eq!(balanced_weights(&[1, 3]), [2.0, 2.0 / 3.0]);
        assert_eq!(balanced_weights(&[0, 4, 4]), [0.0, 1.0, 1.0]);
        assert!(balanced_weights(&[]).is_empty());
    }

    #[test]
    fn values_that_make_no_sense_are_named() {
        type Spoil = fn(&mut TrainingSettings);
        let cases: [(&str, Spoil); 10] = [
            ("epochs", |s| s.epochs = 0),
            ("batch", |s| s.batch = 0),
            ("patience", |s| s.patience = Some(0)),
            ("learning_rate", |s| s.learning_rate = f64::NAN),
            ("l2", |s| s.l2 = -1.0),
            ("l2", |s| s.l2 = 1e39),
            ("step_size = 0", |s| {
                s.schedule = Some(Schedule::Step(crate::training::schedule::Step {
                    step_size: 0,
                    ..Default::default()
                }));
            }),
            ("label_smoothing", |s| s.label_smoothing = 1.5),
            ("clip_norm", |s| s.clip_norm = Some(0.0)),
            ("optimizer", |s| {
                s.optimizer = Rule::Sgd(engine::optim::Sgd {
                    momentum: 1.5,
                    ..Default::default()
                });
            }),
        ];
        for (name, spoil) in cases {
            let mut settings = TrainingSettings::default();
            settings.check().unwrap();
            spoil(&mut settings);
            assert!(settings.check().unwrap_err().to_string().contains(name));
        }
    }
}
