//! The definition, row by row.

use super::SoftmaxCrossEntropy;

/// Largest element and Σ e^(x - largest) of a row.
fn parts(row: &[f64]) -> (f64, f64) {
    let max = row.iter().fold(f64::NEG_INFINITY, |m, v| m.max(*v));
    (max, row.iter().map(|v| (v - max).exp()).sum())
}

/// How much is believed of each class, where the label is this one; the class weights are in it.
fn targets(s: &SoftmaxCrossEntropy, inputs: &[&[f64]], label: usize) -> Vec<f64> {
    let smoothing = f64::from(s.smoothing);
    let target = |column: usize| {
        let own = if column == label {
            1.0 - smoothing
        } else {
            0.0
        };
        match own + smoothing / s.columns as f64 {
            // Whatever its weight.
            0.0 => 0.0,
            belief => belief * s.weight(inputs, column, 1.0),
        }
    };
    (0..s.columns).map(target).collect()
}

pub fn loss(s: &SoftmaxCrossEntropy, inputs: &[&[f64]], loss: &mut [f64]) {
    let (mut total, mut weights) = (0.0, 0.0);
    for (row, label) in inputs[0].chunks(s.columns).zip(inputs[1]) {
        let label = *label as usize;
        if label < s.columns {
            let (max, sum) = parts(row);
            let targets = targets(s, inputs, label);
            // What no belief lies on is left out: it may be infinite.
            let terms = row.iter().zip(&targets).filter(|(_, t)| **t != 0.0);
            total += terms.map(|(x, t)| t * (sum.ln() - (x - max))).sum::<f64>();
            weights += s.weight(inputs, label, 1.0);
        }
    }
    loss[0] = if weights == 0.0 { 0.0 } else { total / weights };
}

pub fn gradient(s: &SoftmaxCrossEntropy, inputs: &[&[f64]], dlogits: &mut [f64]) {
    let labels = inputs[1].iter().map(|l| *l as usize);
    let weights: f64 = labels
        .clone()
        .filter(|label| *label < s.columns)
        .map(|label| s.weight(inputs, label, 1.0))
        .sum();
    let upstream = inputs[inputs.len() - 1][0];
    dlogits.fill(0.0);
    let rows = inputs[0]
        .chunks(s.columns)
        .zip(dlogits.chunks_mut(s.columns));
    for ((row, out), label) in rows.zip(labels) {
        if label < s.columns && weights != 0.0 {
            let (max, sum) = parts(row);
            let targets = targets(s, inputs, label);
            let total: f64 = targets.iter().sum();
            for ((x, d), target) in row.iter().zip(out).zip(&targets) {
                *d = upstream / weights * (total * (x - max).exp() / sum - target);
            }
        }
    }
}
