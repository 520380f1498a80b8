//! Bias gradients and poolings of the papers' networks, odd shapes, and bad ones.

use super::{Reduce, ReduceOp};
use crate::draw::Draw;
use crate::kernel::{Case, Kernel};

/// The cases of `reduce`.
pub fn cases() -> Vec<Case> {
    use ReduceOp::{ArgMax, Max, Mean, Sum};
    let mut cases = vec![
        Case::bench("ajufo-bias-1", Reduce::new(Sum, [20 * 32, 126 * 658, 1])),
        Case::bench("ajufo-bias-1-images", Reduce::new(Sum, [1, 20, 32])),
        Case::bench("everything", Reduce::new(Sum, [1, 1 << 24, 1])),
        Case::bench("columns", Reduce::new(Sum, [1, 4096, 4096])),
        Case::bench("batch-norm", Reduce::new(Mean, [32, 64, 128 * 128])),
        Case::bench("maximum", Reduce::new(Max, [4096, 4096, 1])),
        Case::bench("positions", Reduce::new(ArgMax, [4096, 4096, 1])),
        Case::bench("position-columns", Reduce::new(ArgMax, [16, 1024, 1024])),
        Case::bad("empty", "empty side", Reduce::new(Sum, [3, 0, 5])),
        Case::bad("too-large", "2^31", Reduce::new(Max, [1 << 16, 1 << 15, 1])),
    ];
    type Names = [&'static str; 4];
    let shapes: [(Names, [usize; 3]); 11] = [
        (
            [
                "very-long",
                "very-long-mean",
                "very-long-max",
                "very-long-at",
            ],
            [1, 300_007, 1],
        ),
        (["one", "one-mean", "one-max", "one-at"], [1, 1, 1]),
        (["row", "row-mean", "row-max", "row-at"], [1, 65, 1]),
        (["rows", "rows-mean", "rows-max", "rows-at"], [33, 129, 1]),
        (["copy", "copy-mean", "copy-max", "copy-at"], [7, 1, 31]),
        (
            ["threes", "threes-mean", "threes-max", "threes-at"],
            [5, 200, 3],
        ),
        (["mid", "mid-mean", "mid-max", "mid-at"], [7, 31, 33]),
        (["wide", "wide-mean", "wide-max", "wide-at"], [3, 7, 2065]),
        (["long", "long-mean", "long-max", "long-at"], [2, 40_001, 1]),
        (["tall", "tall-mean", "tall-max", "tall-at"], [1, 1031, 65]),
        (
            ["pairs", "pairs-mean", "pairs-max", "pairs-at"],
            [2, 20_011, 2],
        ),
    ];
    for (names, shape) in shapes {
        for (name, op) in names.into_iter().zip(ReduceOp::ALL) {
            cases.push(Case::proof(name, Reduce::new(op, shape)));
        }
    }
    cases
}

/// A random shape of each; not all of them are possible.
pub fn random(d: &mut Draw) -> Vec<Box<dyn Kernel>> {
    let op = d.of(&ReduceOp::ALL);
    // One long side, two short ones.
    let mut shape = [d.within(1, 6), d.within(1, 6), d.within(1, 6)];
    shape[d.within(0, 2)] = d.within(1, 40_000);
    let side = d.within(0, 2);
    shape[side] = shape[side].max(d.within(1, 100));
    vec![Box::new(Reduce::new(op, shape))]
}
