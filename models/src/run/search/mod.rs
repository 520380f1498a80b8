//! Random search: trains an experiment with settings drawn from the ranges of its recipe, and keeps the best.
//!
//! Every trial is trained on the same split and scored on the validation clips. The test clips are not used, so the
//! best trial can still be tested on them. A trial that diverges, or whose network is invalid, counts as a trial.
//!
//! The folder of a search:
//!
//! | file | what is in it |
//! | --- | --- |
//! | `search.toml` | every setting |
//! | `trials.csv` | a row for each trial: the draw and its metrics |
//! | `search.json` | the same for programs, and for `--resume` |
//! | `best.toml` | the recipe of the best trial so far |
//! | `trial-001`, … | a run for each trial; only the best keeps its weights |
//!
//! `range.rs` holds the ranges and the draws, `trials.rs` the results.

mod trials;

use std::path::{Path, PathBuf};

use engine::Device;
use serde::{Deserialize, Serialize};

pub use trials::{Found, Trial};
use trials::{read, results_path};

use crate::Error;
use crate::base::control::{Control, Event};
use crate::base::files;
use crate::data::split::Split;
use crate::recipe::{Draw, Recipe, draws, read_toml};
use crate::run::folder::{RunFolder, RunSettings, SEARCH};
use crate::run::lock::RunLock;
use crate::run::pipeline::{Inputs, Options, Outcome, Training, begin, open, train_on};

/// Maximum number of trials.
const MOST: usize = 10_000;

/// Contents of `search.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SearchSettings {
    trials: usize,
    run: RunSettings,
}

/// Name of the recipe that a search writes.
#[must_use]
pub fn best_recipe(dir: &Path) -> PathBuf {
    dir.join("best.toml")
}

fn settings_path(dir: &Path) -> PathBuf {
    dir.join(SEARCH)
}

/// Tries `trials` draws from the recipe's ranges, in the folder `training.out`. Checks first that the settings exist.
///
/// # Errors
/// [`Error::RunExists`]; [`Error::Override`] or [`Error::Setting`] for ranges that make no sense; what ends any
/// training
/// but a draw's own fault. Once stopped, [`resume`] goes on.
pub fn search(
    training: &Training<'_>,
    trials: usize,
    device: &Device,
    control: Control<'_>,
) -> Result<Found, Error> {
    check(&training.recipe, trials)?;
    let (dataset, run) = begin(training.data, &training.recipe, training.seed, device)?;
    let _lock = RunLock::take(training.out)?;
    if results_path(training.out).exists() {
        let dir = training.out.into();
        return Err(Error::RunExists { dir });
    }
    RunFolder::check_free(training.out)?;
    let mut settings = SearchSettings { trials, run };
    settings.write(training.out)?;
    let recipe = &settings.run.recipe;
    let inputs = Inputs::make(dataset, recipe, training.cache, control)?;
    settings.run_all(training.out, &inputs, device, control)
}

/// Resumes a search that was stopped, or runs more trials.
///
/// # Errors
/// [`Error::Io`] or [`Error::Malformed`] if there is none; otherwise as [`search`].
pub fn resume(
    dir: &Path,
    trials: Option<usize>,
    cache: Option<&Path>,
    device: &Device,
    control: Control<'_>,
) -> Result<Found, Error> {
    read_toml::<SearchSettings>(&settings_path(dir))?;
    let _lock = RunLock::take(dir)?;
    let mut settings: SearchSettings = read_toml(&settings_path(dir))?;
    settings.trials = trials.unwrap_or(settings.trials);
    check(&settings.run.recipe, settings.trials)?;
    settings.write(dir)?;
    let (dataset, recipe) = open(settings.run.data.dir.as_ref(), &settings.run.recipe)?;
    let inputs = Inputs::make(dataset, &recipe, cache, control)?;
    settings.run.recipe = recipe;
    settings.run_all(dir, &inputs, device, control)
}

/// Validates the ranges against the recipe.
fn check(recipe: &Recipe, trials: usize) -> Result<(), Error> {
    recipe.check()?;
    if recipe.classifier.is_some() {
        let reason = "only a network's settings can be searched";
        return Err(Error::setting("classifier", reason));
    }
    if recipe.search.is_empty() {
        let reason = "the recipe has no ranges: give it a table `[search]`, or use --range";
        return Err(Error::setting("search", reason));
    }
    if !(1..=MOST).contains(&trials) {
        return Err(Error::setting("trials", format!("{trials}; 1 to {MOST}")));
    }
    for (key, range) in &recipe.search {
        range.check(key)?;
        let parts = ["training.", "architecture."];
        // All trials share their features, or the audio for them.
        if key == "training.extract" || !parts.iter().any(|part| key.starts_with(part)) {
            let reason = format!(
                "{key}: only settings of `training`, but `extract`, and `architecture` can be searched"
            );
            return Err(Error::setting("search", reason));
        }
        for value in range.ends() {
            recipe.clone().set(key, &value.to_string())?;
        }
    }
    Ok(())
}

impl SearchSettings {
    fn write(&self, dir: &Path) -> Result<(), Error> {
        let text = toml::to_string_pretty(self)
            .map_err(|error| Error::setting("search.toml", error.to_string()))?;
        files::write_bytes(&settings_path(dir), text.as_bytes())
    }

    fn run_all(
        &mut self,
        dir: &Path,
        inputs: &Inputs,
        device: &Device,
        control: Control<'_>,
    ) -> Result<Found, Error> {
        let split = Split::new(
            &inputs.prepared.dataset,
            &self.run.recipe.split,
            self.run.seed,
        )?;
        if split.validation.is_empty() {
            let reason = "no clips to compare the trials by";
            return Err(Error::setting("split.validation", reason));
        }
        let known = &mut self.run.data.fingerprint;
        if known.is_empty() {
            known.clone_from(&inputs.prepared.fingerprint);
            self.write(dir)?;
        }
        let mut found = read(dir)?;
        let ranges = &self.run.recipe.search;
        let draws = draws(ranges, self.run.seed, self.trials);
        if draws.len() < self.trials {
            let words = format!(
                "the ranges hold {} different draws, not {}",
                draws.len(),
                self.trials
            );
            control.tell(Event::Warning(&words));
        }
        for (index, draw) in draws.iter().enumerate().skip(found.trials.len()) {
            control.check()?;
            let name = format!("trial-{:03}", index + 1);
            let words = format!("{name}: {}", spelt(draw));
            control.tell(Event::Run {
                number: index + 1,
                runs: draws.len(),
                name: &words,
            });
            let run = dir.join(&name);
            let mut trial = Trial::new(index + 1, draw.clone());
            match self.train(&run, draw, inputs, device, control) {
                Ok(outcome) => trial.fill(&outcome, inputs)?,
                Err(error) if is_the_draws_fault(&error) => {
                    control.tell(Event::Warning(&format!("{name}: {error}")));
                    trial.error = Some(error.to_string());
                }
                Err(error) => return Err(error),
            }
            let score = |number: usize| found.trials.get(number - 1).and_then(|trial| trial.score);
            let best = match (trial.score, found.best.and_then(score)) {
                (None, _) => false,
                (Some(new), old) => old.is_none_or(|old| new > old),
            };
            if best {
                let loser = found.best.replace(trial.trial);
                let recipe = self.best(&trial, draws.len())?.to_toml()?;
                files::write_bytes(&best_recipe(dir), recipe.as_bytes())?;
                if let Some(loser) = loser {
                    RunFolder::forget(&dir.join(format!("trial-{loser:03}")), false)?;
                }
            }
            RunFolder::forget(&run, best)?;
            found.trials.push(trial);
            found.write(dir, ranges)?;
        }
        Ok(found)
    }

    /// Runs one trial, new or resumed.
    fn train(
        &self,
        dir: &Path,
        draw: &Draw,
        inputs: &Inputs,
        device: &Device,
        control: Control<'_>,
    ) -> Result<Outcome, Error> {
        let how = Options {
            test: false,
            ..Options::new(false, device, control)
        };
        let mut settings = self.run.clone();
        settings.recipe = self.drawn(draw)?;
        let _lock = RunLock::take(dir)?;
        let run = RunFolder::open(dir).or_else(|_| RunFolder::create(dir))?;
        train_on(run, settings, inputs, &how)
    }

    /// Returns the recipe with a draw applied, and without ranges.
    fn drawn(&self, draw: &Draw) -> Result<Recipe, Error> {
        let mut recipe = self.run.recipe.clone();
        recipe.search.clear();
        for (key, value) in draw {
            recipe.set(key, &value.to_string())?;
        }
        Ok(recipe)
    }

    /// Returns the recipe to write for the best trial.
    fn best(&self, trial: &Trial, trials: usize) -> Result<Recipe, Error> {
        let mut recipe = self.drawn(&trial.drawn)?;
        let accuracy = trial.validation_accuracy.unwrap_or_default();
        recipe.notes.push(format!(
            "Found by a random search with seed {}: trial {} of {trials}, validation accuracy {accuracy:.3}; {}.",
            self.run.seed,
            trial.trial,
            spelt(&trial.drawn)
        ));
        recipe.name += "-best";
        recipe.claimed.clear();
        Ok(recipe)
    }
}

/// Whether the error may be caused by the draw, so that another may succeed.
fn is_the_draws_fault(error: &Error) -> bool {
    use engine::Error::Kernel;
    match error {
        Error::Diverged { .. } | Error::OutOfMemory { .. } | Error::NotFinite { .. } => true,
        Error::Setting { name, .. } => *name == "architecture" || name.starts_with("training."),
        Error::Engine(error) => !matches!(error.cause(), Kernel(kernels::Error::DeviceLost { .. })),
        _ => false,
    }
}

/// Formats as `training.learning_rate = 0.001, …`.
fn spelt(draw: &Draw) -> String {
    let settings = draw.iter().map(|(key, value)| format!("{key} = {value}"));
    settings.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_device_is_no_draws_fault() {
        let lost = kernels::Error::DeviceLost {
            device: "gpu".into(),
            reason: "gone".into(),
        };
        let lost = engine::Error::from(lost).at("conv1").at("block2");
        assert!(!is_the_draws_fault(&lost.into()));
        let wrong = engine::Error::Architecture("no".into()).at("conv1");
        assert!(is_the_draws_fault(&wrong.into()));
        assert!(is_the_draws_fault(&Error::setting("training.batch", "1")));
        assert!(!is_the_draws_fault(&Error::setting("split.test", "2")));
    }

    #[test]
    fn ranges_of_shipped_recipes_hold_networks_that_fit() {
        let mut searched = 0;
        for recipe in crate::recipe::shipped().unwrap() {
            if recipe.classifier.is_some() {
                let error = check(&recipe, 1).unwrap_err().to_string();
                assert!(error.contains("a network's settings"), "{error}");
            }
            if recipe.search.is_empty() {
                continue;
            }
            check(&recipe, 1).unwrap();
            for draw in draws(&recipe.search, 1, 3) {
                let mut drawn = recipe.clone();
                for (key, value) in &draw {
                    drawn.set(key, &value.to_string()).unwrap();
                }
                drawn.architecture_for(10).unwrap();
                assert_ne!(drawn, recipe);
            }
            searched += 1;
        }
        assert!(searched >= 6);
    }
}
