//! Shapes of the papers' networks, odd ones, and bad ones.

use super::{MaxPool2d, MaxPool2dGrad};
use crate::draw::Draw;
use crate::kernel::{Case, Kernel};

/// The cases of `max_pool2d` and `max_pool2d_grad`.
pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut both = |case: fn(&'static str, MaxPool2d) -> [Case; 2], name, shape| {
        cases.extend(case(name, shape));
    };
    let bench = |name, shape| {
        [
            Case::bench(name, shape),
            Case::bench(name, MaxPool2dGrad(shape)),
        ]
    };
    let proof = |name, shape| {
        [
            Case::proof(name, shape),
            Case::proof(name, MaxPool2dGrad(shape)),
        ]
    };
    let new = MaxPool2d::new;
    both(bench, "ajufo-cnn-1", new([20, 32, 126, 658], [2, 4]));
    both(bench, "ajufo-cnn-2", new([20, 64, 61, 162], [2, 4]));
    both(bench, "georgopoulos-1", new([32, 32, 128, 128], [2, 2]));
    both(bench, "georgopoulos-3", new([32, 128, 32, 32], [2, 2]));
    both(bench, "ajufo-crnn-2", new([20, 128, 64, 330], [4, 2]));
    both(
        bench,
        "overlapping",
        new([16, 96, 55, 55], [3, 3]).with([2, 2], [[0, 1], [0, 1]]),
    );
    both(bench, "global", new([20, 256, 30, 40], [30, 40]));
    both(proof, "one", new([1, 1, 1, 1], [1, 1]));
    both(proof, "whole-plane", new([2, 3, 7, 31], [7, 31]));
    both(proof, "whole-column", new([3, 4, 1031, 1], [1031, 1]));
    both(proof, "quads", new([2, 2, 5, 7], [1, 3]));
    both(proof, "tiles", new([1, 2, 20, 72], [2, 2]));
    both(proof, "tiled-2x2", new([2, 3, 7, 33], [2, 2]));
    both(proof, "tiled-2x4", new([1, 5, 31, 65], [2, 4]));
    both(proof, "tiled-4x2", new([1, 2, 33, 31], [4, 2]));
    both(proof, "tiled-4x4", new([2, 1, 33, 65], [4, 4]));
    both(proof, "row", new([3, 1, 1, 65], [1, 2]));
    both(proof, "column", new([1, 3, 65, 1], [3, 1]));
    both(
        proof,
        "taller-steps",
        new([1, 2, 31, 65], [2, 4]).with([3, 4], [[0; 2]; 2]),
    );
    both(
        proof,
        "stride-above-kernel",
        new([1, 2, 33, 31], [2, 1]).with([5, 7], [[1, 0], [0, 0]]),
    );
    both(
        proof,
        "overlapping-padded",
        new([2, 2, 7, 33], [3, 3]).with([1, 1], [[1, 1], [1, 1]]),
    );
    both(
        proof,
        "same-3-by-2",
        new([1, 2, 31, 7], [3, 3]).with([2, 2], [[0, 1], [1, 0]]),
    );
    both(
        proof,
        "mostly-padding",
        new([1, 3, 1, 1], [3, 5]).with([1, 1], [[1, 1], [2, 2]]),
    );
    both(
        proof,
        "wide-window",
        new([1, 1, 7, 31], [5, 9]).with([2, 3], [[2, 2], [4, 4]]),
    );
    cases.extend([
        Case::bad("empty-side", "empty side", new([1, 0, 4, 4], [2, 2])),
        Case::bad("no-window", "at least 1", new([1, 1, 4, 4], [0, 2])),
        Case::bad(
            "no-stride",
            "at least 1",
            MaxPool2dGrad(new([1, 1, 4, 4], [2, 2]).with([1, 0], [[0; 2]; 2])),
        ),
        Case::bad(
            "too-much-padding",
            "more than half",
            new([1, 1, 4, 4], [3, 3]).with([1, 1], [[1, 2], [1, 1]]),
        ),
        Case::bad(
            "window-too-large",
            "larger than the padded plane",
            new([1, 1, 4, 4], [5, 2]),
        ),
        Case::bad(
            "window-huge",
            "larger than the padded plane",
            new([1, 1, 4, 4], [usize::MAX; 2]).with([1, 1], [[usize::MAX / 2; 2]; 2]),
        ),
        Case::bad("too-large", "2^31", new([1 << 16, 1 << 16, 2, 2], [2, 2])),
    ]);
    cases
}

/// A random shape of each; not all of them are possible.
pub fn random(d: &mut Draw) -> Vec<Box<dyn Kernel>> {
    let shape = |d: &mut Draw| {
        let (image, kernel, tiled) = (d.image(), d.pair(1, 5), d.flag());
        let stride = if tiled { kernel } else { d.pair(1, 6) };
        let mut pad = || kernel.map(|k| if tiled { 0 } else { d.within(0, k / 2) });
        let ([above, left], [below, right]) = (pad(), pad());
        MaxPool2d::new(image, kernel).with(stride, [[above, below], [left, right]])
    };
    vec![Box::new(shape(d)), Box::new(MaxPool2dGrad(shape(d)))]
}
