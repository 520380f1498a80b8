//! Training a classifier that is no network, and asking either kind of model about clips.

use engine::Device;

use crate::Error;
use crate::classical::{Classical, Saved};
use crate::classify::Classifier;
use crate::control::Control;
use crate::evaluate::judge;
use crate::examples::Clips;
use crate::input::{Input, Normalisation, Windows};
use crate::run::{RunFolder, RunSettings};
#[cfg(feature = "classical")]
use crate::{
    classical::{Lessons, Rows, fit},
    examples::{Batch, Examples},
    training::balanced_weights,
};

/// Windows that go through a network at once when it is judged.
const AT_ONCE: usize = 32;

/// Fits the recipe's classifier to the training clips.
///
/// # Errors
/// As [`crate::classical::fit`]; [`Error::Io`] where a file in the cache can no longer be read.
#[cfg(feature = "classical")]
pub(super) fn train(
    classifier: &Classical,
    settings: &RunSettings,
    clips: Clips<'_>,
    chosen: &[usize],
    normalisation: &Normalisation,
    control: Control<'_>,
) -> Result<Saved, Error> {
    let (input, labels) = (&settings.recipe.input, &settings.data.labels);
    let examples = Examples::new(clips, chosen, normalisation);
    let mut batch = Batch::default();
    examples.read(0..examples.len(), &mut batch)?;
    let targets: Vec<usize> = batch
        .targets
        .iter()
        .map(|&target| target as usize)
        .collect();
    let weights = settings.recipe.training.class_weights.then(|| {
        let mut counts = vec![0; labels.len()];
        targets.iter().for_each(|&target| counts[target] += 1);
        balanced_weights(&counts)
            .into_iter()
            .map(f64::from)
            .collect()
    });
    let lessons = Lessons {
        rows: Rows {
            columns: input.rows().saturating_mul(input.frames),
            values: batch.values,
        },
        targets,
        clips: (0..examples.len())
            .map(|example| examples.clip(example))
            .collect(),
        labels: labels.len(),
        weights,
    };
    Ok(Saved {
        labels: labels.clone(),
        input: input.clone(),
        normalisation: normalisation.clone(),
        model: fit(classifier, &lessons, settings.seed, control)?,
    })
}

/// Says that this program cannot.
#[cfg(not(feature = "classical"))]
pub(super) fn train(
    classifier: &Classical,
    _: &RunSettings,
    _: Clips<'_>,
    _: &[usize],
    _: &Normalisation,
    _: Control<'_>,
) -> Result<Saved, Error> {
    Err(Error::Classifier {
        name: classifier.name(),
        reason: "this program was built without the feature `classical`".into(),
    })
}

/// What a run has learnt.
pub(super) enum Learnt {
    Network(Classifier),
    Classical(Saved),
}

impl Learnt {
    /// # Errors
    /// [`Error::Io`]; [`Error::Model`] or [`Error::Malformed`] for what is no sound model.
    pub(super) fn load(
        run: &RunFolder,
        settings: &RunSettings,
        device: &Device,
    ) -> Result<Learnt, Error> {
        Ok(match settings.recipe.classifier {
            Some(_) => Learnt::Classical(Saved::load(&run.model())?),
            None => Learnt::Network(Classifier::load_on(&run.best(), device)?),
        })
    }

    pub(super) fn labels(&self) -> &[String] {
        match self {
            Learnt::Network(classifier) => classifier.labels(),
            Learnt::Classical(saved) => &saved.labels,
        }
    }

    pub(super) fn input(&self) -> &Input {
        match self {
            Learnt::Network(classifier) => classifier.input(),
            Learnt::Classical(saved) => &saved.input,
        }
    }

    /// The probability of every label for each of the chosen clips.
    ///
    /// # Errors
    /// As [`judge`] and [`Saved::probabilities`].
    pub(super) fn probabilities(
        &self,
        clips: Clips<'_>,
        chosen: &[usize],
        control: Control<'_>,
    ) -> Result<Vec<Vec<f64>>, Error> {
        let saved = match self {
            Learnt::Classical(saved) => saved,
            Learnt::Network(classifier) => {
                let (network, normalisation) = (classifier.network(), classifier.normalisation());
                let judged = judge(
                    network,
                    normalisation,
                    clips,
                    chosen,
                    None,
                    AT_ONCE,
                    control,
                )?;
                return Ok(judged.probabilities);
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
