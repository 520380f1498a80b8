//! Batch norm and local response norm.

use crate::{INF, NAN, check};
use kernels::batch_norm::{BatchNorm, BatchNormInference};
use kernels::batch_norm_pool::{BatchNormPool, BatchNormPoolGrad};
use kernels::local_response_norm::{LocalResponseNorm, LocalResponseNormGrad};
use kernels::{Activation, Kernel};

/// Ones and minus ones around a mean of a million; a constant channel; one that alternates far from zero.
#[test]
fn batch_norm_keeps_its_digits_far_from_zero() {
    for shape in [[2, 3, 600], [1200, 3, 1]] {
        let shape = BatchNorm {
            eps: 1e-8,
            momentum: 1.0,
            ..BatchNorm::new(shape).plain()
        };
        far_from_zero(&shape);
    }
}

fn far_from_zero(shape: &BatchNorm) {
    // Half of each channel's numbers lie on either side.
    let sign = |i: usize| {
        if (i + i / 3600 + i / 1800).is_multiple_of(2) {
            1.0
        } else {
            -1.0
        }
    };
    let centre = [1e6, 33_333_332.0, -4096.0];
    let spread = [1.0, 0.0, 0.5];
    let channel = |i: usize| i / shape.plane % 3;
    let numbers = |f: &dyn Fn(usize) -> f64| (0..3600).map(f).collect::<Vec<f64>>();
    let x = numbers(&|i| centre[channel(i)] + spread[channel(i)] * sign(i));
    let y = numbers(&|i| {
        let spread = spread[channel(i)];
        spread * sign(i) / (spread * spread + 1e-8).sqrt()
    });
    let unbiased = spread.map(|s| s * s * 1200.0 / 1199.0);
    let rstd = spread.map(|s| 1.0 / (s * s + 1e-8).sqrt());
    let stats = [centre, rstd].concat();
    let want = [y, stats, centre.to_vec(), unbiased.to_vec()];
    check(shape, &[x], &want);
}

#[test]
fn batch_norm_of_nan_and_infinities_spoils_only_its_channel() {
    let shape = BatchNorm::new([2, 4, 33]).plain();
    let mut x: Vec<f64> = (0..2 * 4 * 33).map(|i| f64::from(i % 2)).collect();
    (x[40], x[70], x[5 * 33]) = (NAN, INF, -INF);
    let mut outputs: Vec<Vec<f64>> = vec![vec![0.0; 264], vec![0.0; 8], vec![0.0; 4], vec![0.0; 4]];
    check(&shape, std::slice::from_ref(&x), &[]);
    shape.oracle(&[&x], &mut outputs);
    for (i, y) in outputs[0].iter().enumerate() {
        assert_eq!(y.is_nan(), [false, true, true, false][i / 33 % 4], "{i}");
    }
}

/// Ties go to the first, a negative weight turns the order round, a NaN wins, and what it spoils is its own channel.
#[test]
fn batch_norm_pool_knows_who_has_won() {
    let shape = BatchNormPool::new([1, 3, 2, 4], [2, 2]);
    let x = [
        [1.0, 2.0, -0.0, 0.0, 2.0, 1.0, -1.0, 0.0],
        [1.0, 2.0, -0.0, 0.0, 2.0, 1.0, -1.0, 0.0],
        [NAN, 2.0, 5.0, INF, NAN, 1.0, 5.0, -INF],
    ]
    .concat();
    let weight = vec![1.0, -1.0, 1.0];
    let mut outputs: Vec<Vec<f64>> = shape.outputs().iter().map(|a| vec![0.0; a.len]).collect();
    let inputs = [x, weight.clone(), vec![0.0; 3]];
    check(&shape, &inputs, &[]);
    let slices: Vec<&[f64]> = inputs.iter().map(Vec::as_slice).collect();
    shape.oracle(&slices, &mut outputs);
    assert_eq!(outputs[1], [1.0, 0.0, 0.0, 2.0, 2.0, 1.0]);
    assert_eq!(outputs[2][..4], [2.0, 0.0, 1.0, -1.0]);
    assert!(outputs[0][..4].iter().all(|y| y.is_finite()));
    assert!(outputs[0][4..].iter().all(|y| y.is_nan()));
    let back = BatchNormPoolGrad {
        forward: shape,
        before: Activation::Elu,
    };
    let inputs = [
        vec![NAN, 1.0, 2.0, 3.0, 1.0, 1.0],
        outputs[1].clone(),
        outputs[2].clone(),
        vec![0.5, 0.5, NAN, 1.0, 1.0, NAN],
        weight,
    ];
    check(&back, &inputs, &[]);
}

#[test]
fn batch_norm_of_one_number_runs_on_what_was_learned() {
    let shape = BatchNormInference(BatchNorm {
        eps: 0.25,
        ..BatchNorm::new([1, 2, 1])
    });
    let inputs = [
        vec![3.0, -1.0],
        vec![1.0, -1.0],
        vec![0.75, 0.0],
        vec![2.0, 5.0],
        vec![10.0, 7.0],
    ];
    let want = [vec![14.0, 7.0], vec![1.0, -1.0, 1.0, 2.0]];
    check(&shape, &inputs, &want);
}

#[test]
fn local_response_norm_of_nan_and_infinities() {
    let shape = LocalResponseNorm::new([1, 5, 2], 3).with(3.0, 0.5, 1.0);
    // Channels of two places: the left one holds an infinity in the middle, the right one a NaN at the end.
    let x = vec![1.0, 0.0, 1.0, 2.0, INF, 0.0, 0.0, 1.0, 2.0, NAN];
    let right = [0.0, 2.0 / 5f64.sqrt(), 0.0, NAN, NAN];
    let left = [1.0 / 3f64.sqrt(), 0.0, NAN, 0.0, 2.0 / 5f64.sqrt()];
    let want: Vec<f64> = left
        .into_iter()
        .zip(right)
        .flat_map(|(l, r)| [l, r])
        .collect();
    check(&shape, std::slice::from_ref(&x), &[want]);
    // Zeros divide by k alone, and pass their gradient on.
    let quiet = LocalResponseNorm::new([1, 3, 1], 5).with(1.0, 1.0, 4.0);
    check(&quiet, &[vec![0.0; 3]], &[vec![0.0; 3]]);
    let inputs = [vec![0.0; 3], vec![4.0, -8.0, 0.0]];
    check(
        &LocalResponseNormGrad(quiet),
        &inputs,
        &[vec![1.0, -2.0, 0.0]],
    );
}
