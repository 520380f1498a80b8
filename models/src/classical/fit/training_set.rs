//! Training examples, and a piece of work for every label.

use ndarray::{Array2, ArrayView2};

use super::super::Rows;
use super::refused::refused;
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

impl Lessons {
    pub(super) fn check(&self) -> Result<(), Error> {
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

    pub(super) fn weight(&self, label: usize) -> f64 {
        self.weights.as_ref().map_or(1.0, |weights| weights[label])
    }

    /// All examples, `[rows, columns]`.
    pub(super) fn matrix(&self) -> Result<Array2<f64>, Error> {
        let shape = (self.rows.len(), self.rows.columns);
        ArrayView2::from_shape(shape, &self.rows.values)
            .map(|view| view.mapv(f64::from))
            .map_err(refused("examples"))
    }
}

/// One piece of work for every label that there are examples of, at most `at_once` at the same time.
pub(super) fn each<T: Send>(
    lessons: &Lessons,
    at_once: usize,
    control: Control<'_>,
    work: impl Fn(usize) -> Result<T, Error> + Sync,
) -> Result<Vec<Option<T>>, Error> {
    let (mut all, at_once) = (Vec::new(), at_once.max(1));
    while all.len() < lessons.labels {
        let first = all.len();
        let some = parallel::map(at_once.min(lessons.labels - first), |at| {
            control.check()?;
            let label = first + at;
            lessons.has(label).then(|| work(label)).transpose()
        });
        all.extend(some?);
    }
    Ok(all)
}
