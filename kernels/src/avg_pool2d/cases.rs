//! Shapes of the papers' networks, global pooling, odd ones, and bad ones.

use super::{AvgPool2d, AvgPool2dGrad};
use crate::draw::Draw;
use crate::kernel::{Case, Kernel};

/// The cases of `avg_pool2d` and `avg_pool2d_grad`.
pub fn cases() -> Vec<Case> {
    let new = AvgPool2d::new;
    let bench = [
        ("ajufo-cnn-1", new([20, 32, 126, 658], [2, 4])),
        ("georgopoulos-1", new([32, 32, 128, 128], [2, 2])),
        ("ajufo-crnn-2", new([20, 128, 64, 330], [4, 2])),
        (
            "overlapping",
            new([16, 96, 55, 55], [3, 3]).with([2, 2], [[1, 1], [1, 1]]),
        ),
        ("global", new([20, 256, 30, 40], [30, 40])),
        ("global-large", new([20, 32, 126, 658], [126, 658])),
        ("over-time", new([20, 128, 1, 1290], [1, 1290])),
    ];
    let padded = [[1, 1], [1, 1]];
    let proof = [
        ("one", new([1, 1, 1, 1], [1, 1])),
        ("copy", new([1, 2, 7, 31], [1, 1])),
        ("whole-plane", new([2, 3, 31, 33], [31, 33])),
        ("whole-row", new([1, 2, 1, 4097], [1, 4097])),
        ("whole-column", new([1, 2, 4097, 1], [4097, 1])),
        ("tiled-2x2", new([2, 3, 7, 33], [2, 2])),
        ("tiled-2x4", new([1, 5, 31, 65], [2, 4])),
        ("tiled-4x3", new([1, 2, 33, 31], [4, 3])),
        ("tiled-1x2", new([2, 2, 7, 31], [1, 2])),
        ("tiled-4x2", new([2, 2, 9, 65], [4, 2])),
        ("tiled-4x4", new([1, 2, 33, 70], [4, 4])),
        ("tiled-3x2", new([1, 2, 7, 33], [3, 2])),
        ("tiled-3x4", new([1, 2, 7, 65], [3, 4])),
        ("row", new([3, 1, 1, 65], [1, 5])),
        ("column", new([1, 3, 65, 1], [3, 1])),
        (
            "stride-above-kernel",
            new([1, 2, 33, 31], [2, 1]).with([5, 7], [[1, 0], [0, 0]]),
        ),
        (
            "overlapping-padded",
            new([2, 2, 7, 33], [3, 3]).with([1, 1], padded),
        ),
        (
            "overlapping-inside",
            new([2, 2, 7, 33], [3, 3]).with([2, 2], padded).inside(),
        ),
        (
            "same-3-by-2",
            new([1, 2, 31, 7], [3, 3])
                .with([2, 4], [[0, 1], [1, 0]])
                .inside(),
        ),
        (
            "mostly-padding",
            new([1, 3, 1, 1], [3, 5]).with([1, 1], [[1, 1], [2, 2]]),
        ),
        (
            "mostly-padding-inside",
            new([1, 3, 1, 1], [3, 5])
                .with([1, 1], [[1, 1], [2, 2]])
                .inside(),
        ),
        (
            "wide-window",
            new([1, 2, 7, 65], [5, 17])
                .with([2, 3], [[2, 2], [8, 8]])
                .inside(),
        ),
    ];
    let mut cases = Vec::new();
    for (name, shape) in bench {
        cases.push(Case::bench(name, shape));
        cases.push(Case::bench(name, AvgPool2dGrad(shape)));
    }
    for (name, shape) in proof {
        cases.push(Case::proof(name, shape));
        cases.push(Case::proof(name, AvgPool2dGrad(shape)));
    }
    cases.extend([
        Case::bad("empty-side", "empty side", new([1, 0, 4, 4], [2, 2])),
        Case::bad("no-window", "at least 1", new([1, 1, 4, 4], [0, 2])),
        Case::bad(
            "no-stride",
            "at least 1",
            AvgPool2dGrad(new([1, 1, 4, 4], [2, 2]).with([1, 0], [[0; 2]; 2])),
        ),
        Case::bad(
            "too-much-padding",
            "more than half",
            new([1, 1, 4, 4], [3, 3]).with([1, 1], [[1, 2], [1, 1]]),
        ),
        Case::bad(
            "window-too-large",
            "larger than the padded plane",
            AvgPool2dGrad(new([1, 1, 4, 4], [5, 2])),
        ),
        Case::bad("too-large", "2^31", new([1 << 16, 1 << 16, 2, 2], [2, 2])),
    ]);
    cases
}

/// A random shape of each; not all of them are possible.
pub fn random(d: &mut Draw) -> Vec<Box<dyn Kernel>> {
    let shape = |d: &mut Draw| {
        let [n, c, h, w] = d.image();
        // Now and then a window as wide or as high as the plane.
        let mut side = |length: usize| match d.within(0, 3) {
            0 => length,
            _ => d.within(1, 6),
        };
        let kernel = [side(h), side(w)];
        let stride = if d.flag() { kernel } else { d.pair(1, 6) };
        let mut pad = || kernel.map(|k| if d.flag() { 0 } else { d.within(0, k / 2) });
        let ([above, left], [below, right]) = (pad(), pad());
        AvgPool2d {
            count_include_pad: d.flag(),
            ..AvgPool2d::new([n, c, h, w], kernel).with(stride, [[above, below], [left, right]])
        }
    };
    vec![Box::new(shape(d)), Box::new(AvgPool2dGrad(shape(d)))]
}
