//! The definition: one sum per element.

use super::Matmul;

pub fn matmul(s: &Matmul, inputs: &[&[f64]], y: &mut [f64]) {
    let [row, a_k, column, b_k] = s.strides();
    for i in 0..s.m {
        for j in 0..s.n {
            let mut sum = if s.bias { inputs[2][j] } else { 0.0 };
            for k in 0..s.k {
                sum += inputs[0][i * row + k * a_k] * inputs[1][j * column + k * b_k];
            }
            y[i * s.n + j] = s.activation.oracle(sum);
        }
    }
}
