//! The definition, element by element.

use super::RmsProp;
use crate::gradient;

pub fn rmsprop(s: &RmsProp, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
    let [p, square, rest @ ..] = outputs else {
        return;
    };
    let (mean, velocity) = rest.split_at_mut(usize::from(s.centered));
    for i in 0..s.len {
        let g = gradient::oracle(inputs, s.limit, i, p[i]);
        square[i] = s.alpha * square[i] + (1.0 - s.alpha) * g * g;
        let mut variance = square[i];
        if let [mean] = mean {
            mean[i] = s.alpha * mean[i] + (1.0 - s.alpha) * g;
            variance = match square[i] - mean[i] * mean[i] {
                v if v < 0.0 => 0.0,
                v => v,
            };
        }
        let mut step = g / (variance.sqrt() + s.eps);
        if let [velocity] = velocity {
            velocity[i] = s.momentum * velocity[i] + step;
            step = velocity[i];
        }
        p[i] -= s.lr * step;
    }
}
