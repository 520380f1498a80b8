//! Trials of a search and their results: `search.json`, `trials.csv`.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::base::files;
use crate::recipe::{Draw, Ranges};
use crate::run::pipeline::{Inputs, Outcome};
use crate::training::settings::Best;

/// One trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// Number of the trial, counted from 1.
    pub trial: usize,
    /// Values drawn.
    pub drawn: Draw,
    /// What is compared: the best epoch's figure by which the recipe chooses epochs, the loss negative. Higher is
    /// better.
    pub score: Option<f64>,
    /// Number of the best epoch.
    pub best_epoch: usize,
    /// Metrics of the best epoch.
    pub validation_loss: Option<f64>,
    /// See above.
    pub validation_accuracy: Option<f64>,
    /// See above.
    pub validation_f1: Option<f64>,
    /// Number of the network's parameters.
    pub parameters: u64,
    /// Error, if the trial failed.
    pub error: Option<String>,
}

/// Result of a search.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// Number of the best trial, if any succeeded.
    pub best: Option<usize>,
    /// All trials.
    pub trials: Vec<Trial>,
}

impl Found {
    /// Returns the trials sorted by score, the best first; those without a score last.
    #[must_use]
    pub fn ranking(&self) -> Vec<&Trial> {
        let mut all: Vec<&Trial> = self.trials.iter().collect();
        let score = |trial: &Trial| trial.score.unwrap_or(f64::NEG_INFINITY);
        all.sort_by(|a, b| score(b).total_cmp(&score(a)));
        all
    }
}

/// State for `--resume`.
pub(super) fn results_path(dir: &Path) -> PathBuf {
    dir.join("search.json")
}

impl Trial {
    /// A trial that is not yet trained.
    pub(super) fn new(trial: usize, drawn: Draw) -> Trial {
        Trial {
            trial,
            drawn,
            score: None,
            best_epoch: 0,
            validation_loss: None,
            validation_accuracy: None,
            validation_f1: None,
            parameters: 0,
            error: None,
        }
    }

    pub(super) fn fill(&mut self, outcome: &Outcome, inputs: &Inputs) -> Result<(), Error> {
        let figures = outcome.figures();
        let figure = |name: &str| figures.get(name).copied();
        let recipe = &outcome.settings.recipe;
        let labels = inputs.prepared.dataset.labels.len();
        self.parameters = recipe.architecture_for(labels)?.summary()?.parameters;
        self.best_epoch = outcome.best_epoch;
        self.validation_loss = figure("validation_loss");
        self.validation_accuracy = figure("validation_accuracy");
        self.validation_f1 = figure("validation_f1");
        self.score = match recipe.training.best {
            Best::Loss => self.validation_loss.map(|loss| -loss),
            Best::F1 => self.validation_f1,
            Best::Accuracy | Best::Last => self.validation_accuracy,
        };
        Ok(())
    }
}

/// Trials that are done.
pub(super) fn read(dir: &Path) -> Result<Found, Error> {
    let path = results_path(dir);
    if !path.exists() {
        return Ok(Found {
            best: None,
            trials: Vec::new(),
        });
    }
    let found: Found = files::read_json(&path)?;
    let counted = found.trials.iter().map(|trial| trial.trial);
    let known = found
        .best
        .is_none_or(|best| (1..=found.trials.len()).contains(&best));
    match counted.eq(1..=found.trials.len()) && known {
        true => Ok(found),
        false => Err(Error::Malformed {
            path,
            reason: "its trials are not counted from 1".into(),
        }),
    }
}

impl Found {
    pub(super) fn write(&self, dir: &Path, ranges: &Ranges) -> Result<(), Error> {
        let csv = |writer: &mut dyn std::io::Write| {
            let mut table = csv::Writer::from_writer(writer);
            let heads = [
                "trial",
                "score",
                "best_epoch",
                "validation_loss",
                "validation_accuracy",
                "validation_f1",
                "parameters",
                "error",
            ];
            table.write_record(heads.into_iter().chain(ranges.keys().map(String::as_str)))?;
            for trial in &self.trials {
                let number = |x: Option<f64>| x.map_or(String::new(), |x| x.to_string());
                let figures = [
                    trial.trial.to_string(),
                    number(trial.score),
                    trial.best_epoch.to_string(),
                    number(trial.validation_loss),
                    number(trial.validation_accuracy),
                    number(trial.validation_f1),
                    trial.parameters.to_string(),
                    trial.error.clone().unwrap_or_default(),
                ];
                let drawn = ranges.keys().map(|key| match trial.drawn.get(key) {
                    Some(toml::Value::String(text)) => text.clone(),
                    Some(value) => value.to_string(),
                    None => String::new(),
                });
                table.write_record(figures.into_iter().chain(drawn))?;
            }
            table.flush()
        };
        files::write_atomic(&dir.join("trials.csv"), csv)?;
        files::write_json(&results_path(dir), self)
    }
}
