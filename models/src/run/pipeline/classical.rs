//! Training of a classifier that is not a network.

use crate::Error;
use crate::base::control::Control;
use crate::classical::{Classical, Saved};
use crate::input::Normalisation;
use crate::run::folder::RunSettings;
#[cfg(feature = "classical")]
use crate::{
    classical::{Lessons, Rows, fit},
    input::examples::{Batch, Examples},
};

/// Fits the recipe's classifier to the training clips and their variants.
///
/// # Errors
/// As [`crate::classical::fit`]; [`Error::Io`] if a file in the cache can no longer be read.
#[cfg(feature = "classical")]
pub(super) fn train(
    classifier: &Classical,
    settings: &RunSettings,
    varied: &super::inputs::Varied,
    normalisation: &Normalisation,
    control: Control<'_>,
) -> Result<Saved, Error> {
    let (input, labels) = (&settings.recipe.input, &settings.data.labels);
    let examples = Examples::new(varied.clips(), &varied.split.train, normalisation);
    let mut batch = Batch::default();
    examples.read(0..examples.len(), &mut batch)?;
    let targets: Vec<usize> = batch
        .targets
        .iter()
        .map(|&target| target as usize)
        .collect();
    let weights = settings.recipe.training.class_weights.then(|| {
        let clips = varied.clips();
        let weights = clips.balanced_weights(&varied.split.train, labels.len());
        weights.into_iter().map(f64::from).collect()
    });
    let lessons = Lessons {
        rows: Rows {
            columns: input.rows().saturating_mul(input.frames),
            values: batch.values,
        },
        targets,
        clips: (0..examples.len())
            .map(|example| varied.recording(examples.clip(example)))
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

/// Error: this build cannot do it.
#[cfg(not(feature = "classical"))]
pub(super) fn train(
    classifier: &Classical,
    _: &RunSettings,
    _: &super::inputs::Varied,
    _: &Normalisation,
    _: Control<'_>,
) -> Result<Saved, Error> {
    Err(Error::Classifier {
        name: classifier.name(),
        reason: "this program was built without the feature `classical`".into(),
    })
}
