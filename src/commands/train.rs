//! `melgrad train`

use crate::failure::Failure;
use crate::interrupt;
use crate::options::{self, DeviceArgs, cache_dir};
use crate::overrides::Overrides;
use crate::progress::Progress;
use crate::terminal;
use clap::Args;
use melgrad::models::Error;
use melgrad::models::recipe::Recipe;
use melgrad::models::run::folder::RunFolder;
use melgrad::models::run::pipeline::{
    Outcome, Resuming, Series, SeriesOutcome, Training, is_series, resume, resume_series,
    train_folder, train_series,
};
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// Recipe whose settings go with a network from --arch.
const BASE: &str = "georgopoulos-cnn";

/// Train a network on a folder of labelled audio
#[derive(Debug, Args)]
#[command(
    after_help = "DIR holds one folder per label with audio files, or spectrogram images (PNG); or it is GTZAN, FMA \
                        or Ballroom as downloaded; or a table of features (.csv, .tsv). Clips of one recording (the name up \
                        to the take: 1-17367-A and 1-17367-B) stay in the same part of the split. RUN gets run.toml, \
                        best.safetensors, last.safetensors, history.csv, metrics.json, report.html and TensorBoard's \
                        events.\n\nExamples:\n  melgrad train --data music --recipe ajufo-cnn --out run\n  \
                        melgrad train --data music --arch my-network.toml --epochs 20 --lr 0.0005 --out run\n  \
                        melgrad train --data esc10 --recipe georgopoulos-cnn --test '4-*' --seconds 3 --out run\n  \
                        melgrad train --data music --recipe ajufo-cnn --repeats 5 --out five-seeds\n  \
                        melgrad train --data music --recipe ajufo-cnn --folds 5 --out five-folds\n  \
                        melgrad train --resume --out run"
)]
pub struct Train {
    /// Dataset: a folder with one folder per label, GTZAN, FMA, Ballroom, or a table of features (.csv, .tsv)
    #[arg(long, value_name = "DIR", required_unless_present = "resume")]
    data: Option<PathBuf>,
    /// Recipe: its name (`melgrad recipes` lists them) or a .toml file
    #[arg(long, value_name = "R", required_unless_present_any = ["resume", "arch"])]
    recipe: Option<PathBuf>,
    /// Your own network, a .toml or .json file with `layers`, instead of the recipe's. Without --recipe the other
    /// settings are those of georgopoulos-cnn
    #[arg(long, value_name = "FILE")]
    arch: Option<PathBuf>,
    /// Folder to write
    #[arg(long, value_name = "RUN")]
    out: PathBuf,
    /// Continue the interrupted run in --out, or train it for more --epochs. --recipe, --batch, --lr and --seed may
    /// be repeated unchanged
    #[arg(long, conflicts_with_all = ["arch", "patience", "validation", "test", "group", "split", "layout", "seconds",
        "set", "weights"])]
    resume: bool,
    #[command(flatten)]
    changes: Overrides,
    /// Random seed of the split, initial weights, order of clips and dropout [default: 0]
    #[arg(long, value_name = "N", value_parser = options::seed)]
    seed: Option<u64>,
    /// Train N times, with --seed and the next N - 1 seeds; report mean and spread. RUN gets a run for each,
    /// series.json and report.html
    #[arg(long, value_name = "N", conflicts_with = "resume")]
    repeats: Option<NonZeroUsize>,
    /// K-fold cross-validation by group: train K times, each time with another fold as the test; --validation clips
    /// come from the rest. With --repeats it trains N × K times
    #[arg(long, value_name = "K", conflicts_with_all = ["resume", "test"])]
    folds: Option<usize>,
    /// Do not cache features on disk
    #[arg(long)]
    no_cache: bool,
    /// Print where training steps spend their time, kernel by kernel
    #[arg(long)]
    profile: bool,
    #[command(flatten)]
    device: DeviceArgs,
}

impl Train {
    pub fn run(self) -> Result<(), Failure> {
        let cache = cache_dir(self.no_cache);
        let cache = cache.as_deref();
        let out = self.out.clone();
        interrupt::last_words(move || options::training_stopped(&out));
        let outcome = if self.resume {
            self.said_again()?;
            let resuming = Resuming {
                run: &self.out,
                data: self.data.as_deref(),
                epochs: self.changes.epochs(),
                cache,
                profile: self.profile,
            };
            let device = self.device.open()?;
            if is_series(&self.out) {
                let outcome =
                    Progress::new().watch(|control| resume_series(&resuming, &device, control));
                return self.tell_series(outcome);
            }
            Progress::new().watch(|control| resume(&resuming, &device, control))
        } else {
            // clap requires it.
            let data = self
                .data
                .as_deref()
                .ok_or_else(|| Failure::usage("--data DIR is missing"))?;
            let training = Training {
                data,
                recipe: self.recipe()?,
                out: &self.out,
                seed: self.seed.unwrap_or(0),
                cache,
                profile: self.profile,
            };
            let device = self.device.open()?;
            if let Some(series) = self.series()? {
                let outcome = Progress::new()
                    .watch(|control| train_series(&training, series, &device, control));
                return self.tell_series(outcome);
            }
            Progress::new().watch(|control| train_folder(&training, &device, control))
        };
        let outcome = outcome.map_err(|error| self.failed(error))?;
        terminal::note(&summary(&outcome));
        terminal::note(&format!("report: {}", outcome.run.report().display()));
        terminal::print_path(&outcome.run.trained())
    }

    fn failed(&self, error: Error) -> Failure {
        match (error, self.arch.as_ref().or(self.recipe.as_ref())) {
            (Error::Stopped, _) => options::training_stopped(&self.out),
            (error, Some(network)) => Failure::with_network(network, error),
            (error, None) => error.into(),
        }
    }

    /// Checks that flags repeated with --resume have the run's values.
    fn said_again(&self) -> Result<(), Failure> {
        let recipe = match &self.recipe {
            Some(recipe) => Some(Recipe::load(&recipe.to_string_lossy())?.name),
            None => None,
        };
        let (seed, [batch, rate]) = (self.seed.map(|n| n.to_string()), self.changes.steps());
        let said = [
            ("--recipe", recipe),
            ("--seed", seed),
            ("--batch", batch),
            ("--lr", rate),
        ];
        if said.iter().all(|(_, said)| said.is_none()) {
            return Ok(());
        }
        if is_series(&self.out) {
            let problem = "--resume: a series has its own --recipe, --seed, --batch and --lr";
            return Err(Failure::usage(problem));
        }
        let own = RunFolder::open(&self.out)?.settings()?;
        let training = &own.recipe.training;
        let rate = format!("{:?}", training.learning_rate);
        let has = [
            own.recipe.name,
            own.seed.to_string(),
            training.batch.to_string(),
            rate,
        ];
        for ((flag, said), has) in said.into_iter().zip(has) {
            if let Some(said) = said.filter(|said| *said != has) {
                return Err(Failure::usage(format!("{flag} {said}: the run has {has}")));
            }
        }
        Ok(())
    }

    /// Returns the series, if there is more than one training.
    fn series(&self) -> Result<Option<Series>, Error> {
        let repeats = self.repeats.map_or(1, NonZeroUsize::get);
        let series = || Series::repeats(self.seed.unwrap_or(0), repeats, self.folds);
        (repeats > 1 || self.folds.is_some())
            .then(series)
            .transpose()
    }

    fn tell_series(&self, outcome: Result<SeriesOutcome, Error>) -> Result<(), Failure> {
        let outcome = outcome.map_err(|error| self.failed(error))?;
        for (name, spread) in &outcome.spread {
            terminal::note(&format!("{name}: {spread}"));
        }
        if let Some(all) = &outcome.together {
            let (total, accuracy) = (all.total(), all.accuracy);
            terminal::note(&format!(
                "all {total} tested clips together: accuracy {accuracy:.3}"
            ));
        }
        terminal::note(&format!(
            "report: {}",
            self.out.join("report.html").display()
        ));
        terminal::print_path(&self.out.join("series.json"))
    }

    /// Returns the recipe, changed by the flags.
    fn recipe(&self) -> Result<Recipe, Failure> {
        let mut recipe = match &self.recipe {
            Some(name) => Recipe::load(&name.to_string_lossy())?,
            None => {
                terminal::note(&format!(
                    "settings: those of {BASE}, for want of a --recipe"
                ));
                Recipe::load(BASE)?
            }
        };
        if let Some(path) = &self.arch {
            recipe = recipe.with_architecture(path)?;
        }
        self.changes.apply(&mut recipe)?;
        Ok(recipe)
    }
}

fn summary(outcome: &Outcome) -> String {
    let best = match outcome.history.len() {
        0 => "fitted".into(),
        epochs => format!("best epoch: {} of {epochs}", outcome.best_epoch),
    };
    match &outcome.metrics {
        Some(metrics) => format!(
            "{best}; on {} held-back clips: accuracy {:.3}, macro F1 {:.3}",
            metrics.total(),
            metrics.accuracy,
            metrics.macro_mean.f1
        ),
        None => format!("{best}; no clips were held back for a test"),
    }
}
