//! End of a training: test and report.

use super::evaluate::ask;
use super::model::TrainedModel;
use super::options::Options;
use super::outcome::Outcome;
use super::page;
use crate::Error;
use crate::base::files;
use crate::input::features::Prepared;
use crate::report::confusion_svg;
use crate::run::folder::{RunFolder, RunSettings};
use crate::training::history::EpochRow;

/// A training before its test.
pub(super) struct Trained {
    pub run: RunFolder,
    pub settings: RunSettings,
    pub history: Vec<EpochRow>,
    pub best_epoch: usize,
    pub seconds: f64,
    pub warnings: Vec<String>,
}

impl Trained {
    /// Evaluates the model on the test clips and writes the report.
    pub(super) fn evaluated(
        mut self,
        prepared: &Prepared,
        test: &[usize],
        how: &Options<'_>,
    ) -> Result<Outcome, Error> {
        let (device, control) = (how.device, how.control);
        let (metrics, tested) = if !how.test {
            (None, Vec::new())
        } else if test.is_empty() {
            let words = "no clips are kept for a test: nothing tells how good the network is";
            control.warn(&mut self.warnings, [words.into()]);
            (None, Vec::new())
        } else {
            let trained = TrainedModel::of_run(&self.run, &self.settings, device)?;
            let (metrics, tested) = ask(&trained, prepared, test, control)?;
            self.run.write_metrics(&metrics)?;
            (Some(metrics), tested)
        };
        let outcome = Outcome {
            run: self.run,
            settings: self.settings,
            history: self.history,
            best_epoch: self.best_epoch,
            seconds: self.seconds,
            metrics,
            tested,
            warnings: self.warnings,
        };
        if let Some(metrics) = &outcome.metrics {
            let picture = confusion_svg(metrics);
            files::write_bytes(&outcome.run.confusion(), picture.as_bytes())?;
        }
        let page = page::report(&outcome)?.html();
        files::write_bytes(&outcome.run.report(), page.as_bytes())?;
        Ok(outcome)
    }
}
