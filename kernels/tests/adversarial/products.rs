//! Products and convolutions whose rows differ much in size, and with infinities and NaN among them: what one row holds
//! is no other row's business.

use super::{INF, NAN, devices};
use kernels::conv2d::Conv2d;
use kernels::matmul::Matmul;
use kernels::philox::Philox;
use kernels::{Kernel, proof};

/// Random inputs of a kernel.
fn samples(kernel: &dyn Kernel) -> Vec<Vec<f64>> {
    proof::samples(kernel, &mut Philox::new(5, 0))
}

/// The same with these values at these places.
fn with(mut inputs: Vec<Vec<f64>>, places: &[(usize, usize, f64)]) -> Vec<Vec<f64>> {
    for &(input, place, value) in places {
        inputs[input][place] = value;
    }
    inputs
}

/// Every version against the oracle, where what is finite must be as exact as ever.
fn prove(kernel: &dyn Kernel, inputs: &[Vec<f64>]) {
    let fresh = || vec![vec![NAN; kernel.outputs()[0].len]];
    for device in devices() {
        for version in proof::versions(device, kernel) {
            if let Err(error) = proof::prove_on(device, kernel, version, inputs, fresh()) {
                panic!("{kernel:?} {version:?} on {}: {error}", device.name());
            }
        }
    }
}

#[test]
fn infinities_and_nan_stay_in_their_rows_and_columns() {
    let (m, n, k) = (19, 37, 45);
    for (a, b) in [(false, false), (true, true)] {
        let kernel = Matmul::new(m, n, k).transposed(a, b);
        let in_a = |i: usize, p: usize| if a { p * m + i } else { i * k + p };
        let in_b = |p: usize, j: usize| if b { j * k + p } else { p * n + j };
        let places = [
            (0, in_a(3, 44), INF),
            (0, in_a(4, 0), -INF),
            (0, in_a(17, 20), NAN),
            (1, in_b(7, 35), INF),
            (1, in_b(44, 36), 0.0), // INF · 0
        ];
        prove(&kernel, &with(samples(&kernel), &places));
    }
    let kernel = Conv2d::new([3, 4, 7, 9], 5, [3, 3]).padded(1);
    let plane = 7 * 9;
    // The middle tap, which sees no padding: whether NaN · 0 is asked there is left open.
    let places = [(0, (4 + 2) * plane + 31, INF), (1, 2 * 36 + 13, NAN)];
    prove(&kernel, &with(samples(&kernel), &places));
}

/// Rows from 2⁻⁹⁰ to 2⁹⁰ and a column of 2³⁰: each as exact as its own numbers are.
#[test]
fn rows_of_any_size_keep_their_digits() {
    let (m, n, k) = (13, 9, 70);
    let kernel = Matmul::new(m, n, k);
    let mut inputs = samples(&kernel);
    for (at, value) in inputs[0].iter_mut().enumerate() {
        *value *= 2f64.powi(15 * (at / k) as i32 - 90);
    }
    for row in inputs[1].chunks_exact_mut(n) {
        row[4] *= 2f64.powi(30);
    }
    let mut want = vec![vec![NAN; m * n]];
    kernel.oracle(&[&inputs[0], &inputs[1]], &mut want);
    let floats = |values: &[f64]| values.iter().map(|&v| v as f32).collect::<Vec<_>>();
    for device in devices() {
        let [a, b] = [0, 1].map(|i| device.upload(&floats(&inputs[i])).expect("memory"));
        for version in proof::versions(device, &kernel) {
            let y = device.upload(&vec![f32::NAN; m * n]).expect("memory");
            device
                .launch_rung(&kernel, version, &[&a, &b], &[&y])
                .expect("a launch");
            for (at, got) in y.to_vec().expect("a read").into_iter().enumerate() {
                let (i, j) = (at / n, at % n);
                let terms = (0..k).map(|p| (inputs[0][i * k + p] * inputs[1][p * n + j]).abs());
                let error = (f64::from(got) - want[0][at]).abs() / terms.sum::<f64>();
                assert!(
                    error < 2f64.powi(-21),
                    "{version:?} on {}: row {i}, column {j} is off by {error:.1e}",
                    device.name()
                );
            }
        }
    }
}
