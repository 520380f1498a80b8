//! From a folder of audio to a run: scan, split, features, training, test, report; going on after a stop; judging again.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `mod.rs` | [`train_folder`] and [`resume`] |
//! | `classical.rs` | classifiers that are no networks, and what a run has learnt |
//! | `compare.rs` | [`compare_runs`]: many runs side by side |
//! | `data.rs` | [`open`]: the dataset that a recipe wants |
//! | `series.rs` | [`train_series`] and [`resume_series`]: the same with several seeds, or folds |
//! | `done.rs` | the test and the report of what was trained |
//! | `judge.rs` | [`evaluate_run`], and asking a model about clips |
//! | `keeper.rs` | writing a training's files into its run folder |
//! | `page.rs` | the run as a report, with pictures of clips |

mod classical;
mod compare;
mod data;
mod done;
mod judge;
mod keeper;
mod page;
mod series;

use std::collections::BTreeMap;
use std::path::Path;

use engine::{Device, ModelFile};

use crate::cache::Cache;
use crate::control::{Control, Event};
use crate::dataset::Dataset;
use crate::examples::{Clips, fit};
use crate::features::{Prepared, prepare};
use crate::history::EpochRow;
use crate::input::{Input, Normalise};
use crate::metrics::Metrics;
use crate::recipe::Recipe;
use crate::run::{DataSettings, RunFolder, RunSettings};
use crate::split::Split;
use crate::train::{Setup, Trainer};
use crate::training::Best;
use crate::{Error, files, transfer};
pub use compare::compare_runs;
pub use data::open;
use done::Trained;
pub use judge::{ClipAnswer, Evaluating, Evaluation, evaluate_run};
use keeper::RunKeeper;
pub use series::{RunFigures, Series, SeriesOutcome, is_series, resume_series, train_series};

/// A training that is to begin.
#[derive(Debug, Clone)]
pub struct Training<'a> {
    /// The dataset: a folder per label.
    pub data: &'a Path,
    /// The experiment.
    pub recipe: Recipe,
    /// The folder of the run, made where it is missing.
    pub out: &'a Path,
    /// What everything random depends on: below 2^63.
    pub seed: u64,
    /// Where features are kept from one training to the next; nowhere, where it is `None`.
    pub cache: Option<&'a Path>,
    /// Whether to tell where the time of a training step goes.
    pub profile: bool,
}

/// A training that is to go on.
#[derive(Debug, Clone, Copy)]
pub struct Resuming<'a> {
    /// The folder of the run.
    pub run: &'a Path,
    /// Where the dataset lies now, if not where it was.
    pub data: Option<&'a Path>,
    /// Another number of epochs, if not as at the beginning.
    pub epochs: Option<usize>,
    /// See [`Training::cache`].
    pub cache: Option<&'a Path>,
    /// See [`Training::profile`].
    pub profile: bool,
}

/// What a training came to.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Its folder.
    pub run: RunFolder,
    /// All its settings.
    pub settings: RunSettings,
    /// The figures of every epoch.
    pub history: Vec<EpochRow>,
    /// The epoch whose weights were kept, counted from 1; 0 where there are no epochs.
    pub best_epoch: usize,
    /// The figures on the test clips; `None` where there are none.
    pub metrics: Option<Metrics>,
    /// The answer for every test clip.
    pub tested: Vec<ClipAnswer>,
    /// What a reader of the figures should know. All of it was told as [`Event::Warning`] too.
    pub warnings: Vec<String>,
}

impl Outcome {
    /// The figures of the best epoch and of the test clips, under the names that recipes claim them by: `accuracy`,
    /// `precision`, `recall`, `f1` (macro), `weighted_f1`, `validation_accuracy`, `validation_f1`, `validation_loss`.
    #[must_use]
    pub fn figures(&self) -> BTreeMap<String, f64> {
        let best = self.best_epoch.checked_sub(1);
        let row = best.and_then(|best| self.history.get(best));
        let of_row = |figure: fn(&EpochRow) -> Option<f64>| row.and_then(figure);
        let of_test = |figure: fn(&Metrics) -> f64| self.metrics.as_ref().map(figure);
        let all = [
            ("accuracy", of_test(|m| m.accuracy)),
            ("precision", of_test(|m| m.macro_mean.precision)),
            ("recall", of_test(|m| m.macro_mean.recall)),
            ("f1", of_test(|m| m.macro_mean.f1)),
            ("weighted_f1", of_test(|m| m.weighted.f1)),
            ("validation_accuracy", of_row(|row| row.validation_accuracy)),
            ("validation_f1", of_row(|row| row.validation_f1)),
            ("validation_loss", of_row(|row| row.validation_loss)),
        ];
        let known = all
            .into_iter()
            .filter_map(|(name, figure)| Some((name.into(), figure?)));
        known.collect()
    }
}

/// Trains a network on a folder of audio and writes a run.
///
/// # Errors
/// [`Error::Dataset`] for a folder that cannot be learnt from; [`Error::RunExists`]; [`Error::Setting`];
/// [`Error::Stopped`], after which [`resume`] goes on; whatever the training or the disk refuses.
pub fn train_folder(
    training: &Training<'_>,
    device: &Device,
    control: Control<'_>,
) -> Result<Outcome, Error> {
    let (dataset, settings) = begin(training.data, &training.recipe, training.seed, device)?;
    let run = RunFolder::create(training.out)?;
    run.write_settings(&settings)?;
    let material = Material::make(dataset, &settings.recipe, training.cache, control)?;
    let how = How::new(training.profile, device, control);
    train_on(run, settings, &material, &how)
}

/// The dataset and the settings of a training, checked as far as can be before features are computed.
pub(crate) fn begin(
    data: &Path,
    recipe: &Recipe,
    seed: u64,
    device: &Device,
) -> Result<(Dataset, RunSettings), Error> {
    recipe.check()?;
    let (dataset, recipe) = open(data, recipe)?;
    dataset.check_labels()?;
    if recipe.classifier.is_none() {
        recipe.architecture_for(dataset.labels.len())?;
    }
    let dir = data.canonicalize().unwrap_or_else(|_| data.into());
    let mut settings = RunSettings {
        melgrad: env!("CARGO_PKG_VERSION").into(),
        seed,
        device: device.name().into(),
        data: DataSettings {
            dir: dir.to_string_lossy().into_owned(),
            ..DataSettings::default()
        },
        recipe: recipe.clone(),
    };
    if let Some(weights) = &mut settings.recipe.transfer.weights {
        *weights = weights.canonicalize().unwrap_or_else(|_| weights.clone());
    }
    settings.to_toml()?;
    Ok((dataset, settings))
}

/// Goes on with a run that was stopped, or trains it for longer.
///
/// # Errors
/// [`Error::Io`] where there is no run; [`Error::Dataset`] where the clips are others than those it began with;
/// otherwise as [`train_folder`].
pub fn resume(
    resuming: &Resuming<'_>,
    device: &Device,
    control: Control<'_>,
) -> Result<Outcome, Error> {
    let run = RunFolder::open(resuming.run)?;
    let mut settings = run.settings()?;
    resuming.change(&mut settings)?;
    let (dataset, recipe) = open(settings.data.dir.as_ref(), &settings.recipe)?;
    settings.recipe = recipe;
    let material = Material::make(dataset, &settings.recipe, resuming.cache, control)?;
    let how = How::new(resuming.profile, device, control);
    train_on(run, settings, &material, &how)
}

impl Resuming<'_> {
    /// What is to be other than at the beginning.
    fn change(&self, settings: &mut RunSettings) -> Result<(), Error> {
        if let Some(epochs) = self.epochs {
            settings.recipe.training.epochs = epochs;
            settings.recipe.check()?;
        }
        if let Some(dir) = self.data {
            let dir = dir.canonicalize().unwrap_or_else(|_| dir.into());
            settings.data.dir = dir.to_string_lossy().into_owned();
        }
        Ok(())
    }
}

/// A dataset as features: what one training or many are made from.
#[derive(Debug)]
pub(crate) struct Material {
    pub prepared: Prepared,
    targets: Vec<usize>,
    warnings: Vec<String>,
}

impl Material {
    pub fn make(
        dataset: Dataset,
        recipe: &Recipe,
        cache: Option<&Path>,
        control: Control<'_>,
    ) -> Result<Material, Error> {
        let mut warnings = Vec::new();
        let prepared = features(dataset, &recipe.input, cache, control, &mut warnings)?;
        prepared.dataset.check_labels()?;
        let items = &prepared.dataset.items;
        let targets = items.iter().map(|item| item.label).collect();
        Ok(Material {
            prepared,
            targets,
            warnings,
        })
    }

    pub fn clips(&self) -> Clips<'_> {
        Clips {
            features: &self.prepared.features,
            targets: &self.targets,
        }
    }
}

/// How a run is to be trained.
pub(crate) struct How<'a> {
    pub device: &'a Device,
    pub control: Control<'a>,
    pub profile: bool,
    /// Whether the test clips are judged.
    pub test: bool,
}

impl<'a> How<'a> {
    pub fn new(profile: bool, device: &'a Device, control: Control<'a>) -> Self {
        How {
            device,
            control,
            profile,
            test: true,
        }
    }
}

/// Everything from the features on, for a run that begins or goes on.
pub(crate) fn train_on(
    run: RunFolder,
    mut settings: RunSettings,
    material: &Material,
    how: &How<'_>,
) -> Result<Outcome, Error> {
    let (device, control) = (how.device, how.control);
    let mut warnings = material.warnings.clone();
    control.warn(&mut warnings, transfer::thaw(&mut settings.recipe));
    let recipe = settings.recipe.clone();
    let prepared = &material.prepared;
    let dataset = &prepared.dataset;
    if device.name() != settings.device {
        let words = format!(
            "begun on {}, going on on {}: the figures may differ in their last digits",
            settings.device,
            device.name()
        );
        control.warn(&mut warnings, [words]);
    }
    let began_with = &settings.data.fingerprint;
    if !began_with.is_empty() && *began_with != prepared.fingerprint {
        return Err(Error::Dataset {
            dir: dataset.dir.clone(),
            reason: "its clips are others than those this run began with".into(),
            hint: "a new --out trains on them from the beginning",
        });
    }
    let split = Split::new(dataset, &recipe.split, settings.seed)?;
    control.warn(&mut warnings, split.warnings.iter().cloned());
    let chooses = recipe.classifier.is_none() && recipe.training.best != Best::Last;
    if split.validation.is_empty() && chooses {
        control.warn(
            &mut warnings,
            ["no clips choose the best epoch: the last one is kept".into()],
        );
    }
    control.tell(Event::Split {
        labels: dataset.labels.len(),
        train: split.train.len(),
        validation: split.validation.len(),
        test: split.test.len(),
    });
    settings.data.labels.clone_from(&dataset.labels);
    settings.data.clips = dataset.items.len();
    settings.data.split = [split.train.len(), split.validation.len(), split.test.len()];
    settings.data.fingerprint.clone_from(&prepared.fingerprint);
    run.write_settings(&settings)?;

    let clips = material.clips();
    let normalisation = fit(
        recipe.input.normalise,
        clips.features,
        &split.fitted(recipe.split.form),
    )?;
    if let Some(classifier) = &recipe.classifier {
        let learnt = classical::train(
            classifier,
            &settings,
            clips,
            &split.train,
            &normalisation,
            control,
        )?;
        learnt.save(&run.model())?;
        let done = Trained {
            run,
            settings,
            history: Vec::new(),
            best_epoch: 0,
            warnings,
        };
        return done.judged(prepared, &split.test, how);
    }
    let architecture = recipe.architecture_for(dataset.labels.len())?;
    let setup = Setup {
        clips,
        split: &split,
        labels: &dataset.labels,
        input: &recipe.input,
        normalisation: &normalisation,
        architecture: &architecture,
        settings: &recipe.training,
        seed: settings.seed,
    };
    let last = run.last();
    let mut trainer = if last.is_file() {
        let name = last.display().to_string();
        let file =
            ModelFile::from_bytes(&files::read_bytes(&last)?).map_err(Error::model(&name))?;
        Trainer::resume(setup, device, &file, &name)?
    } else {
        let mut trainer = Trainer::new(setup, device)?;
        transfer::begin(&mut trainer, &recipe, control, &mut warnings)?;
        trainer
    };
    if how.profile {
        trainer.profile()?;
    }
    let mut keeper = RunKeeper::new(&run)?;
    trainer.run(&mut keeper, control)?;
    let (history, best_epoch) = (trainer.history().to_vec(), trainer.best_epoch());
    drop(trainer);

    let done = Trained {
        run,
        settings,
        history,
        best_epoch,
        warnings,
    };
    done.judged(prepared, &split.test, how)
}

fn features(
    mut dataset: Dataset,
    input: &Input,
    cache: Option<&Path>,
    control: Control<'_>,
    warnings: &mut Vec<String>,
) -> Result<Prepared, Error> {
    control.tell(Event::Dataset {
        layout: dataset.layout,
        labels: dataset.labels.len(),
        clips: dataset.items.len(),
    });
    control.warn(warnings, std::mem::take(&mut dataset.warnings));
    // What is kept does not depend on how it is normalised later.
    let kept = Input {
        normalise: Normalise::None,
        ..input.clone()
    };
    let cache = cache.map_or_else(Cache::off, |dir| Cache::open(dir, &kept));
    let mut prepared = prepare(dataset, input, &cache, control)?;
    control.warn(warnings, std::mem::take(&mut prepared.dataset.warnings));
    Ok(prepared)
}
