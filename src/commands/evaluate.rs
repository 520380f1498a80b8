//! `melgrad evaluate`

use crate::failure::Failure;
use crate::options::{DeviceArgs, cache_dir};
use crate::progress::Progress;
use crate::terminal;
use clap::Args;
use melgrad::models::base::files;
use melgrad::models::evaluation::metrics::Spread;
use melgrad::models::run::pipeline::{Evaluating, compare_runs, evaluate_run, runs_in};
use std::path::PathBuf;

/// Evaluate runs: precision, recall and F1 per class, accuracy, confusion matrix
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  melgrad evaluate run\n  melgrad evaluate run --data other-music --json\n  \
                  melgrad evaluate runs/* --out compared.html"
)]
pub struct Evaluate {
    /// Folders that `melgrad train` wrote; several are compared, as are the runs of a series (--repeats, --folds)
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<PathBuf>,
    /// Folder with one folder per label [default: the run's own test clips]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Print one JSON document: {"accuracy", "macro": {"precision", "recall", "f1"}, "weighted": {…}, "classes":
    /// [{"label", "precision", "recall", "f1", "support"}], "confusion": [[…]]}; for several runs a list of these, each
    /// also with "run", "recipe" and "clips"
    #[arg(long)]
    json: bool,
    /// HTML page to write, with all runs side by side
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Do not cache features on disk
    #[arg(long)]
    no_cache: bool,
    #[command(flatten)]
    device: DeviceArgs,
}

impl Evaluate {
    pub fn run(self) -> Result<(), Failure> {
        let cache = cache_dir(self.no_cache);
        let (data, cache) = (self.data.as_deref(), cache.as_deref());
        let device = self.device.open()?;
        let runs: Result<Vec<_>, _> = self.runs.iter().map(|dir| runs_in(dir)).collect();
        let runs = runs?.concat();
        if let ([run], None) = (runs.as_slice(), &self.out) {
            let evaluating = Evaluating { run, data, cache };
            let evaluation =
                Progress::new().watch(|control| evaluate_run(&evaluating, &device, control))?;
            terminal::note(&evaluation.note);
            return match self.json {
                true => terminal::print_json(&evaluation.metrics),
                false => terminal::print(&evaluation.metrics.to_string()),
            };
        }
        let comparison =
            Progress::new().watch(|control| compare_runs(&runs, data, cache, &device, control))?;
        if self.runs.len() == 1 && runs.len() > 1 {
            let accuracies = comparison.runs.iter().map(|run| run.metrics.accuracy);
            let spread = Spread::of(&accuracies.collect::<Vec<f64>>());
            terminal::note(&format!("accuracy: {spread}"));
        }
        if let Some(out) = &self.out {
            files::write_bytes(out, comparison.html().as_bytes())?;
            terminal::note(&format!("page: {}", out.display()));
        }
        match (self.json, comparison.runs.as_slice()) {
            (true, [run]) => terminal::print_json(&run.metrics),
            (true, _) => terminal::print_json(&comparison),
            (false, _) => terminal::print(&comparison.to_string()),
        }
    }
}
