//! What runs along a row: reductions, softmax, cross-entropy.

use crate::{INF, NAN, check};
use kernels::reduce::{Reduce, ReduceOp};
use kernels::softmax::Softmax;
use kernels::softmax_cross_entropy::{SoftmaxCrossEntropy, SoftmaxCrossEntropyGrad};

#[test]
fn maxima_of_ties_nan_and_infinities() {
    for (x, value, position) in [
        (vec![1.0, 3.0, 3.0], 3.0, 1.0),
        (vec![-INF, -INF], -INF, 0.0),
        (vec![1.0, NAN, 5.0, NAN], NAN, 1.0),
        (vec![INF, NAN], NAN, 1.0),
        (vec![-1.0, -0.0, 0.0], 0.0, 1.0),
    ] {
        // Once as a row, once as columns, once with the rest of a long axis behind.
        for inner in [1, 3, 70] {
            for tail in [0, 1000, 40_000] {
                if tail * inner > 120_000 {
                    continue;
                }
                let axis: Vec<f64> = x.iter().copied().chain(vec![-INF; tail]).collect();
                let spread: Vec<f64> = axis.iter().flat_map(|v| vec![*v; inner]).collect();
                let shape = |op| Reduce::new(op, [1, axis.len(), inner]);
                let inputs = [spread];
                check(&shape(ReduceOp::Max), &inputs, &[vec![value; inner]]);
                check(&shape(ReduceOp::ArgMax), &inputs, &[vec![position; inner]]);
            }
        }
    }
}

#[test]
fn a_late_maximum_and_a_late_nan_are_found() {
    for at in [0, 1, 63, 64, 255, 256, 16_383, 16_384, 39_999] {
        let mut x = vec![0.5; 40_000];
        for value in [1.0, NAN] {
            x[at] = value;
            let position = vec![at as f64];
            let shape = Reduce::new(ReduceOp::ArgMax, [1, 40_000, 1]);
            check(&shape, &[x.clone()], &[position]);
        }
    }
}

#[test]
fn sums_of_infinities() {
    let sum = |x: Vec<f64>, want: f64| {
        let shape = Reduce::new(ReduceOp::Sum, [1, x.len(), 1]);
        check(&shape, &[x], &[vec![want]]);
    };
    sum(vec![1.0, INF, 2.0], INF);
    sum(vec![-INF, INF], NAN);
    sum(vec![0.0, NAN, INF], NAN);
}

#[test]
fn softmax_of_extreme_rows() {
    let row = |x: Vec<f64>, want: Vec<f64>, log: Vec<f64>| {
        let shape = Softmax {
            rows: 1,
            columns: x.len(),
            log: false,
        };
        check(&shape, std::slice::from_ref(&x), &[want]);
        check(&Softmax { log: true, ..shape }, &[x], &[log]);
    };
    let low = -std::f64::consts::LN_2;
    let (one, half) = (vec![1.0, 0.0, 0.0], vec![0.0, 0.5, 0.5, 0.0]);
    row(vec![1e38, -1e38, 0.0], one, vec![0.0, -2e38, -1e38]);
    row(vec![-INF, 3.0, 3.0, -INF], half, vec![-INF, low, low, -INF]);
    for x in [vec![-INF, -INF], vec![INF, 1.0], vec![NAN, 1.0]] {
        row(x, vec![NAN, NAN], vec![NAN, NAN]);
    }
}

#[test]
fn cross_entropy_of_ignored_rows_and_zero_weights() {
    let (rows, columns) = (2, 2);
    let loss = |weighted| SoftmaxCrossEntropy {
        rows,
        columns,
        weighted,
        smoothing: 0.0,
    };
    let grad = |weighted| SoftmaxCrossEntropyGrad(loss(weighted));
    let ln2 = std::f64::consts::LN_2;
    // An ignored row may hold anything.
    let logits = vec![3.0, 3.0, NAN, INF];
    let (labels, up) = (vec![1.0, 2.0], vec![2.0]);
    check(
        &loss(false),
        &[logits.clone(), labels.clone()],
        &[vec![ln2]],
    );
    let want = [vec![1.0, -1.0, 0.0, 0.0]];
    check(&grad(false), &[logits.clone(), labels, up.clone()], &want);
    // Nothing counts: 0, not NaN.
    let ignored = vec![7.0, 4_294_967_295.0];
    check(
        &loss(false),
        &[logits.clone(), ignored.clone()],
        &[vec![0.0]],
    );
    let zeros = [vec![0.0; 4]];
    check(&grad(false), &[logits, ignored, up.clone()], &zeros);
    let (logits, labels) = (vec![1.0, 2.0, 3.0, 4.0], vec![0.0, 1.0]);
    let weights = vec![0.0, 0.0];
    let inputs = [logits.clone(), labels.clone(), weights.clone()];
    check(&loss(true), &inputs, &[vec![0.0]]);
    check(&grad(true), &[logits, labels, weights, up], &zeros);
}

#[test]
fn cross_entropy_of_sure_and_impossible_labels() {
    let loss = SoftmaxCrossEntropy {
        rows: 1,
        columns: 2,
        weighted: false,
        smoothing: 0.0,
    };
    check(&loss, &[vec![200.0, -200.0], vec![0.0]], &[vec![0.0]]);
    check(&loss, &[vec![200.0, -200.0], vec![1.0]], &[vec![400.0]]);
    check(&loss, &[vec![0.0, -INF], vec![1.0]], &[vec![INF]]);
    // With a belief in every class, an impossible one is infinitely wrong, whatever the label.
    let smooth = SoftmaxCrossEntropy {
        smoothing: 0.5,
        ..loss
    };
    check(&smooth, &[vec![200.0, -200.0], vec![0.0]], &[vec![100.0]]);
    check(&smooth, &[vec![0.0, -INF], vec![0.0]], &[vec![INF]]);
}
