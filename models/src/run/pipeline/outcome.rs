//! Result of a training: test, report, metrics.

use std::collections::BTreeMap;

use super::evaluate::ClipAnswer;
use crate::evaluation::metrics::Metrics;
use crate::run::folder::{RunFolder, RunSettings};
use crate::training::history::EpochRow;

/// Result of a training.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Folder of the run.
    pub run: RunFolder,
    /// All settings.
    pub settings: RunSettings,
    /// Metrics of every epoch.
    pub history: Vec<EpochRow>,
    /// Number of the epoch whose weights were kept, counted from 1; 0 if there are no epochs.
    pub best_epoch: usize,
    /// Wall-clock seconds of all epochs; without epochs, those of the fitting.
    pub seconds: f64,
    /// Metrics on the test clips; `None` if there are none.
    pub metrics: Option<Metrics>,
    /// Predictions for all test clips.
    pub tested: Vec<ClipAnswer>,
    /// Warnings for readers of the metrics. All were also sent as `Event::Warning`.
    pub warnings: Vec<String>,
}

impl Outcome {
    /// The figures of the best epoch and of the test clips, under the names that recipes claim them by: `accuracy`,
    /// `precision`, `recall`, `f1` (macro), `weighted_f1`, `validation_accuracy`, `validation_f1`, `validation_loss`;
    /// and
    /// `train_accuracy`, that of the last epoch, with dropout on.
    #[must_use]
    pub fn figures(&self) -> BTreeMap<String, f64> {
        let best = self.best_epoch.checked_sub(1);
        let row = best.and_then(|best| self.history.get(best));
        let of_row = |figure: fn(&EpochRow) -> Option<f64>| row.and_then(figure);
        let of_test = |figure: fn(&Metrics) -> f64| self.metrics.as_ref().map(figure);
        let all = [
            ("accuracy", of_test(|m| m.accuracy)),
            ("precision", of_test(|m| m.macro_mean.precision)),
            ("recall", of_test(|m| m.macro_mean.recall)),
            ("f1", of_test(|m| m.macro_mean.f1)),
            ("weighted_f1", of_test(|m| m.weighted.f1)),
            ("validation_accuracy", of_row(|row| row.validation_accuracy)),
            ("validation_f1", of_row(|row| row.validation_f1)),
            ("validation_loss", of_row(|row| row.validation_loss)),
            (
                "train_accuracy",
                self.history.last().map(|row| row.train_accuracy),
            ),
        ];
        let known = all
            .into_iter()
            .filter_map(|(name, figure)| Some((name.into(), figure?)));
        known.collect()
    }
}
