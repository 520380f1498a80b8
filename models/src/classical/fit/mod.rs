//! Learning, through libraries that do nothing else.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `mod.rs` | [`fit`] |
//! | `training_set.rs` | [`Lessons`]: training examples; a piece of work for every label |
//! | `trees.rs` | boosted trees by `forust-ml` |
//! | `kernel.rs` | support vector machines and Platt's probabilities by `linfa-svm` |
//! | `logistic.rs` | logistic regression by `linfa-logistic` |
//!
//! The same examples, settings and seed give the same model, bit for bit, on any number of threads: labels are learnt
//! side by side, and nothing is shared between them.

mod kernel;
mod logistic;
mod refused;
#[cfg(test)]
mod tests;
mod training_set;
mod trees;

use super::{Classical, Model};
use crate::Error;
use crate::base::control::Control;
pub use training_set::Lessons;

/// Fits a classifier.
///
/// # Errors
/// [`Error::Setting`] for settings that make no sense, examples that do not fit together, or fewer than two labels;
/// [`Error::NotFinite`]; [`Error::Classifier`] for what a library refuses; [`Error::Stopped`].
pub fn fit(
    classifier: &Classical,
    lessons: &Lessons,
    seed: u64,
    control: Control<'_>,
) -> Result<Model, Error> {
    classifier.check()?;
    lessons.check()?;
    let unweighted = |what: &str| match &lessons.weights {
        Some(_) => Err(Error::setting(
            "training.class_weights",
            format!("{what} weigh all labels alike"),
        )),
        None => Ok(()),
    };
    match classifier {
        Classical::Trees(settings) => trees::fit(settings, lessons, seed, control),
        Classical::Svm(settings) => kernel::fit(settings, lessons, control),
        Classical::Logistic(settings) => {
            unweighted("logistic regressions")?;
            control.check()?;
            logistic::fit(settings, lessons)
        }
        Classical::Neighbours(settings) => {
            unweighted("neighbours")?;
            Ok(Model::Neighbours {
                k: settings.k,
                by_distance: settings.by_distance,
                examples: lessons.rows.clone(),
                targets: lessons.targets.clone(),
                labels: lessons.labels,
            })
        }
        Classical::Vote(vote) => {
            let members = vote
                .members
                .iter()
                .map(|member| fit(member, lessons, seed, control));
            Ok(Model::Vote(members.collect::<Result<_, _>>()?))
        }
    }
}
