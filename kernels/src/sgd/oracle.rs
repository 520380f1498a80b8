//! The definition, element by element.

use super::Sgd;
use crate::gradient;

pub fn sgd(s: &Sgd, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
    for i in 0..s.len {
        let g = gradient::oracle(inputs, s.limit, i, outputs[0][i]);
        let step = match outputs {
            [_, velocity] => {
                velocity[i] = s.momentum * velocity[i] + g;
                match s.nesterov {
                    true => g + s.momentum * velocity[i],
                    false => velocity[i],
                }
            }
            _ => g,
        };
        outputs[0][i] -= s.lr * step;
    }
}
