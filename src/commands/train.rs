//! `melgrad train`

use crate::failure::Failure;
use crate::options::{self, DeviceArgs, cache_dir};
use crate::progress::Progress;
use crate::terminal;
use clap::Args;
use melgrad::models::Error;
use melgrad::models::pipeline::{Outcome, Resuming, Training, resume, train_folder};
use melgrad::models::recipe::Recipe;
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// The recipe whose settings go with a network of one's own.
const BASE: &str = "georgopoulos-cnn";

/// Train a network on a folder of labelled audio
#[derive(Debug, Args)]
#[command(
    after_help = "DIR holds one folder per label with sound in it, or pictures of sound (PNG); or it is GTZAN, FMA \
                        or Ballroom as they are downloaded; or a table of features (.csv). Clips of one recording (the name up \
                        to the take: 1-17367-A and 1-17367-B) stay in the same part of the split. RUN gets run.toml, \
                        best.safetensors, last.safetensors, history.csv, metrics.json, report.html and TensorBoard's \
                        events.\n\nExamples:\n  melgrad train --data music --recipe ajufo-cnn --out run\n  \
                        melgrad train --data music --arch my-network.toml --epochs 20 --lr 0.0005 --out run\n  \
                        melgrad train --data esc10 --recipe georgopoulos-cnn --test '4-*' --seconds 3 --out run\n  \
                        melgrad train --resume --out run"
)]
pub struct Train {
    /// The dataset: a folder with one folder per label, GTZAN, FMA, Ballroom, or a table of features (.csv)
    #[arg(long, value_name = "DIR", required_unless_present = "resume")]
    data: Option<PathBuf>,
    /// A recipe: its name (`melgrad recipes` lists them) or a .toml file
    #[arg(long, value_name = "R", required_unless_present_any = ["resume", "arch"])]
    recipe: Option<PathBuf>,
    /// A network of one's own, a .toml or .json file with `layers`; with --recipe, in place of that recipe's network
    #[arg(long, value_name = "FILE")]
    arch: Option<PathBuf>,
    /// The folder to write
    #[arg(long, value_name = "RUN")]
    out: PathBuf,
    /// Go on with the run in --out that was interrupted, or for more --epochs
    #[arg(long, conflicts_with_all = ["recipe", "arch", "batch", "lr", "patience", "validation", "test", "group",
        "split", "layout", "seconds", "set", "seed", "weights"])]
    resume: bool,
    /// How often every training clip is seen, at most
    #[arg(long, value_name = "N")]
    epochs: Option<NonZeroUsize>,
    /// Examples per step
    #[arg(long, value_name = "N")]
    batch: Option<NonZeroUsize>,
    /// The optimizer's step size
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    lr: Option<f64>,
    /// Stop after this many epochs without a better one
    #[arg(long, value_name = "N")]
    patience: Option<NonZeroUsize>,
    /// The clips that choose the best epoch: a fraction, or a pattern of names
    #[arg(long, value_name = "PART")]
    validation: Option<String>,
    /// The clips that are held back to the end: a fraction, or a pattern of names ('4-*')
    #[arg(long, value_name = "PART")]
    test: Option<String>,
    /// What a split keeps together: track (copies of one recording too), artist (as far as that is known), or paper: as
    /// the recipe's text did it, mostly nothing, which flatters
    #[arg(long, value_name = "FORM", value_parser = ["track", "artist", "paper"])]
    split: Option<String>,
    /// How the dataset lies on the disk, where that is not seen rightly: folders, gtzan, fma (or fma:small, fma:medium,
    /// fma:large, fma:full), ballroom, table
    #[arg(long, value_name = "LAYOUT")]
    layout: Option<String>,
    /// Which clips stay together: take, file, folder or fields:N
    #[arg(long, value_name = "RULE")]
    group: Option<String>,
    /// Length of the windows that the network hears
    #[arg(long, value_name = "S", allow_negative_numbers = true)]
    seconds: Option<f64>,
    /// Begin with the weights of an earlier training, as far as they fit: a run, a model file, or a safetensors of
    /// PyTorch, torchvision or Keras
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,
    /// Any other setting of the recipe
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    set: Vec<(String, String)>,
    /// Decides the split, the first weights, the order of clips and dropout
    #[arg(long, value_name = "N", default_value = "0", value_parser = options::seed)]
    seed: u64,
    /// Keep no features on disk
    #[arg(long)]
    no_cache: bool,
    /// Tell where the time of a training step goes, kernel by kernel
    #[arg(long)]
    profile: bool,
    #[command(flatten)]
    device: DeviceArgs,
}

impl Train {
    pub fn run(self) -> Result<(), Failure> {
        let cache = cache_dir(self.no_cache);
        let cache = cache.as_deref();
        let outcome = if self.resume {
            let resuming = Resuming {
                run: &self.out,
                data: self.data.as_deref(),
                epochs: self.epochs.map(NonZeroUsize::get),
                cache,
                profile: self.profile,
            };
            let device = self.device.open()?;
            Progress::new().watch(|control| resume(&resuming, &device, control))
        } else {
            // clap asks for it.
            let data = self
                .data
                .as_deref()
                .ok_or_else(|| Failure::usage("--data DIR is missing"))?;
            let training = Training {
                data,
                recipe: self.recipe()?,
                out: &self.out,
                seed: self.seed,
                cache,
                profile: self.profile,
            };
            let device = self.device.open()?;
            Progress::new().watch(|control| train_folder(&training, &device, control))
        };
        let outcome = outcome.map_err(|error| match error {
            Error::Stopped => options::stopped(&self.out),
            error => error.into(),
        })?;
        terminal::note(&summary(&outcome));
        terminal::note(&format!("report: {}", outcome.run.report().display()));
        terminal::print_path(&outcome.run.best())
    }

    /// The recipe with what the flags change.
    fn recipe(&self) -> Result<Recipe, Failure> {
        let mut recipe = match &self.recipe {
            Some(name) => Recipe::load(&name.to_string_lossy())?,
            None => Recipe::load(BASE)?,
        };
        if let Some(path) = &self.arch {
            recipe = recipe.with_architecture(path)?;
        }
        let flags = [
            (
                "--epochs",
                "training.epochs",
                self.epochs.map(|n| n.to_string()),
            ),
            (
                "--batch",
                "training.batch",
                self.batch.map(|n| n.to_string()),
            ),
            (
                "--lr",
                "training.learning_rate",
                self.lr.map(|x| format!("{x:?}")),
            ),
            (
                "--patience",
                "training.patience",
                self.patience.map(|n| n.to_string()),
            ),
            ("--group", "split.group", self.group.clone()),
            (
                "--seconds",
                "input.seconds",
                self.seconds.map(|x| format!("{x:?}")),
            ),
        ];
        // What is asked for by hand counts before a split of the dataset's own, and in the form that is asked for.
        let by_hand = self.validation.is_some() || self.test.is_some();
        let paper = self.split.as_deref() == Some("paper");
        let (validation, test) = match paper {
            true => ("split.paper.validation", "split.paper.test"),
            false => ("split.validation", "split.test"),
        };
        let flags = flags.into_iter().chain([
            ("--layout", "layout", self.layout.clone()),
            ("--split", "split.form", self.split.clone()),
            ("--validation", validation, self.validation.clone()),
            ("--test", test, self.test.clone()),
            ("--test", "split.official", by_hand.then(|| "false".into())),
        ]);
        for (flag, key, value) in flags {
            if let Some(value) = value {
                recipe
                    .set(key, &value)
                    .map_err(|error| Failure::usage(format!("{flag}: {error}")))?;
            }
        }
        if self.weights.is_some() {
            recipe.transfer.weights.clone_from(&self.weights);
        }
        for (key, value) in &self.set {
            recipe
                .set(key, value)
                .map_err(|error| Failure::usage(format!("--set: {error}")))?;
        }
        Ok(recipe)
    }
}

/// `KEY=VALUE`.
pub(super) fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => {
            Ok((key.trim().into(), value.trim().into()))
        }
        _ => Err("a setting is written as KEY=VALUE, for example training.l2=0.001".into()),
    }
}

fn summary(outcome: &Outcome) -> String {
    let best = format!(
        "best epoch: {} of {}",
        outcome.best_epoch,
        outcome.history.len()
    );
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
