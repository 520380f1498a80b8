//! Writing a training's files into its run folder.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use engine::ModelFile;

use crate::Error;
use crate::base::files;
use crate::report::tensorboard::EventFiles;
use crate::run::folder::RunFolder;
use crate::training::history::EpochRow;
use crate::training::train::Checkpoints;

/// Writes a training's files into its run folder.
pub(super) struct CheckpointWriter<'a> {
    run: &'a RunFolder,
    events: EventFiles,
}

impl<'a> CheckpointWriter<'a> {
    pub(super) fn new(run: &'a RunFolder) -> Result<Self, Error> {
        Ok(CheckpointWriter {
            events: EventFiles::create(&run.tensorboard())?,
            run,
        })
    }

    fn write(&self, path: &Path, model: &ModelFile) -> Result<(), Error> {
        let bytes = model
            .to_bytes()
            .map_err(Error::model(path.display().to_string()))?;
        files::write_bytes(path, &bytes)
    }
}

impl Checkpoints for CheckpointWriter<'_> {
    fn best(&mut self, model: &ModelFile) -> Result<(), Error> {
        self.write(&self.run.best(), model)
    }

    fn last(&mut self, model: &ModelFile, history: &[EpochRow]) -> Result<(), Error> {
        // The state is written first: after a crash between the two, the run resumes from it and rewrites the table.
        self.write(&self.run.last(), model)?;
        self.run.write_history(history)?;
        match history.last() {
            Some(row) => self.events.epoch(row, now()),
            None => Ok(()),
        }
    }
}

/// Returns the seconds since 1970.
fn now() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |time| time.as_secs_f64())
}
