//! Pictures to the sizes that networks want, odd shapes, and bad ones.

use super::{Mode, Resize2d, Resize2dGrad};
use crate::draw::Draw;
use crate::kernel::{Case, Kernel};

/// The cases of `resize2d` and `resize2d_grad`.
pub fn cases() -> Vec<Case> {
    let new = |planes, from, to, mode| Resize2d {
        planes,
        from,
        to,
        mode,
    };
    let mut cases = Vec::new();
    for (name, shape) in [
        (
            "mel-to-ajufo",
            new(20, [128, 1292], [128, 660], Mode::Bilinear),
        ),
        (
            "mel-to-ajufo-area",
            new(20, [128, 1292], [128, 660], Mode::Area),
        ),
        (
            "picture-to-northrop",
            new(96, [288, 432], [144, 216], Mode::Bilinear),
        ),
        (
            "map-to-map",
            new(20 * 64, [14, 14], [28, 28], Mode::Bilinear),
        ),
        ("map-to-few", new(32 * 512, [14, 14], [3, 3], Mode::Area)),
    ] {
        cases.push(Case::bench(name, shape));
        cases.push(Case::bench(name, Resize2dGrad(shape)));
    }
    for (mode, names) in [
        (
            Mode::Bilinear,
            [
                "bilinear-one",
                "bilinear-same",
                "bilinear-up",
                "bilinear-down",
                "bilinear-mixed",
                "bilinear-skips",
                "bilinear-from-one",
            ],
        ),
        (
            Mode::Area,
            [
                "area-one",
                "area-same",
                "area-up",
                "area-down",
                "area-mixed",
                "area-skips",
                "area-from-one",
            ],
        ),
    ] {
        let sizes = [
            (1, [1, 1], [1, 1]),
            (3, [7, 31], [7, 31]),
            (2, [7, 9], [33, 65]),
            (5, [33, 65], [31, 7]),
            (6, [7, 65], [31, 33]),
            (1, [65, 130], [3, 7]),
            (7, [1, 5], [9, 1]),
        ];
        for (name, (planes, from, to)) in names.into_iter().zip(sizes) {
            cases.push(Case::proof(name, new(planes, from, to, mode)));
            cases.push(Case::proof(name, Resize2dGrad(new(planes, from, to, mode))));
        }
    }
    cases.extend([
        Case::bad(
            "from-nothing",
            "empty side",
            new(1, [0, 3], [2, 2], Mode::Area),
        ),
        Case::bad(
            "to-nothing",
            "empty side",
            Resize2dGrad(new(1, [3, 3], [2, 0], Mode::Bilinear)),
        ),
        Case::bad(
            "too-large",
            "2^31",
            new(1, [2, 2], [1 << 16, 1 << 16], Mode::Area),
        ),
        Case::bad(
            "too-far",
            "out of reach",
            new(1, [1, 1 << 20], [1, 1 << 20], Mode::Bilinear),
        ),
        Case::bad(
            "huge",
            "2^31",
            new(1, [1, 1], [usize::MAX, 2], Mode::Bilinear),
        ),
    ]);
    cases
}

/// A random shape of each; not all of them are possible.
pub fn random(d: &mut Draw) -> Vec<Box<dyn Kernel>> {
    let shape = |d: &mut Draw| Resize2d {
        planes: d.within(1, 6),
        from: d.pair(1, 40),
        to: d.pair(1, 40),
        mode: d.of(&[Mode::Bilinear, Mode::Area]),
    };
    vec![Box::new(shape(d)), Box::new(Resize2dGrad(shape(d)))]
}
