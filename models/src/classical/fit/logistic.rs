//! Multinomial logistic regression by `linfa-logistic` (L-BFGS).

use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_logistic::MultiLogisticRegression;
use ndarray::Array1;

use super::super::{Logistic, Model};
use super::refused::refused;
use super::training_set::Lessons;
use crate::Error;

pub(super) fn fit(settings: &Logistic, lessons: &Lessons) -> Result<Model, Error> {
    let data = DatasetBase::new(lessons.matrix()?, Array1::from(lessons.targets.clone()));
    let fitted = MultiLogisticRegression::default()
        .alpha(settings.l2)
        .max_iterations(settings.steps as u64)
        .fit(&data)
        .map_err(refused("logistic"))?;
    let mut weights = vec![None; lessons.labels];
    for (at, &label) in fitted.classes().iter().enumerate() {
        let own = fitted.params().column(at).to_vec();
        weights[label] = Some((fitted.intercept()[at], own));
    }
    Ok(Model::Logistic(weights))
}
