//! How long work reports its progress and is stopped.
//!
//! This crate draws nothing: the command line turns [`Event`]s into bars and lines.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::Error;
use crate::training::history::EpochRow;

/// Progress event.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Event<'a> {
    /// Warning for the user; the work continues.
    Warning(&'a str),
    /// A dataset was read.
    Dataset {
        /// Layout on disk, as `--layout` spells it.
        layout: crate::data::dataset::Layout,
        /// Number of labels.
        labels: usize,
        /// Number of clips.
        clips: usize,
    },
    /// A clip of synthetic music was written.
    Synthesis {
        /// Number of clips done.
        done: usize,
        /// Total number of clips.
        total: usize,
    },
    /// The features of a clip are ready.
    Features {
        /// Number of clips done.
        done: usize,
        /// Total number of clips.
        total: usize,
    },
    /// A benchmark row was measured.
    Bench {
        /// Number of rows measured.
        done: usize,
        /// Total number of rows.
        total: usize,
        /// Name of the last row.
        name: &'a str,
    },
    /// One of several trainings starts.
    Run {
        /// Number of the run, counted from 1.
        number: usize,
        /// Total number of runs.
        runs: usize,
        /// Name of the run's folder.
        name: &'a str,
    },
    /// The dataset was split.
    Split {
        /// Number of labels.
        labels: usize,
        /// Number of training clips.
        train: usize,
        /// Number of validation clips.
        validation: usize,
        /// Number of test clips.
        test: usize,
    },
    /// A training starts or resumes.
    Training {
        /// Number of the first epoch to run, counted from 1.
        first_epoch: usize,
        /// Number of the last epoch, unless training stops early.
        epochs: usize,
        /// Number of steps per epoch.
        steps: usize,
    },
    /// A training step was completed.
    Step {
        /// Number of the epoch, counted from 1.
        epoch: usize,
        /// Number of the step, counted from 1.
        step: usize,
        /// Number of steps in this epoch.
        steps: usize,
    },
    /// Profile of training steps.
    #[cfg(not(target_arch = "wasm32"))]
    Profile(&'a crate::training::train::StepProfile),
    /// An epoch was completed, validation included.
    Epoch {
        /// Metrics of the epoch.
        row: &'a EpochRow,
        /// Whether the epoch is the best so far.
        best: bool,
    },
}

/// Callback and stop flag of long work.
#[derive(Clone, Copy)]
pub struct Control<'a> {
    /// Receives every event, from any thread.
    pub events: &'a (dyn Fn(Event<'_>) + Sync),
    /// Once true, the work soon ends with [`Error::Stopped`]; what is done is kept.
    pub stop: &'a AtomicBool,
}

impl Control<'_> {
    /// Ignores all events and never stops.
    #[must_use]
    pub fn none() -> Control<'static> {
        static NEVER: AtomicBool = AtomicBool::new(false);
        Control {
            events: &|_| (),
            stop: &NEVER,
        }
    }

    /// Reports some warnings and keeps them.
    #[cfg(feature = "report")]
    pub(crate) fn warn(&self, warnings: &mut Vec<String>, new: impl IntoIterator<Item = String>) {
        for warning in new {
            self.tell(Event::Warning(&warning));
            warnings.push(warning);
        }
    }

    /// Passes an event to the callback.
    pub fn tell(&self, event: Event<'_>) {
        (self.events)(event);
    }

    /// Checks whether the work may continue.
    ///
    /// # Errors
    /// [`Error::Stopped`] once a stop was requested.
    pub fn check(&self) -> Result<(), Error> {
        if self.stop.load(Ordering::Relaxed) {
            Err(Error::Stopped)
        } else {
            Ok(())
        }
    }
}

impl std::fmt::Debug for Control<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Control")
            .field("stop", self.stop)
            .finish_non_exhaustive()
    }
}
