//! Batches of the papers' classifiers, odd ones, and bad ones.

use super::{SoftmaxCrossEntropy, SoftmaxCrossEntropyGrad};
use crate::draw::Draw;
use crate::kernel::{Case, Kernel};

/// The cases of `softmax_cross_entropy` and its gradient.
pub fn cases() -> Vec<Case> {
    let smooth = |rows, columns, weighted, smoothing| SoftmaxCrossEntropy {
        rows,
        columns,
        weighted,
        smoothing,
    };
    let forward = |rows, columns, weighted| smooth(rows, columns, weighted, 0.0);
    let backward =
        |rows, columns, weighted| SoftmaxCrossEntropyGrad(forward(rows, columns, weighted));
    let mut cases = vec![
        Case::bad("no-rows", "empty", forward(0, 10, false)),
        Case::bad("no-columns", "empty", backward(3, 0, true)),
        Case::bad("over-smoothed", "smoothing must", smooth(2, 2, false, 1.5)),
        Case::bad(
            "smoothing-nan",
            "smoothing must",
            SoftmaxCrossEntropyGrad(smooth(2, 2, false, f32::NAN)),
        ),
        Case::bad("too-large", "2^31", forward(1 << 16, 1 << 16, false)),
    ];
    for (name, rows, columns, weighted) in [
        ("ajufo", 20, 10, false),
        ("georgopoulos", 32, 5, true),
        ("many-classes", 4096, 1024, false),
    ] {
        cases.push(Case::bench(name, forward(rows, columns, weighted)));
        cases.push(Case::bench(name, backward(rows, columns, weighted)));
    }
    for (name, rows, columns, weighted) in [
        ("one", 1, 1, false),
        ("one-weighted", 1, 1, true),
        ("7-by-31", 7, 31, false),
        ("33-by-65", 33, 65, true),
        ("65-by-2", 65, 2, true),
        ("300-by-7", 300, 7, true),
        ("3-by-700", 3, 700, false),
    ] {
        cases.push(Case::proof(name, forward(rows, columns, weighted)));
        cases.push(Case::proof(name, backward(rows, columns, weighted)));
    }
    for (name, rows, columns, weighted, smoothing) in [
        ("smooth", 7, 31, false, 0.1),
        ("smooth-weighted", 33, 65, true, 0.25),
        ("all-spread", 5, 3, true, 1.0),
        ("smooth-wide", 3, 700, true, 0.1),
        ("smooth-rows", 300, 7, false, 0.3),
    ] {
        let shape = smooth(rows, columns, weighted, smoothing);
        cases.push(Case::proof(name, shape));
        cases.push(Case::proof(name, SoftmaxCrossEntropyGrad(shape)));
    }
    cases
}

/// A random shape of each; not all of them are possible.
pub fn random(d: &mut Draw) -> Vec<Box<dyn Kernel>> {
    let shape = |d: &mut Draw| SoftmaxCrossEntropy {
        rows: d.within(1, 80),
        columns: d.within(1, 150),
        weighted: d.flag(),
        smoothing: d.of(&[0.0, 0.1, 1.0]),
    };
    vec![
        Box::new(shape(d)),
        Box::new(SoftmaxCrossEntropyGrad(shape(d))),
    ]
}
