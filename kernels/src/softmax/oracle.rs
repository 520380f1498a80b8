//! The definition.

use super::Softmax;

pub fn softmax(s: &Softmax, x: &[f64], y: &mut [f64]) {
    for (x, y) in x.chunks(s.columns).zip(y.chunks_mut(s.columns)) {
        let max = x.iter().fold(f64::NEG_INFINITY, |m, v| m.max(*v));
        let sum: f64 = x.iter().map(|v| (v - max).exp()).sum();
        for (y, x) in y.iter_mut().zip(x) {
            *y = (x - max).exp() / sum;
        }
    }
}
