//! The definition.

use super::Gather;

pub fn gather(s: &Gather, x: &[f64], index: &[f64], y: &mut [f64]) {
    for o in 0..s.outer {
        for (k, r) in index.iter().map(|r| *r as usize).enumerate() {
            for i in 0..s.inner {
                y[(o * s.count + k) * s.inner + i] = match r < s.rows {
                    true => x[(o * s.rows + r) * s.inner + i],
                    false => f64::NAN,
                };
            }
        }
    }
}

pub fn gather_grad(s: &Gather, dy: &[f64], index: &[f64], dx: &mut [f64]) {
    dx.fill(0.0);
    for o in 0..s.outer {
        for (k, r) in index.iter().map(|r| *r as usize).enumerate() {
            for i in (0..s.inner).filter(|_| r < s.rows) {
                dx[(o * s.rows + r) * s.inner + i] += dy[(o * s.count + k) * s.inner + i];
            }
        }
    }
}
