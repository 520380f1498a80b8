//! Evaluation of a run's model on labelled clips.

use std::path::{Path, PathBuf};

use engine::Device;

use super::data::open;
use super::inputs::features;
use super::model::TrainedModel;
use crate::Error;
use crate::base::control::Control;
use crate::data::split::Split;
use crate::evaluation::answers::largest;
use crate::evaluation::metrics::Metrics;
use crate::input::examples::Clips;
use crate::input::features::Prepared;
use crate::run::folder::RunFolder;

/// Run, or its model on other clips, to evaluate.
#[derive(Debug, Clone, Copy)]
pub struct Evaluating<'a> {
    /// Folder of the run.
    pub run: &'a Path,
    /// Clips: a folder per label. `None`: the run's own test clips. These are also used if the folder is the dataset of
    /// the training, because results on its other clips would be too good.
    pub data: Option<&'a Path>,
    /// Feature cache, as in `Training`.
    pub cache: Option<&'a Path>,
}

/// Result of the evaluation.
#[derive(Debug, Clone)]
pub struct Evaluation {
    /// Metrics.
    pub metrics: Metrics,
    /// Predictions for all clips.
    pub clips: Vec<ClipAnswer>,
    /// Short description of the clips evaluated.
    pub note: String,
    /// Warnings for readers of the metrics. All were also sent as `Event::Warning`.
    pub warnings: Vec<String>,
}

/// Prediction for one labelled clip.
#[derive(Debug, Clone, PartialEq)]
pub struct ClipAnswer {
    /// File of the clip.
    pub path: PathBuf,
    /// `label/…/stem`.
    pub name: String,
    /// True label.
    pub truth: String,
    /// Most likely label.
    pub answer: String,
    /// Probability of that label, 0 to 1.
    pub probability: f64,
}

/// Evaluates a run's model on clips that it was not trained on.
///
/// # Errors
/// [`Error::Io`] if there is no run or no model yet; [`Error::Model`]; [`Error::Dataset`] if no clip has a label of the
/// model, or if the run's dataset has changed; [`Error::Stopped`].
pub fn evaluate_run(
    evaluating: &Evaluating<'_>,
    device: &Device,
    control: Control<'_>,
) -> Result<Evaluation, Error> {
    let run = RunFolder::open(evaluating.run)?;
    let settings = run.settings()?;
    let trained = TrainedModel::of_run(&run, &settings, device)?;
    let dir = evaluating.data.unwrap_or(settings.data.dir.as_ref());
    let mut warnings = Vec::new();
    let mut recipe = settings.recipe.clone();
    let same = |dir: &Path| {
        dir.canonicalize()
            .is_ok_and(|dir| dir == Path::new(&settings.data.dir))
    };
    if !same(dir) {
        // Other clips may have another layout.
        recipe.layout = None;
    }
    let (dataset, _) = open(dir, &recipe)?;
    let mut prepared = features(
        dataset,
        trained.input(),
        recipe.training.extract,
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
        return refuse(
            reason,
            "name the folder by --data to evaluate all its clips",
        );
    }
    if !own && same(dir) {
        let words = "this is the folder that the run was trained on, changed since: clips that it was trained on are among those evaluated";
        control.warn(&mut warnings, [words.into()]);
    }
    if own && trained.labels() != prepared.dataset.labels {
        return Err(Error::Malformed {
            path: run.trained(),
            reason: "its labels are not this run's".into(),
        });
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
        let chosen = known_labels(&mut prepared, trained.labels(), control, &mut warnings);
        if chosen.is_empty() {
            return refuse(
                "none of its labels is known to the model",
                "its folders should be named after the model's labels",
            );
        }
        (chosen, "clips")
    };
    let note = format!("{} {what} of {}", chosen.len(), dir.display());
    let (metrics, clips) = ask(&trained, &prepared, &chosen, control)?;
    Ok(Evaluation {
        metrics,
        clips,
        note,
        warnings,
    })
}

/// Maps the labels of another dataset to the model's label indices, and drops clips whose label the model lacks.
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

/// Predicts clips that have the model's label indices.
pub(super) fn ask(
    trained: &TrainedModel,
    prepared: &Prepared,
    chosen: &[usize],
    control: Control<'_>,
) -> Result<(Metrics, Vec<ClipAnswer>), Error> {
    let (items, labels) = (&prepared.dataset.items, trained.labels());
    let targets: Vec<usize> = items.iter().map(|item| item.label).collect();
    let clips = Clips {
        features: &prepared.features,
        targets: &targets,
    };
    let probabilities = trained.probabilities(clips, prepared.extract, chosen, control)?;
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
    let answers: Vec<ClipAnswer> = chosen.iter().zip(&probabilities).map(answer).collect();
    let pairs = chosen.iter().zip(&probabilities);
    let pairs = pairs.map(|(&clip, probabilities)| (targets[clip], largest(probabilities)));
    Ok((Metrics::from_answers(labels, pairs), answers))
}
