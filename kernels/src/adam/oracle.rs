//! The definition, element by element.

use super::Adam;
use crate::gradient;

pub fn adam(s: &Adam, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
    for i in 0..s.len {
        let (p, m, v) = (outputs[0][i], outputs[1][i], outputs[2][i]);
        let g = gradient::oracle(inputs, s.limit, i, p);
        let m = s.beta1 * m + (1.0 - s.beta1) * g;
        let v = s.beta2 * v + (1.0 - s.beta2) * g * g;
        let step = f64::from(s.step);
        let mean = m / (1.0 - s.beta1.powf(step));
        let square = v / (1.0 - s.beta2.powf(step));
        let p = p * (1.0 - s.lr * s.weight_decay);
        outputs[0][i] = p - s.lr * mean / (square.sqrt() + s.eps);
        outputs[1][i] = m;
        outputs[2][i] = v;
    }
}
