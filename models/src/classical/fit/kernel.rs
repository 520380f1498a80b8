//! Support vector machines by `linfa-svm` (LIBSVM's solver), and Platt's probabilities.
//!
//! Platt's sigmoid is fitted to distances of examples that a machine was not trained on: three more machines are
//! trained, each without a third of the clips. On its own training examples a machine is far too sure.

use std::collections::BTreeMap;

use linfa::composing::platt_scaling::{PlattParams, platt_newton_method};
use linfa::traits::Fit;
use linfa::{DatasetBase, ParamGuard};
use ndarray::{Array1, Array2, Axis};

use super::super::Svm;
use super::super::model::{Machine, Model, Rows};
use super::refused::refused;
use super::training_set::{Lessons, each};
use crate::Error;
use crate::base::control::Control;

/// Parts that are held back in turn.
const PARTS: usize = 3;
/// All kernel matrices together take at most this many bytes.
const MOST_BYTES: usize = 2 << 30;

pub(super) fn fit(settings: &Svm, lessons: &Lessons, control: Control<'_>) -> Result<Model, Error> {
    let rows = lessons.rows.len();
    let bytes = rows.saturating_mul(rows).saturating_mul(size_of::<f64>());
    if bytes > MOST_BYTES {
        let reason = format!("{rows} windows to learn from are too many: at most 16384");
        return Err(Error::Classifier {
            name: "svm",
            reason,
        });
    }
    let learner = Learner {
        all: lessons.matrix()?,
        gamma: settings.gamma.unwrap_or(1.0 / lessons.rows.columns as f64),
    };
    let every: Vec<usize> = (0..rows).collect();
    let fitted = each(lessons, MOST_BYTES / bytes.max(1), control, |label| {
        let own: Vec<bool> = lessons
            .targets
            .iter()
            .map(|&target| target == label)
            .collect();
        let costs = (settings.c * lessons.weight(label), settings.c);
        let machine = learner.train(&every, &own, costs)?;
        let (mut distances, mut truths) = (Vec::new(), Vec::new());
        for part in 0..PARTS {
            control.check()?;
            let (out, kept): (Vec<usize>, Vec<usize>) = every
                .iter()
                .partition(|&&at| lessons.clips[at] % PARTS == part);
            let both = [true, false]
                .iter()
                .all(|side| kept.iter().any(|&at| own[at] == *side));
            if both {
                let judge = learner.train(&kept, &own, costs)?;
                distances.extend(out.iter().map(|&at| learner.distance(&judge, at)));
                truths.extend(out.iter().map(|&at| own[at]));
            }
        }
        if !truths.contains(&true) || !truths.contains(&false) {
            distances = every
                .iter()
                .map(|&at| learner.distance(&machine, at))
                .collect();
            truths = own;
        }
        let platt = PlattParams::<f64, ()>::default()
            .check()
            .map_err(refused("svm"))?;
        let (distances, truths) = (Array1::from(distances), Array1::from(truths));
        let (slope, offset) =
            platt_newton_method(distances.view(), truths.view(), &platt).map_err(refused("svm"))?;
        Ok(Machine {
            slope,
            offset,
            ..machine
        })
    })?;
    Ok(share_vectors(fitted, &lessons.rows, learner.gamma))
}

struct Learner {
    /// `[rows, columns]`.
    all: Array2<f64>,
    gamma: f64,
}

impl Learner {
    /// A machine from some of the rows, without its probabilities; its weights go by the numbers of all rows.
    fn train(&self, kept: &[usize], own: &[bool], costs: (f64, f64)) -> Result<Machine, Error> {
        let truths: Array1<bool> = kept.iter().map(|&at| own[at]).collect();
        let svm = linfa_svm::Svm::<f64, bool>::params()
            .pos_neg_weights(costs.0, costs.1)
            .eps(1e-3)
            .gaussian_kernel(1.0 / self.gamma)
            .fit(&DatasetBase::new(self.all.select(Axis(0), kept), truths))
            .map_err(refused("svm"))?;
        let weights = kept.iter().copied().zip(svm.alpha.iter().copied());
        let weights = weights.filter(|(_, weight)| *weight != 0.0).collect();
        Ok(Machine {
            weights,
            rho: svm.rho,
            slope: 0.0,
            offset: 0.0,
        })
    }

    fn distance(&self, machine: &Machine, at: usize) -> f64 {
        let kernel = |(other, weight): &(usize, f64)| {
            let pairs = self.all.row(at).into_iter().zip(self.all.row(*other));
            weight * (-self.gamma * pairs.map(|(a, b)| (a - b).powi(2)).sum::<f64>()).exp()
        };
        machine.weights.iter().map(kernel).sum::<f64>() - machine.rho
    }
}

/// Keeps of the training examples those that a machine leans on.
fn share_vectors(mut machines: Vec<Option<Machine>>, rows: &Rows, gamma: f64) -> Model {
    let used = machines
        .iter()
        .flatten()
        .flat_map(|machine| machine.weights.iter().map(|weight| weight.0));
    let mut place: BTreeMap<usize, usize> = used.map(|at| (at, 0)).collect();
    let mut vectors = Rows {
        columns: rows.columns,
        values: Vec::new(),
    };
    for (new, (&at, place)) in place.iter_mut().enumerate() {
        *place = new;
        vectors
            .values
            .extend_from_slice(&rows.values[at * rows.columns..][..rows.columns]);
    }
    for (at, _) in machines
        .iter_mut()
        .flatten()
        .flat_map(|machine| &mut machine.weights)
    {
        *at = place[at];
    }
    Model::Svm {
        gamma,
        vectors,
        machines,
    }
}
