//! List of the trainings of a series, and its file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::base::files;
use crate::data::kfold::Fold;
use crate::recipe::read_toml;
use crate::run::folder::{RunFolder, RunSettings, SERIES, is_series};

/// Maximum number of runs; more are probably a typing error.
const MOST: usize = 1000;

/// How often an experiment is trained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Series {
    /// Seeds; one training per seed.
    pub seeds: Vec<u64>,
    /// Number of folds per seed; if missing, the recipe's own split.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folds: Option<usize>,
}

/// Contents of `series.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SeriesSettings {
    pub series: Series,
    pub run: RunSettings,
}

impl Series {
    /// Returns the series of a seed and the `repeats` - 1 seeds after it.
    ///
    /// # Errors
    /// [`Error::Setting`] for invalid numbers.
    pub fn repeats(seed: u64, repeats: usize, folds: Option<usize>) -> Result<Series, Error> {
        if !(1..=MOST).contains(&repeats) {
            let reason = format!("{repeats} trainings; 1 to {MOST}");
            return Err(Error::setting("repeats", reason));
        }
        let seeds = (0..repeats as u64).map(|more| seed.saturating_add(more));
        let series = Series {
            seeds: seeds.collect(),
            folds,
        };
        series.check()?;
        Ok(series)
    }

    /// Validates the settings; returns the first seed.
    pub(super) fn check(&self) -> Result<u64, Error> {
        let (seeds, folds) = (self.seeds.len(), self.folds.unwrap_or(1));
        let Some(&first) = self.seeds.first() else {
            return Err(Error::setting("seeds", "none given; at least 1"));
        };
        if self.seeds.iter().any(|&seed| i64::try_from(seed).is_err()) {
            return Err(Error::setting("seed", "above 2^63 - 1"));
        }
        if self.seeds.iter().collect::<BTreeSet<_>>().len() < seeds {
            return Err(Error::setting("seeds", "one of them is given twice"));
        }
        if self.folds.is_some_and(|folds| folds < 2) {
            return Err(Error::setting("folds", format!("{folds}; at least 2")));
        }
        if seeds.saturating_mul(folds) > MOST {
            let reason = format!("{seeds} seeds × {folds} folds; at most {MOST} trainings");
            return Err(Error::setting("seeds", reason));
        }
        Ok(first)
    }

    /// Returns seed and fold of every run, with its folder's name.
    pub(super) fn runs(&self) -> Vec<(String, u64, Option<Fold>)> {
        let mut runs = Vec::new();
        for &seed in &self.seeds {
            match self.folds {
                None => runs.push((format!("seed-{seed}"), seed, None)),
                Some(of) => runs.extend(Fold::all(of).map(|fold| {
                    let name = format!("seed-{seed}-fold-{}", fold.number());
                    (name, seed, Some(fold))
                })),
            }
        }
        runs
    }
}

fn settings_path(dir: &Path) -> PathBuf {
    dir.join(SERIES)
}

impl SeriesSettings {
    pub fn read(dir: &Path) -> Result<SeriesSettings, Error> {
        let settings: SeriesSettings = read_toml(&settings_path(dir))?;
        settings.run.recipe.check()?;
        settings.series.check()?;
        Ok(settings)
    }

    pub fn write(&self, dir: &Path) -> Result<(), Error> {
        let text = toml::to_string_pretty(self)
            .map_err(|error| Error::setting("series.toml", error.to_string()))?;
        files::write_bytes(&settings_path(dir), text.as_bytes())
    }

    /// Returns the settings of a new run.
    pub fn of(&self, name: &str, seed: u64, fold: Option<Fold>) -> RunSettings {
        let mut own = self.run.clone();
        (own.seed, own.recipe.split.fold) = (seed, fold);
        let weights = own.recipe.transfer.weights.as_mut();
        if let Some(weights) = weights.filter(|weights| is_series(weights)) {
            *weights = weights.join(name);
        }
        own
    }
}

/// Returns the folders of the runs that a series has begun; for any other folder, the folder itself.
///
/// # Errors
/// [`Error::Malformed`] for a damaged `series.toml`; [`Error::Dataset`] if no run has begun.
pub fn runs_in(dir: &Path) -> Result<Vec<PathBuf>, Error> {
    if !is_series(dir) {
        return Ok(vec![dir.into()]);
    }
    let runs = SeriesSettings::read(dir)?.series.runs();
    let runs = runs.into_iter().map(|(name, ..)| dir.join(name));
    let begun: Vec<PathBuf> = runs.filter(|run| RunFolder::open(run).is_ok()).collect();
    match begun.is_empty() {
        false => Ok(begun),
        true => Err(Error::Dataset {
            dir: dir.into(),
            reason: "a series none of whose runs has begun".into(),
            hint: "`melgrad train --resume --out SERIES` trains them",
        }),
    }
}
