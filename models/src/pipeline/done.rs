//! The test and the report of what was trained.

use super::classical::Learnt;
use super::judge::ask;
use super::{How, Outcome, page};
use crate::features::Prepared;
use crate::history::EpochRow;
use crate::report::confusion_svg;
use crate::run::{RunFolder, RunSettings};
use crate::{Error, files};

/// A training whose test is still to come.
pub(super) struct Trained {
    pub run: RunFolder,
    pub settings: RunSettings,
    pub history: Vec<EpochRow>,
    pub best_epoch: usize,
    pub warnings: Vec<String>,
}

impl Trained {
    /// Asks the model about the test clips and writes the report.
    pub(super) fn judged(
        mut self,
        prepared: &Prepared,
        test: &[usize],
        how: &How<'_>,
    ) -> Result<Outcome, Error> {
        let (device, control) = (how.device, how.control);
        let (metrics, tested) = if !how.test {
            (None, Vec::new())
        } else if test.is_empty() {
            let words = "no clips are kept for a test: nothing tells how good the network is";
            control.warn(&mut self.warnings, [words.into()]);
            (None, Vec::new())
        } else {
            let learnt = Learnt::load(&self.run, &self.settings, device)?;
            let (metrics, tested) = ask(&learnt, prepared, test, control)?;
            self.run.write_metrics(&metrics)?;
            (Some(metrics), tested)
        };
        let outcome = Outcome {
            run: self.run,
            settings: self.settings,
            history: self.history,
            best_epoch: self.best_epoch,
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
