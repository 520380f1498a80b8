//! The definition, row by row.

use super::SoftmaxCrossEntropy;

/// Largest element and Σ e^(x - largest) of a row.
fn parts(row: &[f64]) -> (f64, f64) {
    let max = row.iter().fold(f64::NEG_INFINITY, |m, v| m.max(*v));
    (max, row.iter().map(|v| (v - max).exp()).sum())
}

pub fn loss(s: &SoftmaxCrossEntropy, inputs: &[&[f64]], loss: &mut [f64]) {
    let (mut total, mut weights) = (0.0, 0.0);
    for (row, label) in inputs[0].chunks(s.columns).zip(inputs[1]) {
        let label = *label as usize;
        if label < s.columns {
            let (max, sum) = parts(row);
            let weight = s.weight(inputs, label, 1.0);
            total += weight * (sum.ln() - (row[label] - max));
            weights += weight;
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
            let factor = upstream * s.weight(inputs, label, 1.0) / weights;
            for (column, (x, d)) in row.iter().zip(out).enumerate() {
                let target = if column == label { 1.0 } else { 0.0 };
                *d = factor * ((x - max).exp() / sum - target);
            }
        }
    }
}
