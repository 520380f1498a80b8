//! Trains one experiment several times: with several seeds, on K folds, or both. Reports mean and standard deviation.
//!
//! The folder of a series holds `series.toml` (the settings of all its runs), an ordinary run for each (`seed-3`,
//! `seed-3-fold-1`), `series.json` (every run's metrics, their standard deviation, and the test clips of all runs
//! together) and `report.html`. A repeat is the same as `train` with that seed, so it also has another split, unless
//! the recipe's split uses patterns. If the recipe starts from the weights of another series, each run takes those of
//! the run of the same name: both have the same test clips.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `mod.rs` | [`train_series`], [`complete_series`], [`resume_series`] |
//! | `settings.rs` | [`Series`]: list of the trainings |

mod settings;

use std::collections::{BTreeMap, BTreeSet};
use std::iter::repeat_n;
use std::path::Path;

use engine::Device;
use serde::{Deserialize, Serialize};

use super::{Inputs, Options, Resuming, Training, begin, open, train_on};
use crate::Error;
use crate::base::control::{Control, Event};
use crate::base::files;
use crate::data::kfold::Fold;
use crate::evaluation::metrics::{Metrics, Spread};
use crate::report::Report;
use crate::run::folder::RunFolder;
use crate::run::folder::is_series;
use crate::run::lock::RunLock;
use settings::SeriesSettings;
pub use settings::{Series, runs_in};

/// Result of a series, as in `series.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeriesOutcome {
    /// All runs.
    pub runs: Vec<RunFigures>,
    /// Mean and standard deviation over the runs, for each metric that all runs have.
    pub spread: BTreeMap<String, Spread>,
    /// Test clips of all runs together: with folds and one seed, every clip of the dataset once.
    pub together: Option<Metrics>,
}

/// Metrics of one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunFigures {
    /// Folder within that of the series.
    pub run: String,
    /// Seed of the run.
    pub seed: u64,
    /// Fold, `"2/5"`, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fold: Option<Fold>,
    /// Number of the epoch whose weights were kept, counted from 1.
    pub best_epoch: usize,
    /// As `Outcome::seconds`; not in the file, so the file does not depend on the time.
    #[serde(skip)]
    pub seconds: f64,
    /// As `Outcome::figures` names them.
    pub figures: BTreeMap<String, f64>,
}

/// Trains one experiment several times and returns mean and standard deviation. The seeds are those of the series.
///
/// # Errors
/// As `train_folder`; [`Error::Setting`] for invalid numbers, or more folds than groups of clips. After a stop,
/// [`resume_series`] continues.
pub fn train_series(
    training: &Training<'_>,
    series: Series,
    device: &Device,
    control: Control<'_>,
) -> Result<SeriesOutcome, Error> {
    start(training, series, false, device, control)
}

/// [`train_series`] in a folder that may hold a series of the same experiment, on as many folds, already: its runs
/// are gone
/// on with, whatever its seeds.
///
/// # Errors
/// As [`train_series`]; [`Error::RunExists`] if the folder holds another experiment.
pub fn complete_series(
    training: &Training<'_>,
    series: Series,
    device: &Device,
    control: Control<'_>,
) -> Result<SeriesOutcome, Error> {
    start(training, series, true, device, control)
}

fn start(
    training: &Training<'_>,
    series: Series,
    complete: bool,
    device: &Device,
    control: Control<'_>,
) -> Result<SeriesOutcome, Error> {
    let seed = series.check()?;
    let (dataset, run) = begin(training.data, &training.recipe, seed, device)?;
    let settings = SeriesSettings { series, run };
    let _lock = RunLock::take(training.out)?;
    let same = complete && is_series(training.out) && {
        let there = SeriesSettings::read(training.out)?;
        let folds = there.series.folds == settings.series.folds;
        folds && there.run.recipe == settings.run.recipe
    };
    if !same {
        RunFolder::check_free(training.out)?;
    }
    for (name, seed, fold) in settings.series.runs() {
        if !same {
            RunFolder::check_free(&training.out.join(name))?;
        }
        if let Some(fold) = fold {
            fold.chooses(&dataset, settings.run.recipe.split.form, seed)?;
        }
    }
    settings.write(training.out)?;
    let inputs = Inputs::make(dataset, &settings.run.recipe, training.cache, control)?;
    let how = Options::new(training.profile, device, control);
    train_all(training.out, &settings, same, &inputs, &how)
}

/// Resumes a series that was stopped, or trains all its runs for more epochs.
///
/// # Errors
/// [`Error::Io`] or [`Error::Malformed`] if there is none; otherwise as `resume`.
pub fn resume_series(
    resuming: &Resuming<'_>,
    device: &Device,
    control: Control<'_>,
) -> Result<SeriesOutcome, Error> {
    SeriesSettings::read(resuming.run)?;
    let _lock = RunLock::take(resuming.run)?;
    let mut settings = SeriesSettings::read(resuming.run)?;
    resuming.change(&mut settings.run)?;
    let (dataset, recipe) = open(settings.run.data.dir.as_ref(), &settings.run.recipe)?;
    settings.run.recipe = recipe;
    settings.write(resuming.run)?;
    let inputs = Inputs::make(dataset, &settings.run.recipe, resuming.cache, control)?;
    let how = Options::new(resuming.profile, device, control);
    train_all(resuming.run, &settings, true, &inputs, &how)
}

/// Trains all runs in turn; existing ones are resumed, if requested.
fn train_all(
    dir: &Path,
    settings: &SeriesSettings,
    go_on: bool,
    inputs: &Inputs,
    how: &Options<'_>,
) -> Result<SeriesOutcome, Error> {
    let all = settings.series.runs();
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
        let _lock = RunLock::take(&folder)?;
        let begun = RunFolder::open(&folder).ok().filter(|_| go_on);
        let (run, own) = match begun {
            Some(run) => {
                let mut own = run.settings()?;
                own.recipe.training.epochs = settings.run.recipe.training.epochs;
                own.data.dir.clone_from(&settings.run.data.dir);
                (run, own)
            }
            None => {
                let own = settings.of(name, *seed, *fold);
                let run = RunFolder::create(&folder)?;
                run.write_settings(&own)?;
                (run, own)
            }
        };
        let outcome = train_on(run, own, inputs, how)?;
        runs.push(RunFigures {
            run: name.clone(),
            seed: *seed,
            fold: *fold,
            best_epoch: outcome.best_epoch,
            seconds: outcome.seconds,
            figures: outcome.figures(),
        });
        warnings.extend(outcome.warnings);
        together.extend(outcome.metrics);
    }
    let labels = &inputs.prepared.dataset.labels;
    let spread = by_name(&runs).into_iter();
    let outcome = SeriesOutcome {
        spread: spread.map(|(name, all)| (name, Spread::of(&all))).collect(),
        together: (!together.is_empty()).then(|| sum(labels, &together)),
        runs,
    };
    files::write_json(&dir.join("series.json"), &outcome)?;
    let page = report(settings, &outcome, warnings)?;
    files::write_bytes(&dir.join("report.html"), page.html().as_bytes())?;
    Ok(outcome)
}

/// Returns the metrics that all runs have, run by run.
pub(crate) fn by_name(runs: &[RunFigures]) -> BTreeMap<String, Vec<f64>> {
    let names = runs.first().into_iter().flat_map(|run| run.figures.keys());
    let of = |name: &String| {
        let all = runs.iter().map(|run| run.figures.get(name).copied());
        Some((name.clone(), all.collect::<Option<Vec<f64>>>()?))
    };
    names.filter_map(of).collect()
}

/// Joins the evaluated clips of several runs.
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
