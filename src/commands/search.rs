//! `melgrad search`

use crate::failure::Failure;
use crate::interrupt;
use crate::options::{self, DeviceArgs, cache_dir, count};
use crate::overrides::{Overrides, key_value};
use crate::progress::Progress;
use crate::terminal;
use clap::Args;
use melgrad::models::Error;
use melgrad::models::recipe::Recipe;
use melgrad::models::run::folder::is_search;
use melgrad::models::run::pipeline::Training;
use melgrad::models::run::search::{self, Found, best_recipe};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

/// Default number of trials.
const TRIALS: usize = 10;

/// Search settings at random within the recipe's ranges; compare on validation clips
#[derive(Debug, Args)]
#[command(
    after_help = "The recipe's table `[search]`, or --range, sets the ranges. Settings have the names of --set; a layer's \
                        has the layer's path (`melgrad summary` lists them):\n\n  [search]\n  \
                        \"training.learning_rate\" = { from = 1e-4, to = 1e-2, log = true }\n  \
                        \"architecture.conv1.out_channels\" = { from = 32, to = 128, step = 16 }\n  \
                        \"architecture.conv1.activation\" = [\"relu\", \"elu\", \"tanh\"]\n\n\
                        All trials share the split of --seed; the test clips are not used. OUT gets trials.csv, \
                        best.toml (a recipe) and a run for each trial.\n\nExamples:\n  \
                        melgrad search my.toml --data music --trials 20 --out found\n  \
                        melgrad search ajufo-cnn --data music --out found \\\n    \
                        --range 'training.learning_rate={ from = 1e-4, to = 1e-2, log = true }'\n  \
                        melgrad search --resume --out found --trials 40\n  \
                        melgrad train --data music --recipe found/best.toml --out run"
)]
pub struct Search {
    /// Recipe: its name (`melgrad recipes` lists them) or a .toml file
    #[arg(value_name = "R", required_unless_present = "resume")]
    recipe: Option<PathBuf>,
    /// Dataset: a folder with one folder per label
    #[arg(long, value_name = "DIR", required_unless_present = "resume")]
    data: Option<PathBuf>,
    /// Number of trials [default: 10]
    #[arg(long, value_name = "N")]
    trials: Option<NonZeroUsize>,
    /// Folder to write [default: found, or the first free of found-2, -3, …]
    #[arg(long, value_name = "OUT", required_if_eq("resume", "true"))]
    out: Option<PathBuf>,
    /// Continue the interrupted search in --out, or run more --trials
    #[arg(long, conflicts_with_all = ["recipe", "data", "range", "epochs", "batch", "lr", "patience", "validation", "test",
        "group", "split", "layout", "seconds", "set", "seed", "weights"])]
    resume: bool,
    /// Range of a setting, instead of the recipe's
    #[arg(long, value_name = "KEY=RANGE", value_parser = key_value)]
    range: Vec<(String, String)>,
    #[command(flatten)]
    changes: Overrides,
    /// Random seed of the draws, the split, initial weights, order of clips and dropout
    #[arg(long, value_name = "N", default_value = "0", value_parser = options::seed)]
    seed: u64,
    /// Print one JSON document: {"best", "trials": [{"trial", "drawn", "score", …}]}
    #[arg(long)]
    json: bool,
    /// Do not cache features on disk
    #[arg(long)]
    no_cache: bool,
    #[command(flatten)]
    device: DeviceArgs,
}

impl Search {
    pub fn run(self) -> Result<(), Failure> {
        let cache = cache_dir(self.no_cache);
        let cache = cache.as_deref();
        let trials = self.trials.map(NonZeroUsize::get);
        let out = self.out.clone().unwrap_or_else(|| options::free("found"));
        let stopped = |out: &Path| options::stopped(out, "search", is_search(out));
        let folder = out.clone();
        interrupt::last_words(move || stopped(&folder));
        let found = if self.resume {
            let device = self.device.open()?;
            Progress::new().watch(|control| search::resume(&out, trials, cache, &device, control))
        } else {
            let missing = || Failure::usage("a recipe and --data DIR are missing");
            let data = self.data.as_deref().ok_or_else(missing)?;
            let name = self.recipe.as_deref().ok_or_else(missing)?;
            let mut recipe = Recipe::load(&name.to_string_lossy())?;
            self.changes.apply(&mut recipe)?;
            for (key, range) in &self.range {
                recipe
                    .set_range(key, range)
                    .map_err(|error| Failure::usage(format!("--range: {error}")))?;
            }
            let training = Training {
                data,
                recipe,
                out: &out,
                seed: self.seed,
                cache,
                profile: false,
            };
            let device = self.device.open()?;
            let trials = trials.unwrap_or(TRIALS);
            Progress::new().watch(|control| search::search(&training, trials, &device, control))
        };
        let found = found.map_err(|error| match error {
            Error::Stopped => stopped(&out),
            error => error.into(),
        })?;
        self.tell(&found, &out)
    }

    fn tell(&self, found: &Found, out: &Path) -> Result<(), Failure> {
        for trial in found.ranking().iter().take(5) {
            let drawn = trial
                .drawn
                .iter()
                .map(|(key, value)| format!("{key} = {value}"));
            let drawn: Vec<String> = drawn.collect();
            let came = match (trial.validation_accuracy, trial.validation_loss) {
                (Some(accuracy), Some(loss)) => format!("accuracy {accuracy:.3}, loss {loss:.4}"),
                _ => "failed".into(),
            };
            terminal::note(&format!(
                "trial {}: {came}; {}",
                trial.trial,
                drawn.join(", ")
            ));
        }
        terminal::note(&count(found.trials.len(), "trial"));
        if self.json {
            terminal::print_json(found)?;
        }
        match found.best {
            Some(_) if self.json => Ok(()),
            Some(_) => terminal::print_path(&best_recipe(out)),
            None => Err(Failure::new("every trial failed").hint("trials.csv tells why")),
        }
    }
}
