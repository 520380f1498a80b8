//! `melgrad evaluate`

use crate::failure::Failure;
use crate::options::{DeviceArgs, cache_dir};
use crate::progress::Progress;
use crate::terminal;
use clap::Args;
use melgrad::models::pipeline::{Evaluating, evaluate_run};
use std::path::PathBuf;

/// How well a trained network does: precision, recall, F1 by class, accuracy, confusion matrix
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  melgrad evaluate run\n  melgrad evaluate run --data other-music --json"
)]
pub struct Evaluate {
    /// The folder that `melgrad train` wrote
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// A folder with one folder per label; the run's own held-back clips where not given
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// One JSON document: {"accuracy", "macro": {"precision", "recall", "f1"}, "weighted": {…}, "classes": [{"label",
    /// "precision", "recall", "f1", "support"}], "confusion": [[…]]}
    #[arg(long)]
    json: bool,
    /// Keep no features on disk
    #[arg(long)]
    no_cache: bool,
    #[command(flatten)]
    device: DeviceArgs,
}

impl Evaluate {
    pub fn run(self) -> Result<(), Failure> {
        let cache = cache_dir(self.no_cache);
        let evaluating = Evaluating {
            run: &self.run,
            data: self.data.as_deref(),
            cache: cache.as_deref(),
        };
        let device = self.device.open()?;
        let evaluation =
            Progress::new().watch(|control| evaluate_run(&evaluating, &device, control))?;
        terminal::note(&evaluation.note);
        match self.json {
            true => terminal::print_json(&evaluation.metrics),
            false => terminal::print(&evaluation.metrics.to_string()),
        }
    }
}
