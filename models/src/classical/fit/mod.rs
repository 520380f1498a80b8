//! Learning, through libraries that do nothing else.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `mod.rs` | [`fit`], and a piece of work for every label |
//! | `trees.rs` | boosted trees by `forust-ml` |
//! | `kernel.rs` | support vector machines and Platt's probabilities by `linfa-svm` |
//! | `logistic.rs` | logistic regression by `linfa-logistic` |
//!
//! The same examples, settings and seed give the same model, bit for bit, on any number of threads: labels are learnt
//! side by side, and nothing is shared between them.

mod kernel;
mod logistic;
#[cfg(test)]
mod tests;
mod trees;

use ndarray::{Array2, ArrayView2};

use super::{Classical, Model, Rows};
use crate::Error;
use crate::base::control::Control;
use crate::base::parallel;

/// What is learnt from.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Lessons {
    /// The examples.
    pub rows: Rows,
    /// The label of each, by its number.
    pub targets: Vec<usize>,
    /// The clip of each: examples of one clip are not held back without the others.
    pub clips: Vec<usize>,
    /// How many labels there are.
    pub labels: usize,
    /// How much the examples of each label weigh; all alike, where it is `None`.
    pub weights: Option<Vec<f64>>,
}

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

impl Lessons {
    fn check(&self) -> Result<(), Error> {
        let refuse = |reason: String| Err(Error::setting("classifier", reason));
        let (rows, columns) = (self.rows.len(), self.rows.columns);
        if columns == 0 || self.rows.values.len() != rows * columns {
            return refuse(format!(
                "{} numbers are no examples of {columns}",
                self.rows.values.len()
            ));
        }
        if self.targets.len() != rows || self.clips.len() != rows {
            return refuse(format!(
                "{rows} examples, {} labels, {} clips",
                self.targets.len(),
                self.clips.len()
            ));
        }
        if self.targets.iter().any(|&target| target >= self.labels) {
            return refuse(format!("a label beyond the {} there are", self.labels));
        }
        if self.weights.as_ref().is_some_and(|weights| {
            weights.len() != self.labels || weights.iter().any(|w| !(w.is_finite() && *w >= 0.0))
        }) {
            return refuse(format!("no weight for each of the {} labels", self.labels));
        }
        if (0..self.labels).filter(|&label| self.has(label)).count() < 2 {
            return refuse("its examples are all of one label".into());
        }
        match self.rows.values.iter().all(|value| value.is_finite()) {
            true => Ok(()),
            false => Err(Error::NotFinite {
                what: "features to learn from".into(),
            }),
        }
    }

    /// Whether there is anything to learn this label from.
    fn has(&self, label: usize) -> bool {
        self.targets.contains(&label)
    }

    fn weight(&self, label: usize) -> f64 {
        self.weights.as_ref().map_or(1.0, |weights| weights[label])
    }

    /// All examples, `[rows, columns]`.
    fn matrix(&self) -> Result<Array2<f64>, Error> {
        let shape = (self.rows.len(), self.rows.columns);
        ArrayView2::from_shape(shape, &self.rows.values)
            .map(|view| view.mapv(f64::from))
            .map_err(refused("examples"))
    }
}

/// One piece of work for every label that there are examples of, at most `at_once` at the same time.
fn each<T: Send>(
    lessons: &Lessons,
    at_once: usize,
    control: Control<'_>,
    work: impl Fn(usize) -> Result<T, Error> + Sync,
) -> Result<Vec<Option<T>>, Error> {
    let (mut all, at_once) = (Vec::new(), at_once.max(1));
    while all.len() < lessons.labels {
        let first = all.len();
        let some = parallel::each(at_once.min(lessons.labels - first), |at| {
            control.check()?;
            let label = first + at;
            lessons.has(label).then(|| work(label)).transpose()
        });
        all.extend(some?);
    }
    Ok(all)
}

fn refused<E: std::fmt::Display>(name: &'static str) -> impl FnOnce(E) -> Error {
    move |error| Error::Classifier {
        name,
        reason: error.to_string().replace('\n', ", "),
    }
}
