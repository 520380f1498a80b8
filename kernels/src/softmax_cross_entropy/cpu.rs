//! A row at a time with softmax's vectorised parts; sums over rows in f64, in order.

use super::SoftmaxCrossEntropy;
use crate::cpu::{Disjoint, GRAIN, for_ranges, math};
use crate::kernel::words;
use crate::softmax::cpu::{exponentials, maximum, scale};

/// The rows that count: number, label, weight.
fn counted<'a>(
    s: &'a SoftmaxCrossEntropy,
    inputs: &'a [&[f32]],
) -> impl Iterator<Item = (usize, usize, f32)> {
    words(inputs[1])
        .iter()
        .map(|label| *label as usize)
        .enumerate()
        .filter(|(_, label)| *label < s.columns)
        .map(|(row, label)| (row, label, s.weight(inputs, label, 1.0)))
}

fn grain(s: &SoftmaxCrossEntropy) -> usize {
    GRAIN / 8 / s.columns
}

pub fn loss(s: &SoftmaxCrossEntropy, inputs: &[&[f32]], loss: &mut [f32]) {
    let labels = words(inputs[1]);
    let mut rows = vec![0f32; s.rows];
    let shared = Disjoint::new(&mut rows);
    for_ranges(s.rows, grain(s), |range| {
        // SAFETY: the ranges do not overlap.
        let out = unsafe { shared.slice(range.clone()) };
        let mut scratch = vec![0f32; s.columns];
        for (row, out) in range.zip(out) {
            let label = labels[row] as usize;
            let row = &inputs[0][row * s.columns..][..s.columns];
            if let Some(chosen) = row.get(label) {
                let max = maximum(row);
                let sum = exponentials(row, max, &mut scratch);
                let ln = math::ln(sum);
                *out = s.weight(inputs, label, 1.0) * (ln - (chosen - max));
                if s.smoothing > 0.0 {
                    let spread: f32 = (row.iter().enumerate())
                        .map(|(c, x)| s.weight(inputs, c, 1.0) * (ln - (x - max)))
                        .sum();
                    // Where all of the belief is spread, the label's own term may be infinite.
                    let own = if s.smoothing < 1.0 {
                        (1.0 - s.smoothing) * *out
                    } else {
                        0.0
                    };
                    *out = own + s.smoothing / s.columns as f32 * spread;
                }
            }
        }
    });
    let (mut total, mut weights) = (0f64, 0f64);
    for (row, _, weight) in counted(s, inputs) {
        total += f64::from(rows[row]);
        weights += f64::from(weight);
    }
    loss[0] = match weights {
        0.0 => 0.0,
        _ => (total / weights) as f32,
    };
}

pub fn gradient(s: &SoftmaxCrossEntropy, inputs: &[&[f32]], dlogits: &mut [f32]) {
    let labels = words(inputs[1]);
    let weights: f64 = counted(s, inputs).map(|(_, _, w)| f64::from(w)).sum();
    let upstream = inputs[inputs.len() - 1][0];
    let spread = s.smoothing / s.columns as f32;
    let all: f32 = (0..s.columns).map(|c| s.weight(inputs, c, 1.0)).sum();
    let shared = Disjoint::new(dlogits);
    for_ranges(s.rows, grain(s), |range| {
        // SAFETY: the ranges do not overlap.
        let out = unsafe { shared.slice(range.start * s.columns..range.end * s.columns) };
        for (row, out) in range.zip(out.chunks_exact_mut(s.columns)) {
            let label = labels[row] as usize;
            if label >= s.columns || weights == 0.0 {
                out.fill(0.0);
                continue;
            }
            let row = &inputs[0][row * s.columns..][..s.columns];
            let sum = exponentials(row, maximum(row), out);
            let factor = upstream * (f64::from(s.weight(inputs, label, 1.0)) / weights) as f32;
            if s.smoothing > 0.0 {
                let own = (1.0 - s.smoothing) * s.weight(inputs, label, 1.0);
                scale(out, (own + spread * all) / sum);
                for (c, out) in out.iter_mut().enumerate() {
                    *out -= spread * s.weight(inputs, c, 1.0);
                }
                out[label] -= own;
                scale(out, (f64::from(upstream) / weights) as f32);
                continue;
            }
            // (e / sum - 1) of the label, without losing digits where e is near the sum.
            out[label] -= sum;
            scale(out, factor / sum);
        }
    });
}
