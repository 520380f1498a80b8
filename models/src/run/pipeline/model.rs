//! Trained model of either kind, and its predictions for clips and audio files.

use std::path::Path;

use audio::Segment;
use engine::Device;

use crate::Error;
use crate::base::control::Control;
use crate::classical::Saved;
use crate::classify::{Answer, Classifier};
use crate::evaluation::answers::evaluate;
use crate::input::examples::Clips;
use crate::input::frontend::Frontend;
use crate::input::{Input, Windows};
use crate::run::folder::{RunFolder, RunSettings};
use crate::training::settings::Extract;

/// Batch size in windows for evaluation, if memory allows.
const AT_ONCE: usize = 32;

/// A trained model of either kind.
#[derive(Debug)]
pub enum TrainedModel {
    /// A network.
    Network(Classifier),
    /// A classifier that is not a network.
    Classical(Saved),
}

impl TrainedModel {
    /// Loads a model file (`best.safetensors` or `model.json` of a run), or the model of a run's folder.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Model`] or [`Error::Malformed`] for an invalid model.
    pub fn load(path: &Path, device: &Device) -> Result<TrainedModel, Error> {
        let file = RunFolder::model_of(path)?;
        let extension = file.extension().unwrap_or_default();
        Ok(match extension.eq_ignore_ascii_case("json") {
            true => TrainedModel::Classical(Saved::load(&file)?),
            false => TrainedModel::Network(Classifier::load_on(&file, device)?),
        })
    }

    /// Loads the model of a run.
    ///
    /// # Errors
    /// As [`TrainedModel::load`].
    pub(super) fn of_run(
        run: &RunFolder,
        settings: &RunSettings,
        device: &Device,
    ) -> Result<TrainedModel, Error> {
        Ok(match settings.recipe.classifier {
            Some(_) => TrainedModel::Classical(Saved::load(&run.model())?),
            None => TrainedModel::Network(Classifier::load_on(run.best(), device)?),
        })
    }

    /// Returns the labels.
    #[must_use]
    pub fn labels(&self) -> &[String] {
        match self {
            TrainedModel::Network(classifier) => classifier.labels(),
            TrainedModel::Classical(saved) => &saved.labels,
        }
    }

    /// Returns the input settings.
    #[must_use]
    pub fn input(&self) -> &Input {
        match self {
            TrainedModel::Network(classifier) => classifier.input(),
            TrainedModel::Classical(saved) => &saved.input,
        }
    }

    /// Classifies an audio file of any length, or a segment of it.
    ///
    /// # Errors
    /// As [`Classifier::classify_segment`] and [`Saved::classify_segment`].
    pub fn classify_segment(&self, path: &Path, segment: &Segment) -> Result<Answer, Error> {
        match self {
            TrainedModel::Network(classifier) => classifier.classify_segment(path, segment),
            TrainedModel::Classical(saved) => saved.classify_segment(path, segment),
        }
    }

    /// Returns the probability of every label for each of the chosen clips.
    ///
    /// # Errors
    /// As [`evaluate`] and [`Saved::probabilities`].
    pub(super) fn probabilities(
        &self,
        clips: Clips<'_>,
        extract: Extract,
        chosen: &[usize],
        control: Control<'_>,
    ) -> Result<Vec<Vec<f64>>, Error> {
        let saved = match self {
            TrainedModel::Classical(saved) => saved,
            TrainedModel::Network(classifier) => {
                let (network, normalisation) = (classifier.network(), classifier.normalisation());
                let device = network.device();
                let front = Frontend::new(device, extract, classifier.input(), normalisation)?;
                let evaluated = evaluate(
                    network,
                    &front,
                    clips,
                    chosen,
                    None,
                    classifier.at_once(AT_ONCE),
                    control,
                )?;
                return Ok(evaluated.probabilities);
            }
        };
        let of = |&clip: &usize| {
            control.check()?;
            let features = &clips.features[clip];
            let [bands, frames] = features.shape();
            let mut values = Vec::new();
            for window in 0..features.windows() {
                features.read(window, &mut values)?;
            }
            let windows = features.windows();
            saved.probabilities(Windows {
                windows,
                bands,
                frames,
                values,
            })
        };
        chosen.iter().map(of).collect()
    }
}
