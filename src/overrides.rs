//! Flags that change a recipe.

use crate::failure::Failure;
use clap::Args;
use melgrad::models::recipe::Recipe;
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// Settings that replace those of the recipe.
#[derive(Debug, Args)]
pub struct Overrides {
    /// Maximum number of epochs
    #[arg(long, value_name = "N")]
    epochs: Option<NonZeroUsize>,
    /// Batch size
    #[arg(long, value_name = "N")]
    batch: Option<NonZeroUsize>,
    /// Learning rate
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    lr: Option<f64>,
    /// Stop early after this many epochs without improvement
    #[arg(long, value_name = "N")]
    patience: Option<NonZeroUsize>,
    /// Validation clips, which choose the best epoch: a fraction, or a name pattern
    #[arg(long, value_name = "PART")]
    validation: Option<String>,
    /// Test clips, used once at the end: a fraction, or a name pattern ('4-*')
    #[arg(long, value_name = "PART")]
    test: Option<String>,
    /// What the split keeps together: track (and copies of it), artist (where known), or paper (as the paper did;
    /// mostly nothing, so figures are too high)
    #[arg(long, value_name = "FORM", value_parser = ["track", "artist", "paper"])]
    split: Option<String>,
    /// Layout of the dataset, if it is not recognised: folders, gtzan, fma (or fma:small, fma:medium,
    /// fma:large, fma:full), ballroom, table
    #[arg(long, value_name = "LAYOUT")]
    layout: Option<String>,
    /// Which clips stay together: take, file, folder or fields:N
    #[arg(long, value_name = "RULE")]
    group: Option<String>,
    /// Length of the network's input windows, in seconds
    #[arg(long, value_name = "S", allow_negative_numbers = true)]
    seconds: Option<f64>,
    /// Start from these weights, as far as names and shapes match: a run, a model file, or safetensors of PyTorch,
    /// torchvision or Keras
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,
    /// Any other setting of the recipe
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    set: Vec<(String, String)>,
}

impl Overrides {
    /// Returns --epochs, if given.
    pub fn epochs(&self) -> Option<usize> {
        self.epochs.map(NonZeroUsize::get)
    }

    /// Returns --batch and --lr, if given.
    pub fn steps(&self) -> [Option<String>; 2] {
        [number(self.batch), real(self.lr)]
    }

    /// Changes the recipe. An invalid value is a usage error of its flag.
    pub fn apply(&self, recipe: &mut Recipe) -> Result<(), Failure> {
        // A split given by flags overrides the dataset's own split, and in the form given.
        let by_hand = self.validation.is_some() || self.test.is_some();
        let (validation, test) = match self.split.as_deref() == Some("paper") {
            true => ("split.paper.validation", "split.paper.test"),
            false => ("split.validation", "split.test"),
        };
        let flags = [
            ("--epochs", "training.epochs", number(self.epochs)),
            ("--batch", "training.batch", number(self.batch)),
            ("--lr", "training.learning_rate", real(self.lr)),
            ("--patience", "training.patience", number(self.patience)),
            ("--group", "split.group", self.group.clone()),
            ("--seconds", "input.seconds", real(self.seconds)),
            ("--layout", "layout", self.layout.clone()),
            ("--split", "split.form", self.split.clone()),
            ("--validation", validation, self.validation.clone()),
            ("--test", test, self.test.clone()),
            ("--test", "split.official", by_hand.then(|| "false".into())),
        ];
        for (flag, key, value) in flags {
            if let Some(value) = value {
                set(recipe, flag, key, &value)?;
            }
        }
        if self.weights.is_some() {
            recipe.transfer.weights.clone_from(&self.weights);
        }
        set_all(recipe, &self.set)
    }
}

fn number(n: Option<NonZeroUsize>) -> Option<String> {
    n.map(|n| n.to_string())
}

fn real(x: Option<f64>) -> Option<String> {
    x.map(|x| format!("{x:?}"))
}

/// Changes the setting of this name, on behalf of a flag.
pub fn set(recipe: &mut Recipe, flag: &str, key: &str, value: &str) -> Result<(), Failure> {
    let refused = |error| Failure::usage(format!("{flag}: {error}"));
    recipe.set(key, value).map_err(refused)
}

/// Changes settings by name, as `--set` gives them.
pub fn set_all(recipe: &mut Recipe, settings: &[(String, String)]) -> Result<(), Failure> {
    (settings.iter()).try_for_each(|(key, value)| set(recipe, "--set", key, value))
}

/// Parses `KEY=VALUE`.
pub fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => {
            Ok((key.trim().into(), value.trim().into()))
        }
        _ => Err("a setting is written as KEY=VALUE, for example training.l2=0.001".into()),
    }
}
