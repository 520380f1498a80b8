//! From a folder of audio to a run: scan, split, features, training, test, report; resuming; evaluation.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `mod.rs` | [`train_folder`] and [`resume`] |
//! | `classical.rs` | training of a classifier that is not a network |
//! | `compare.rs` | [`compare_runs`]: compares several runs |
//! | `data.rs` | [`open`]: the dataset of a recipe |
//! | `series/` | [`train_series`]: training with several seeds, or folds |
//! | `outcome.rs` | [`Outcome`]: the result of a training |
//! | `evaluate.rs` | [`evaluate_run`], and predictions of a model for clips |
//! | `inputs.rs` | a dataset as features; the training inputs with variants |
//! | `checkpoint.rs` | writing a training's files into its run folder |
//! | `model.rs` | [`TrainedModel`]: a trained model of either kind |
//! | `page.rs` | the run as a report, with pictures of clips |

mod checkpoint;
mod classical;
mod compare;
mod data;
mod evaluate;
mod inputs;
mod model;
mod options;
mod outcome;
mod page;
mod series;
mod test;

use std::path::Path;
use std::time::Instant;

use engine::{Device, ModelFile};

use crate::Error;
use crate::base::control::{Control, Event};
use crate::base::files;
use crate::data::dataset::Dataset;
use crate::data::split::Split;
use crate::recipe::Recipe;
pub use crate::run::folder::is_series;
use crate::run::folder::{DataSettings, RunFolder, RunSettings};
use crate::run::lock::RunLock;
use crate::run::transfer;
use crate::training::settings::Best;
use crate::training::train::{Setup, Trainer};
use checkpoint::CheckpointWriter;
pub use compare::compare_runs;
pub use data::open;
pub use evaluate::{ClipAnswer, Evaluating, Evaluation, evaluate_run};
pub(crate) use inputs::Inputs;
pub use model::TrainedModel;
pub(crate) use options::Options;
pub use outcome::Outcome;
pub(crate) use series::by_name;
pub use series::{
    RunFigures, Series, SeriesOutcome, complete_series, resume_series, runs_in, train_series,
};
use test::Trained;

/// Settings of a new training.
#[derive(Debug, Clone)]
pub struct Training<'a> {
    /// Dataset: a folder per label.
    pub data: &'a Path,
    /// Experiment.
    pub recipe: Recipe,
    /// Folder of the run; created if it is missing.
    pub out: &'a Path,
    /// Seed of everything random: below 2^63.
    pub seed: u64,
    /// Directory of the feature cache; `None` for no cache.
    pub cache: Option<&'a Path>,
    /// Whether to profile training steps.
    pub profile: bool,
}

/// Settings to resume a training.
#[derive(Debug, Clone, Copy)]
pub struct Resuming<'a> {
    /// Folder of the run.
    pub run: &'a Path,
    /// New folder of the dataset, if it has moved.
    pub data: Option<&'a Path>,
    /// New number of epochs, if it changes.
    pub epochs: Option<usize>,
    /// See [`Training::cache`].
    pub cache: Option<&'a Path>,
    /// See [`Training::profile`].
    pub profile: bool,
}

/// Trains a network on a folder of audio and writes a run.
///
/// # Errors
/// [`Error::Dataset`] for a folder that cannot be learnt from; [`Error::RunExists`]; [`Error::Locked`];
/// [`Error::Setting`];
/// [`Error::Stopped`], after which [`resume`] goes on; whatever the training or the disk refuses.
pub fn train_folder(
    training: &Training<'_>,
    device: &Device,
    control: Control<'_>,
) -> Result<Outcome, Error> {
    let (dataset, settings) = begin(training.data, &training.recipe, training.seed, device)?;
    let _lock = RunLock::take(training.out)?;
    let run = RunFolder::create(training.out)?;
    run.write_settings(&settings)?;
    let inputs = Inputs::make(dataset, &settings.recipe, training.cache, control)?;
    let how = Options::new(training.profile, device, control);
    train_on(run, settings, &inputs, &how)
}

/// Dataset and settings of a training, validated as far as possible before features are computed.
pub(crate) fn begin(
    data: &Path,
    recipe: &Recipe,
    seed: u64,
    device: &Device,
) -> Result<(Dataset, RunSettings), Error> {
    recipe.check()?;
    let (dataset, recipe) = open(data, recipe)?;
    dataset.check_labels()?;
    if let Some(sound) = &recipe.training.sound {
        sound.check_data(&dataset)?;
    }
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

/// Resumes a run that was stopped, or trains it for more epochs.
///
/// # Errors
/// [`Error::Io`] where there is no run; [`Error::Locked`]; [`Error::Dataset`] where the clips are others than those
/// it began with;
/// otherwise as [`train_folder`].
pub fn resume(
    resuming: &Resuming<'_>,
    device: &Device,
    control: Control<'_>,
) -> Result<Outcome, Error> {
    let run = RunFolder::open(resuming.run)?;
    let _lock = RunLock::take(resuming.run)?;
    let mut settings = run.settings()?;
    resuming.change(&mut settings)?;
    let (dataset, recipe) = open(settings.data.dir.as_ref(), &settings.recipe)?;
    settings.recipe = recipe;
    let inputs = Inputs::make(dataset, &settings.recipe, resuming.cache, control)?;
    let how = Options::new(resuming.profile, device, control);
    train_on(run, settings, &inputs, &how)
}

impl Resuming<'_> {
    /// Settings that change on resuming.
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

/// Runs everything from the features on, for a new or resumed run.
pub(crate) fn train_on(
    run: RunFolder,
    mut settings: RunSettings,
    inputs: &Inputs,
    how: &Options<'_>,
) -> Result<Outcome, Error> {
    let (device, control) = (how.device, how.control);
    let mut warnings = inputs.warnings.clone();
    control.warn(&mut warnings, transfer::thaw(&mut settings.recipe));
    let recipe = settings.recipe.clone();
    let prepared = &inputs.prepared;
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

    let fitted = split.fitted(recipe.split.form);
    let normalisation = inputs.normalisation(&recipe, &fitted, device, control)?;
    let varied = inputs.varied(&recipe, &split, control, &mut warnings)?;
    if let Some(classifier) = &recipe.classifier {
        let begun = Instant::now();
        let trained = classical::train(classifier, &settings, &varied, &normalisation, control)?;
        trained.save(&run.model())?;
        let done = Trained {
            run,
            settings,
            history: Vec::new(),
            best_epoch: 0,
            seconds: begun.elapsed().as_secs_f64(),
            warnings,
        };
        return done.evaluated(prepared, &split.test, how);
    }
    let architecture = recipe.architecture_for(dataset.labels.len())?;
    let setup = Setup {
        clips: varied.clips(),
        split: &varied.split,
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
        // A missing or damaged table is rewritten, without the times of earlier epochs.
        let timed = run.history().unwrap_or_default();
        Trainer::resume(setup, device, &file, &name)?.with_times(&timed)
    } else {
        let mut trainer = Trainer::new(setup, device)?;
        transfer::begin(&mut trainer, &recipe, control, &mut warnings)?;
        trainer
    };
    if how.profile {
        trainer.profile()?;
    }
    let mut checkpoints = CheckpointWriter::new(&run)?;
    trainer.run(&mut checkpoints, control)?;
    let (history, best_epoch) = (trainer.history().to_vec(), trainer.best_epoch());
    drop(trainer);
    let seconds = history.iter().map(|row| row.seconds).sum();

    let done = Trained {
        run,
        settings,
        history,
        best_epoch,
        seconds,
        warnings,
    };
    done.evaluated(prepared, &split.test, how)
}
