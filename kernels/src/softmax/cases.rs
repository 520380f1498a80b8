//! Class scores, long rows, odd ones, and bad ones.

use super::{Softmax, SoftmaxGrad};
use crate::draw::Draw;
use crate::kernel::{Case, Kernel};

/// The cases of `softmax` and `softmax_grad`.
pub fn cases() -> Vec<Case> {
    let new = |rows, columns, log| Softmax { rows, columns, log };
    let mut cases = Vec::new();
    for (name, shape) in [
        ("genres", new(1000, 10, false)),
        ("long-rows", new(4096, 1024, false)),
        ("long-rows-log", new(4096, 1024, true)),
        ("few-long-rows", new(8, 1 << 18, false)),
    ] {
        cases.push(Case::bench(name, shape));
        cases.push(Case::bench(name, SoftmaxGrad(shape)));
    }
    for (name, shape) in [
        ("one", new(1, 1, false)),
        ("column", new(65, 1, false)),
        ("row", new(1, 5000, false)),
        ("7-by-31", new(7, 31, false)),
        ("33-by-65", new(33, 65, false)),
        ("130-by-257", new(130, 257, false)),
        ("log-one", new(1, 1, true)),
        ("log-row", new(1, 5000, true)),
        ("log-7-by-31", new(7, 31, true)),
        ("log-33-by-65", new(33, 65, true)),
    ] {
        cases.push(Case::proof(name, shape));
        cases.push(Case::proof(name, SoftmaxGrad(shape)));
    }
    cases.extend([
        Case::bad("no-rows", "empty", new(0, 3, false)),
        Case::bad("no-columns", "empty", new(3, 0, false)),
        Case::bad("no-columns", "empty", SoftmaxGrad(new(3, 0, true))),
        Case::bad("too-large", "2^31", new(1 << 16, 1 << 16, false)),
    ]);
    cases
}

/// A random shape of each; not all of them are possible.
pub fn random(d: &mut Draw) -> Vec<Box<dyn Kernel>> {
    let shape = |d: &mut Draw| Softmax {
        rows: d.within(1, 80),
        columns: d.within(1, 600),
        log: d.flag(),
    };
    vec![Box::new(shape(d)), Box::new(SoftmaxGrad(shape(d)))]
}
