//! How long work tells where it is, and is told to stop.
//!
//! This crate draws nothing: the command line turns [`Event`]s into bars and lines.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::Error;
use crate::training::history::EpochRow;

/// Something that happened.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Event<'a> {
    /// Something a user should know; the work goes on.
    Warning(&'a str),
    /// A dataset is read.
    Dataset {
        /// How it lies on the disk, as `--layout` spells it.
        layout: crate::data::dataset::Layout,
        /// How many labels.
        labels: usize,
        /// How many clips.
        clips: usize,
    },
    /// So many of so many clips of synthetic music are written.
    Synthesis {
        /// Clips done.
        done: usize,
        /// Clips in all.
        total: usize,
    },
    /// So many of so many clips have become features.
    Features {
        /// Clips done.
        done: usize,
        /// Clips in all.
        total: usize,
    },
    /// So many of so many things are measured.
    Bench {
        /// Measured.
        done: usize,
        /// In all.
        total: usize,
        /// What was measured last.
        name: &'a str,
    },
    /// One of several trainings begins.
    Run {
        /// Counted from 1.
        number: usize,
        /// How many there are.
        runs: usize,
        /// Its folder's name.
        name: &'a str,
    },
    /// The clips are dealt out.
    Split {
        /// How many labels.
        labels: usize,
        /// Clips to learn from.
        train: usize,
        /// Clips that choose the epoch.
        validation: usize,
        /// Clips that are only looked at in the end.
        test: usize,
    },
    /// A training begins or goes on.
    Training {
        /// The epoch that begins, counted from 1.
        first_epoch: usize,
        /// The last epoch, unless it stops early.
        epochs: usize,
        /// Steps in every epoch.
        steps: usize,
    },
    /// A step of training is done.
    Step {
        /// Counted from 1.
        epoch: usize,
        /// Counted from 1.
        step: usize,
        /// Steps in this epoch.
        steps: usize,
    },
    /// Where the time of training steps goes.
    #[cfg(not(target_arch = "wasm32"))]
    Profile(&'a crate::training::train::StepProfile),
    /// An epoch is done, validation included.
    Epoch {
        /// Its figures.
        row: &'a EpochRow,
        /// Whether it is the best so far.
        best: bool,
    },
}

/// The way out of, and into, work that takes long.
#[derive(Clone, Copy)]
pub struct Control<'a> {
    /// Is handed every event, from any thread.
    pub events: &'a (dyn Fn(Event<'_>) + Sync),
    /// Once true, the work ends soon with [`Error::Stopped`]; what is done is kept.
    pub stop: &'a AtomicBool,
}

impl Control<'_> {
    /// Hears nothing and never stops.
    #[must_use]
    pub fn none() -> Control<'static> {
        static NEVER: AtomicBool = AtomicBool::new(false);
        Control {
            events: &|_| (),
            stop: &NEVER,
        }
    }

    /// Tells some warnings and keeps them.
    #[cfg(feature = "report")]
    pub(crate) fn warn(&self, warnings: &mut Vec<String>, new: impl IntoIterator<Item = String>) {
        for warning in new {
            self.tell(Event::Warning(&warning));
            warnings.push(warning);
        }
    }

    /// Hands an event to who listens.
    pub fn tell(&self, event: Event<'_>) {
        (self.events)(event);
    }

    /// Whether the work may go on.
    ///
    /// # Errors
    /// [`Error::Stopped`] once somebody asked for it.
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
