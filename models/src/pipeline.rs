//! From a folder of audio to a run: scan, split, features, training, test, report; going on after a stop; judging again.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use engine::{Device, ModelFile};

use crate::cache::Cache;
use crate::classify::Classifier;
use crate::control::{Control, Event};
use crate::dataset::Dataset;
use crate::evaluate::{judge, largest};
use crate::examples::{Clips, fit};
use crate::features::{Prepared, prepare};
use crate::history::EpochRow;
use crate::input::Input;
use crate::metrics::Metrics;
use crate::recipe::Recipe;
use crate::report::Report;
use crate::run::{DataSettings, RunFolder, RunSettings};
use crate::split::Split;
use crate::tensorboard::EventFiles;
use crate::train::{Keeper, Setup, Trainer};
use crate::{Error, files};

/// Windows that go through a network at once when it is judged.
const AT_ONCE: usize = 32;

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
    /// The epoch whose weights were kept, counted from 1.
    pub best_epoch: usize,
    /// The figures on the test clips; `None` where there are none.
    pub metrics: Option<Metrics>,
    /// The answer for every test clip.
    pub tested: Vec<ClipAnswer>,
    /// What a reader of the figures should know. All of it was told as [`Event::Warning`] too.
    pub warnings: Vec<String>,
}

/// A run, or its model on other clips, that is to be judged.
#[derive(Debug, Clone, Copy)]
pub struct Evaluating<'a> {
    /// The folder of the run.
    pub run: &'a Path,
    /// The clips: a folder per label. The run's own test clips, where it is `None`, and also where it is the dataset
    /// that the run was trained on: its other clips would flatter.
    pub data: Option<&'a Path>,
    /// See [`Training::cache`].
    pub cache: Option<&'a Path>,
}

/// How good a run's model is.
#[derive(Debug, Clone)]
pub struct Evaluation {
    /// The figures.
    pub metrics: Metrics,
    /// The answer for every clip.
    pub clips: Vec<ClipAnswer>,
    /// Which clips were judged, in a few words.
    pub note: String,
    /// What a reader of the figures should know. All of it was told as [`Event::Warning`] too.
    pub warnings: Vec<String>,
}

/// The answer for one clip whose label is known.
#[derive(Debug, Clone, PartialEq)]
pub struct ClipAnswer {
    /// Its file.
    pub path: PathBuf,
    /// `label/…/stem`.
    pub name: String,
    /// Its label.
    pub truth: String,
    /// The likeliest label.
    pub answer: String,
    /// How likely, 0 to 1.
    pub probability: f64,
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
    let recipe = &training.recipe;
    recipe.check()?;
    let dataset = Dataset::scan(training.data, recipe.split.group)?;
    dataset.check_labels()?;
    recipe.architecture_for(dataset.labels.len())?;
    let dir = training
        .data
        .canonicalize()
        .unwrap_or_else(|_| training.data.into());
    let settings = RunSettings {
        melgrad: env!("CARGO_PKG_VERSION").into(),
        seed: training.seed,
        device: device.name().into(),
        data: DataSettings {
            dir: dir.to_string_lossy().into_owned(),
            ..DataSettings::default()
        },
        recipe: recipe.clone(),
    };
    settings.to_toml()?;
    let run = RunFolder::create(training.out)?;
    run.write_settings(&settings)?;
    go_on(run, settings, dataset, training.cache, device, control)
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
    if let Some(epochs) = resuming.epochs {
        settings.recipe.training.epochs = epochs;
        settings.recipe.check()?;
    }
    if let Some(dir) = resuming.data {
        let dir = dir.canonicalize().unwrap_or_else(|_| dir.into());
        settings.data.dir = dir.to_string_lossy().into_owned();
    }
    let dataset = Dataset::scan(settings.data.dir.as_ref(), settings.recipe.split.group)?;
    go_on(run, settings, dataset, resuming.cache, device, control)
}

/// Everything from the features on, for a run that begins or goes on.
fn go_on(
    run: RunFolder,
    mut settings: RunSettings,
    dataset: Dataset,
    cache: Option<&Path>,
    device: &Device,
    control: Control<'_>,
) -> Result<Outcome, Error> {
    let mut warnings = Vec::new();
    let recipe = settings.recipe.clone();
    let prepared = features(dataset, &recipe.input, cache, control, &mut warnings)?;
    let dataset = &prepared.dataset;
    dataset.check_labels()?;
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
    if split.validation.is_empty() {
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

    let targets: Vec<usize> = dataset.items.iter().map(|item| item.label).collect();
    let clips = Clips {
        features: &prepared.features,
        targets: &targets,
    };
    let normalisation = fit(recipe.input.normalise, clips.features, &split.train)?;
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
        Trainer::new(setup, device)?
    };
    let mut keeper = RunKeeper {
        events: EventFiles::create(&run.tensorboard(), now())?,
        run: &run,
    };
    trainer.run(&mut keeper, control)?;
    let (history, best_epoch) = (trainer.history().to_vec(), trainer.best_epoch());
    drop(trainer);

    let (metrics, tested) = match split.test.as_slice() {
        [] => {
            control.warn(
                &mut warnings,
                ["no clips are kept for a test: nothing tells how good the network is".into()],
            );
            (None, Vec::new())
        }
        test => {
            let classifier = Classifier::load_on(&run.best(), device)?;
            let (metrics, tested) = ask(&classifier, &prepared, test, control)?;
            run.write_metrics(&metrics)?;
            (Some(metrics), tested)
        }
    };
    let outcome = Outcome {
        run,
        settings,
        history,
        best_epoch,
        metrics,
        tested,
        warnings,
    };
    files::write_bytes(&outcome.run.report(), outcome.report()?.html().as_bytes())?;
    Ok(outcome)
}

/// Judges a run's model on clips that it was not trained on.
///
/// # Errors
/// [`Error::Io`] where there is no run or no model yet; [`Error::Model`]; [`Error::Dataset`] where no clip has a label
/// that the model knows, or the run's dataset is no longer what it was; [`Error::Stopped`].
pub fn evaluate_run(
    evaluating: &Evaluating<'_>,
    device: &Device,
    control: Control<'_>,
) -> Result<Evaluation, Error> {
    let run = RunFolder::open(evaluating.run)?;
    let settings = run.settings()?;
    let classifier = Classifier::load_on(&run.best(), device)?;
    let dir = evaluating.data.unwrap_or(settings.data.dir.as_ref());
    let mut warnings = Vec::new();
    let dataset = Dataset::scan(dir, settings.recipe.split.group)?;
    let mut prepared = features(
        dataset,
        classifier.input(),
        evaluating.cache,
        control,
        &mut warnings,
    )?;
    let refuse = |reason: &str, hint| {
        let dir = dir.into();
        let reason = reason.into();
        Err(Error::Dataset { dir, reason, hint })
    };
    let own = prepared.fingerprint == settings.data.fingerprint;
    if !own && evaluating.data.is_none() {
        let reason = "its clips are others than those this run was trained on, so its test clips are not known";
        return refuse(reason, "name the folder by --data to judge all its clips");
    }
    let (chosen, what) = if own {
        let split = Split::new(&prepared.dataset, &settings.recipe.split, settings.seed)?;
        if split.test.is_empty() {
            return refuse(
                "this run was trained on all its clips",
                "name other clips by --data",
            );
        }
        (split.test, "test clips")
    } else {
        let chosen = known_labels(&mut prepared, classifier.labels(), control, &mut warnings);
        if chosen.is_empty() {
            return refuse(
                "none of its labels is known to the model",
                "its folders should be named after the model's labels",
            );
        }
        (chosen, "clips")
    };
    let note = format!("{} {what} of {}", chosen.len(), dir.display());
    let (metrics, clips) = ask(&classifier, &prepared, &chosen, control)?;
    Ok(Evaluation {
        metrics,
        clips,
        note,
        warnings,
    })
}

/// Gives the clips of a foreign dataset the model's label numbers, and leaves out those whose label it does not know.
fn known_labels(
    prepared: &mut Prepared,
    labels: &[String],
    control: Control<'_>,
    warnings: &mut Vec<String>,
) -> Vec<usize> {
    let dataset = &mut prepared.dataset;
    let number = |label: &String| labels.iter().position(|own| own == label);
    let numbers: Vec<Option<usize>> = dataset.labels.iter().map(number).collect();
    let unknown = dataset
        .labels
        .iter()
        .zip(&numbers)
        .filter(|(_, number)| number.is_none());
    let unknown =
        unknown.map(|(label, _)| format!("{label}: the model does not know this label, left out"));
    control.warn(warnings, unknown);
    let mut chosen = Vec::new();
    for (index, item) in dataset.items.iter_mut().enumerate() {
        if let Some(number) = numbers[item.label] {
            item.label = number;
            chosen.push(index);
        }
    }
    dataset.labels = labels.to_vec();
    chosen
}

fn features(
    mut dataset: Dataset,
    input: &Input,
    cache: Option<&Path>,
    control: Control<'_>,
    warnings: &mut Vec<String>,
) -> Result<Prepared, Error> {
    control.warn(warnings, std::mem::take(&mut dataset.warnings));
    let cache = cache.map_or_else(Cache::off, |dir| Cache::open(dir, input));
    let mut prepared = prepare(dataset, input, &cache, control)?;
    control.warn(warnings, std::mem::take(&mut prepared.dataset.warnings));
    Ok(prepared)
}

/// Asks a classifier about some clips whose labels have its numbers.
fn ask(
    classifier: &Classifier,
    prepared: &Prepared,
    chosen: &[usize],
    control: Control<'_>,
) -> Result<(Metrics, Vec<ClipAnswer>), Error> {
    let (items, labels) = (&prepared.dataset.items, classifier.labels());
    let targets: Vec<usize> = items.iter().map(|item| item.label).collect();
    let clips = Clips {
        features: &prepared.features,
        targets: &targets,
    };
    let judged = judge(
        classifier.network(),
        classifier.normalisation(),
        clips,
        chosen,
        None,
        AT_ONCE,
        control,
    )?;
    let answer = |(&clip, probabilities): (&usize, &Vec<f64>)| {
        let answer = largest(probabilities);
        ClipAnswer {
            path: items[clip].path.clone(),
            name: items[clip].name.clone(),
            truth: labels[targets[clip]].clone(),
            answer: labels[answer].clone(),
            probability: probabilities[answer],
        }
    };
    let answers = chosen
        .iter()
        .zip(&judged.probabilities)
        .map(answer)
        .collect();
    let truths = chosen.iter().map(|&clip| targets[clip]);
    Ok((
        Metrics::from_answers(labels, truths.zip(judged.answers())),
        answers,
    ))
}

impl Outcome {
    /// The run on one page.
    fn report(&self) -> Result<Report, Error> {
        let (recipe, data) = (&self.settings.recipe, &self.settings.data);
        let [train, validation, test] = data.split;
        Ok(Report {
            title: recipe.name.clone(),
            subtitle: format!(
                "{} labels · {train} clips to learn from, {validation} to choose the epoch, {test} to test · {} · trained on {} with seed {}",
                data.labels.len(),
                data.dir,
                self.settings.device,
                self.settings.seed
            ),
            notes: recipe.notes.iter().chain(&self.warnings).cloned().collect(),
            history: self.history.clone(),
            best_epoch: Some(self.best_epoch),
            metrics: self.metrics.clone(),
            claimed: recipe.claimed.clone().into_iter().collect(),
            examples: Vec::new(),
            settings: self.settings.to_toml()?,
        })
    }
}

/// Writes a training's files into its run folder.
struct RunKeeper<'a> {
    run: &'a RunFolder,
    events: EventFiles,
}

impl RunKeeper<'_> {
    fn write(&self, path: &Path, model: &ModelFile) -> Result<(), Error> {
        let bytes = model
            .to_bytes()
            .map_err(Error::model(path.display().to_string()))?;
        files::write_bytes(path, &bytes)
    }
}

impl Keeper for RunKeeper<'_> {
    fn best(&mut self, model: &ModelFile) -> Result<(), Error> {
        self.write(&self.run.best(), model)
    }

    fn last(&mut self, model: &ModelFile, history: &[EpochRow]) -> Result<(), Error> {
        // The state first: whoever is killed between the two goes on from it, and writes the table anew.
        self.write(&self.run.last(), model)?;
        self.run.write_history(history)?;
        match history.last() {
            Some(row) => self.events.epoch(row, now()),
            None => Ok(()),
        }
    }
}

/// Seconds since 1970.
fn now() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |time| time.as_secs_f64())
}
