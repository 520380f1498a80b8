//! One experiment trained several times: with several seeds (repeats), on K folds, or both; mean and spread of the figures.
//!
//! The folder of a series holds `series.toml` (the settings of all its runs), an ordinary run for each (`seed-3`,
//! `seed-3-fold-1`), `series.json` (every run's figures, their spread, and the test clips of all runs together) and
//! `report.html`. A repeat is what `train` does with that seed; so its split is another one too, unless the recipe's
//! split is one of patterns.

use std::collections::{BTreeMap, BTreeSet};
use std::iter::repeat_n;
use std::path::{Path, PathBuf};

use engine::Device;
use serde::{Deserialize, Serialize};

use super::{How, Material, Resuming, Training, begin, open, train_on};
use crate::control::{Control, Event};
use crate::fold::Fold;
use crate::metrics::{Metrics, Spread};
use crate::recipe::one_line;
use crate::report::Report;
use crate::run::{RunFolder, RunSettings};
use crate::{Error, files};

/// At most so many runs; more are a slip of the finger.
const MOST: usize = 1000;

/// How often an experiment is trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Series {
    /// How many seeds: the training's own, and those that follow it.
    pub repeats: usize,
    /// Into how many folds the clips are dealt with each of them; the recipe's own split, where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folds: Option<usize>,
}

/// What `series.toml` holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SeriesSettings {
    series: Series,
    run: RunSettings,
}

/// What a series came to; `series.json` holds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeriesOutcome {
    /// Every run.
    pub runs: Vec<RunFigures>,
    /// Of every figure that all runs have: mean and spread over the runs.
    pub spread: BTreeMap<String, Spread>,
    /// The test clips of all runs together: with folds and one seed, every clip of the dataset once.
    pub together: Option<Metrics>,
}

/// The figures of one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunFigures {
    /// Its folder within that of the series.
    pub run: String,
    /// Its seed.
    pub seed: u64,
    /// Its fold, `"2/5"`, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fold: Option<Fold>,
    /// The epoch whose weights were kept, counted from 1.
    pub best_epoch: usize,
    /// As `Outcome::figures` names them.
    pub figures: BTreeMap<String, f64>,
}

impl Series {
    fn check(self, seed: u64) -> Result<(), Error> {
        let folds = self.folds.unwrap_or(1);
        if self.repeats == 0 {
            return Err(Error::setting("repeats", "0 trainings; at least 1"));
        }
        if self.folds.is_some_and(|folds| folds < 2) {
            return Err(Error::setting("folds", format!("{folds}; at least 2")));
        }
        if self.repeats.saturating_mul(folds) > MOST {
            let reason = format!("{} × {folds} trainings; at most {MOST}", self.repeats);
            return Err(Error::setting("repeats", reason));
        }
        let last = seed.checked_add(self.repeats as u64 - 1);
        match last.filter(|&last| i64::try_from(last).is_ok()) {
            Some(_) => Ok(()),
            None => Err(Error::setting("seed", "the last seed is above 2^63 - 1")),
        }
    }

    /// Seed and fold of every run, with its folder's name.
    fn runs(self, seed: u64) -> Vec<(String, u64, Option<Fold>)> {
        let mut runs = Vec::new();
        for seed in seed..seed + self.repeats as u64 {
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

/// Whether the folder of a series is here.
#[must_use]
pub fn is_series(dir: &Path) -> bool {
    settings_path(dir).is_file()
}

fn settings_path(dir: &Path) -> PathBuf {
    dir.join("series.toml")
}

/// Trains one experiment several times and tells mean and spread.
///
/// # Errors
/// As `train_folder`; [`Error::Setting`] for numbers that make no sense, or more folds than groups of clips. Once
/// stopped, [`resume_series`] goes on.
pub fn train_series(
    training: &Training<'_>,
    series: Series,
    device: &Device,
    control: Control<'_>,
) -> Result<SeriesOutcome, Error> {
    series.check(training.seed)?;
    let (dataset, run) = begin(training.data, &training.recipe, training.seed, device)?;
    RunFolder::check_free(training.out)?;
    let runs = series.runs(training.seed);
    for (name, seed, fold) in &runs {
        RunFolder::check_free(&training.out.join(name))?;
        if let Some(fold) = fold {
            fold.chooses(&dataset, run.recipe.split.form, *seed)?;
        }
    }
    files::make_folder(training.out)?;
    let settings = SeriesSettings { series, run };
    let text = toml::to_string_pretty(&settings)
        .map_err(|error| Error::setting("series.toml", error.to_string()))?;
    files::write_bytes(&settings_path(training.out), text.as_bytes())?;
    let material = Material::make(dataset, &settings.run.recipe, training.cache, control)?;
    let how = How::new(training.profile, device, control);
    train_all(training.out, &settings, None, &material, &how)
}

/// Goes on with a series that was stopped, or trains all its runs for longer.
///
/// # Errors
/// [`Error::Io`] or [`Error::Malformed`] where there is none; otherwise as `resume`.
pub fn resume_series(
    resuming: &Resuming<'_>,
    device: &Device,
    control: Control<'_>,
) -> Result<SeriesOutcome, Error> {
    let path = settings_path(resuming.run);
    let text = files::read_text(&path)?;
    let mut settings: SeriesSettings = toml::from_str(&text).map_err(|error| Error::Malformed {
        path,
        reason: one_line(&error, &text),
    })?;
    settings.run.recipe.check()?;
    settings.series.check(settings.run.seed)?;
    resuming.change(&mut settings.run)?;
    let (dataset, recipe) = open(settings.run.data.dir.as_ref(), &settings.run.recipe)?;
    settings.run.recipe = recipe;
    let material = Material::make(dataset, &settings.run.recipe, resuming.cache, control)?;
    let how = How::new(resuming.profile, device, control);
    train_all(resuming.run, &settings, Some(resuming), &material, &how)
}

fn train_all(
    dir: &Path,
    settings: &SeriesSettings,
    resuming: Option<&Resuming<'_>>,
    material: &Material,
    how: &How<'_>,
) -> Result<SeriesOutcome, Error> {
    let all = settings.series.runs(settings.run.seed);
    let mut runs = Vec::new();
    let mut together: Vec<Metrics> = Vec::new();
    let mut warnings = BTreeSet::new();
    for (number, (name, seed, fold)) in all.iter().enumerate() {
        how.control.check()?;
        how.control.tell(Event::Run {
            number: number + 1,
            runs: all.len(),
            name,
        });
        let folder = dir.join(name);
        let begun = RunFolder::open(&folder).ok().filter(|_| resuming.is_some());
        let (run, own) = match (begun, resuming) {
            (Some(run), Some(resuming)) => {
                let mut own = run.settings()?;
                resuming.change(&mut own)?;
                (run, own)
            }
            _ => {
                let mut own = settings.run.clone();
                (own.seed, own.recipe.split.fold) = (*seed, *fold);
                let run = RunFolder::create(&folder)?;
                run.write_settings(&own)?;
                (run, own)
            }
        };
        let outcome = train_on(run, own, material, how)?;
        runs.push(RunFigures {
            run: name.clone(),
            seed: *seed,
            fold: *fold,
            best_epoch: outcome.best_epoch,
            figures: outcome.figures(),
        });
        warnings.extend(outcome.warnings);
        together.extend(outcome.metrics);
    }
    let labels = &material.prepared.dataset.labels;
    let outcome = SeriesOutcome {
        spread: spread(&runs),
        together: (!together.is_empty()).then(|| sum(labels, &together)),
        runs,
    };
    files::write_atomic(&dir.join("series.json"), |writer| {
        serde_json::to_writer_pretty(&mut *writer, &outcome)?;
        writer.write_all(b"\n")
    })?;
    let page = report(settings, &outcome, warnings)?;
    files::write_bytes(&dir.join("report.html"), page.html().as_bytes())?;
    Ok(outcome)
}

/// Mean and spread of the figures that all runs have.
fn spread(runs: &[RunFigures]) -> BTreeMap<String, Spread> {
    let Some(first) = runs.first() else {
        return BTreeMap::new();
    };
    let of = |name: &String| {
        let all = runs.iter().map(|run| run.figures.get(name).copied());
        let all: Option<Vec<f64>> = all.collect();
        all.map(|all| (name.clone(), Spread::of(&all)))
    };
    first.figures.keys().filter_map(of).collect()
}

/// The judged clips of several runs as one.
fn sum(labels: &[String], all: &[Metrics]) -> Metrics {
    let cells = all.iter().flat_map(|metrics| {
        let rows = metrics.confusion.iter().enumerate();
        rows.flat_map(|(truth, row)| {
            let cells = row.iter().enumerate();
            cells.flat_map(move |(answer, &count)| repeat_n((truth, answer), count as usize))
        })
    });
    Metrics::from_answers(labels, cells)
}

fn report(
    settings: &SeriesSettings,
    outcome: &SeriesOutcome,
    warnings: BTreeSet<String>,
) -> Result<Report, Error> {
    let recipe = &settings.run.recipe;
    let mut notes: Vec<String> = outcome
        .spread
        .iter()
        .map(|(name, spread)| format!("{name}: {spread}"))
        .collect();
    notes.extend(outcome.runs.iter().map(|run| {
        let figures = run.figures.iter();
        let figures = figures.map(|(name, figure)| format!("{name} {figure:.3}"));
        format!("{}: {}", run.run, figures.collect::<Vec<_>>().join(", "))
    }));
    notes.extend(recipe.notes.iter().cloned().chain(warnings));
    Ok(Report {
        title: recipe.name.clone(),
        subtitle: format!(
            "{} trainings · {} · the tables below hold the test clips of all of them",
            outcome.runs.len(),
            settings.run.data.dir
        ),
        notes,
        metrics: outcome.together.clone(),
        claimed: recipe.claimed.clone().into_iter().collect(),
        settings: settings.run.to_toml()?,
        ..Report::default()
    })
}
