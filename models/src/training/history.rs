//! History of a training, epoch by epoch: `history.csv`.

use serde::{Deserialize, Serialize};

/// One epoch.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct EpochRow {
    /// Number of the epoch, counted from 1.
    pub epoch: usize,
    /// Mean loss over the training clips, without penalties.
    pub train_loss: f64,
    /// Accuracy while training (with dropout on).
    pub train_accuracy: f64,
    /// Mean loss over the validation clips; empty if there are none.
    pub validation_loss: Option<f64>,
    /// Accuracy on the validation clips.
    pub validation_accuracy: Option<f64>,
    /// Weighted F1 on the validation clips.
    pub validation_f1: Option<f64>,
    /// Learning rate of this epoch's last step.
    pub learning_rate: f64,
    /// Wall-clock seconds, validation included; 0 if unknown.
    pub seconds: f64,
}
