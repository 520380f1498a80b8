//! The definition: one sum per coefficient.

use super::Dct;

pub fn dct(s: &Dct, x: &[f64], y: &mut [f64]) {
    for outer in 0..s.outer {
        for k in 0..s.kept {
            for inner in 0..s.inner {
                y[(outer * s.kept + k) * s.inner + inner] = (0..s.n)
                    .map(|j| x[(outer * s.n + j) * s.inner + inner] * s.factor(k, j))
                    .sum();
            }
        }
    }
}

pub fn gradient(s: &Dct, dy: &[f64], dx: &mut [f64]) {
    for outer in 0..s.outer {
        for j in 0..s.n {
            for inner in 0..s.inner {
                dx[(outer * s.n + j) * s.inner + inner] = (0..s.kept)
                    .map(|k| dy[(outer * s.kept + k) * s.inner + inner] * s.factor(k, j))
                    .sum();
            }
        }
    }
}
