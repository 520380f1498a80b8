//! The definition.

use super::Softmax;

pub fn softmax(s: &Softmax, x: &[f64], y: &mut [f64]) {
    for (x, y) in x.chunks(s.columns).zip(y.chunks_mut(s.columns)) {
        let max = x.iter().fold(f64::NEG_INFINITY, |m, v| m.max(*v));
        let sum: f64 = x.iter().map(|v| (v - max).exp()).sum();
        for (y, x) in y.iter_mut().zip(x) {
            *y = match s.log {
                true => x - max - sum.ln(),
                false => (x - max).exp() / sum,
            };
        }
    }
}

pub fn softmax_grad(s: &Softmax, y: &[f64], dy: &[f64], dx: &mut [f64]) {
    let rows = y.chunks(s.columns).zip(dy.chunks(s.columns));
    for ((y, dy), dx) in rows.zip(dx.chunks_mut(s.columns)) {
        let sum: f64 = (y.iter().zip(dy))
            .map(|(y, dy)| if s.log { *dy } else { y * dy })
            .sum();
        for ((dx, y), dy) in dx.iter_mut().zip(y).zip(dy) {
            *dx = match s.log {
                true => dy - y.exp() * sum,
                false => y * (dy - sum),
            };
        }
    }
}
