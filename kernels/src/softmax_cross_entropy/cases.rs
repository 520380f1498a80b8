//! Batches of the papers' classifiers, odd ones, and bad ones.

use super::{SoftmaxCrossEntropy, SoftmaxCrossEntropyGrad};
use crate::kernel::Case;

/// The cases of `softmax_cross_entropy` and its gradient.
pub fn cases() -> Vec<Case> {
    let forward = |rows, columns, weighted| SoftmaxCrossEntropy {
        rows,
        columns,
        weighted,
    };
    let backward = |rows, columns, weighted| SoftmaxCrossEntropyGrad {
        rows,
        columns,
        weighted,
    };
    let mut cases = vec![
        Case::bad("no-rows", "empty", forward(0, 10, false)),
        Case::bad("no-columns", "empty", backward(3, 0, true)),
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
    cases
}
