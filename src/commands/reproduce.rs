//! `melgrad reproduce`

use crate::failure::Failure;
use crate::interrupt;
use crate::options::{self, DeviceArgs, cache_dir};
use crate::overrides;
use crate::progress::Progress;
use crate::terminal;
use clap::Args;
use melgrad::models::Error;
use melgrad::models::recipe::Recipe;
use melgrad::models::run::reproduce::{Reproducing, reproduce};
use std::path::{Path, PathBuf};

/// Run a paper's experiment and print claimed figures beside measured ones
#[derive(Debug, Args)]
#[command(
    after_help = "Trains once per seed, and with --folds once per seed and fold, into the series OUT/NAME (or \
                  OUT/NAME-5-folds). Writes OUT/NAME.json, with all metrics, their means and standard deviations. After \
                  Ctrl-C, the same command resumes. A second stage (amin-progressive-2) trains its first stage \
                  first, unless --weights gives a run of it.\n\nExamples:\n  melgrad reproduce ajufo-cnn --data \
                  gtzan\n  melgrad reproduce northrop-fcnn --data features_30_sec.csv --seeds 0 --folds 5\n  melgrad \
                  reproduce georgopoulos-cnn --data esc10 --seeds 0,1,2,3,4 --set split.test='4-*' --json"
)]
pub struct Reproduce {
    /// Recipe: its name (`melgrad recipes` lists them) or a .toml file
    #[arg(value_name = "NAME")]
    recipe: PathBuf,
    /// Dataset, as for `melgrad train`
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Folder for the runs and the result
    #[arg(long, value_name = "OUT", default_value = "reproduced")]
    out: PathBuf,
    /// Random seeds; each is one training
    #[arg(long, value_name = "N,N…", value_delimiter = ',', default_value = "0,1,2", value_parser = options::seed)]
    seeds: Vec<u64>,
    /// K-fold cross-validation by group, for each seed; validation clips come from the rest
    #[arg(long, value_name = "K")]
    folds: Option<usize>,
    /// Start from these weights: see `melgrad train`
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,
    /// What the split keeps together: track, artist or paper; see `melgrad train`
    #[arg(long, value_name = "FORM", value_parser = ["track", "artist", "paper"])]
    split: Option<String>,
    /// Any other setting of the recipe
    #[arg(long, value_name = "KEY=VALUE", value_parser = overrides::key_value)]
    set: Vec<(String, String)>,
    /// Print one JSON document: {"recipe", "claimed", "measured": {NAME: {"mean", "deviation", "runs"}}, …}
    #[arg(long)]
    json: bool,
    /// Do not cache features on disk
    #[arg(long)]
    no_cache: bool,
    #[command(flatten)]
    device: DeviceArgs,
}

impl Reproduce {
    pub fn run(self) -> Result<(), Failure> {
        let mut recipe = Recipe::load(&self.recipe.to_string_lossy())?;
        if let Some(form) = &self.split {
            overrides::set(&mut recipe, "--split", "split.form", form)?;
        }
        overrides::set_all(&mut recipe, &self.set)?;
        if self.weights.is_some() {
            recipe.transfer.weights.clone_from(&self.weights);
        }
        let cache = cache_dir(self.no_cache);
        let reproducing = Reproducing {
            data: &self.data,
            out: &self.out,
            seeds: &self.seeds,
            folds: self.folds,
            cache: cache.as_deref(),
            command: self.command(),
            recipe,
        };
        let device = self.device.open()?;
        let stopped = |out: &Path| {
            let message = format!("{}: stopped before the end", out.display());
            Failure::new(message).hint("the same command goes on")
        };
        let out = self.out.clone();
        interrupt::last_words(move || stopped(&out));
        let done = Progress::new().watch(|control| reproduce(&reproducing, &device, control));
        let done = done.map_err(|error| match error {
            Error::Stopped => stopped(&self.out),
            Error::RunExists { .. } => Failure::from(error)
                .hint("give another --out: the runs that are there have other settings"),
            error => Failure::with_network(&self.recipe, error),
        })?;
        let file = reproducing.result();
        done.write(&file)?;
        terminal::note(&format!("result: {}", file.display()));
        match self.json {
            true => terminal::print_json(&done),
            false => terminal::print(&done.to_string()),
        }
    }

    /// Returns the command that repeats the experiment; of folders, only their names.
    fn command(&self) -> String {
        let name = |path: &Path| {
            path.file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned()
        };
        let seeds: Vec<String> = self.seeds.iter().map(u64::to_string).collect();
        let mut words = vec![
            "melgrad reproduce".to_string(),
            name(&self.recipe),
            format!("--data {}", name(&self.data)),
            format!("--seeds {}", seeds.join(",")),
        ];
        words.extend(self.folds.map(|folds| format!("--folds {folds}")));
        words.extend(self.split.iter().map(|form| format!("--split {form}")));
        words.extend(
            self.weights
                .iter()
                .map(|path| format!("--weights {}", name(path))),
        );
        words.extend(
            self.set
                .iter()
                .map(|(key, value)| format!("--set '{key}={value}'")),
        );
        words.join(" ")
    }
}
