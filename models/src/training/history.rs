//! What a training did, epoch by epoch: `history.csv`.

use serde::{Deserialize, Serialize};

/// One epoch.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct EpochRow {
    /// Counted from 1.
    pub epoch: usize,
    /// Mean loss over the training clips, penalties left out.
    pub train_loss: f64,
    /// Share of right answers while training (with dropout on).
    pub train_accuracy: f64,
    /// Mean loss over the validation clips; empty where there are none.
    pub validation_loss: Option<f64>,
    /// Share of right answers on the validation clips.
    pub validation_accuracy: Option<f64>,
    /// Weighted F1 on the validation clips.
    pub validation_f1: Option<f64>,
    /// The learning rate of this epoch's last step.
    pub learning_rate: f64,
    /// Wall-clock seconds, validation included; 0 where they are not known.
    pub seconds: f64,
}
