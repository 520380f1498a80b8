//! Tables and batches picked from, odd shapes, and bad ones.

use super::{Gather, GatherGrad};
use crate::draw::Draw;
use crate::kernel::{Case, Kernel};

/// The cases of `gather` and `gather_grad`.
pub fn cases() -> Vec<Case> {
    let new = |outer, rows, inner, count| Gather {
        outer,
        rows,
        inner,
        count,
    };
    let mut cases = Vec::new();
    for (name, shape) in [
        ("rows-of-a-table", new(1, 5000, 128, 4096)),
        ("examples-of-a-batch", new(1, 64, 128 * 660, 32)),
        ("frames", new(640, 1300, 13, 400)),
    ] {
        cases.push(Case::bench(name, shape));
        cases.push(Case::bench(name, GatherGrad(shape)));
    }
    for (name, shape) in [
        ("one", new(1, 1, 1, 1)),
        ("one-row-often", new(1, 1, 7, 700)),
        ("table", new(1, 31, 33, 65)),
        ("columns", new(33, 7, 1, 130)),
        ("long-slices", new(2, 5, 600, 3)),
        ("multiples-of-four", new(3, 9, 12, 100)),
        ("many-rows", new(1, 3000, 4, 257)),
    ] {
        cases.push(Case::proof(name, shape));
        cases.push(Case::proof(name, GatherGrad(shape)));
    }
    cases.extend([
        Case::bad("no-rows", "empty", new(1, 0, 3, 2)),
        Case::bad("nothing-picked", "empty", GatherGrad(new(1, 3, 3, 0))),
        Case::bad("too-large", "2^31", new(1, 2, 1 << 16, 1 << 16)),
    ]);
    cases
}

/// A random shape of each; not all of them are possible.
pub fn random(d: &mut Draw) -> Vec<Box<dyn Kernel>> {
    let shape = |d: &mut Draw| Gather {
        outer: d.within(1, 4),
        rows: d.within(1, 60),
        inner: d.within(1, 40),
        count: d.within(1, 300),
    };
    vec![Box::new(shape(d)), Box::new(GatherGrad(shape(d)))]
}
