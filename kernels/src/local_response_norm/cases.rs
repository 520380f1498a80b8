//! Maps of the papers' networks, odd shapes, and bad ones.

use super::{LocalResponseNorm, LocalResponseNormGrad};
use crate::draw::Draw;
use crate::kernel::{Case, Kernel};

/// The cases of `local_response_norm` and `local_response_norm_grad`.
pub fn cases() -> Vec<Case> {
    let new = LocalResponseNorm::new;
    let mut cases = Vec::new();
    for (name, shape) in [
        ("alexnet-1", new([16, 96, 55 * 55], 5)),
        ("georgopoulos-1", new([32, 32, 128 * 128], 5)),
        ("wide", new([16, 256, 27 * 27], 15)),
    ] {
        cases.push(Case::bench(name, shape));
        cases.push(Case::bench(name, LocalResponseNormGrad(shape)));
    }
    for (name, shape) in [
        ("one", new([1, 1, 1], 1)),
        ("defaults", new([2, 7, 31], 5)),
        ("loud", new([2, 33, 65], 5).with(1.0, 0.75, 2.0)),
        ("even", new([1, 7, 33], 4).with(2.0, 0.5, 0.5)),
        ("single", new([3, 5, 31], 1).with(1.0, 1.0, 1.0)),
        (
            "wider-than-channels",
            new([1, 3, 33], 15).with(4.0, 1.5, 1.0),
        ),
        ("widest-tile", new([1, 65, 9], 17).with(1.0, 0.75, 1.0)),
        (
            "too-wide-for-a-tile",
            new([1, 40, 9], 35).with(1.0, 0.75, 1.0),
        ),
        ("rows", new([7, 65, 1], 5).with(1.0, 0.75, 1.0)),
        ("no-power", new([2, 5, 31], 3).with(1.0, 0.0, 1.0)),
        ("root", new([2, 5, 31], 3).with(1.0, -0.5, 1.0)),
        ("no-weight", new([2, 5, 31], 3).with(0.0, 0.75, 2.0)),
    ] {
        cases.push(Case::proof(name, shape));
        cases.push(Case::proof(name, LocalResponseNormGrad(shape)));
    }
    cases.extend([
        Case::bad("empty-side", "empty side", new([2, 0, 4], 5)),
        Case::bad("no-neighbours", "over 0 channels", new([2, 3, 4], 0)),
        Case::bad(
            "endless",
            "channels",
            LocalResponseNormGrad(new([2, 3, 4], usize::MAX)),
        ),
        Case::bad("k", "k above 0", new([2, 3, 4], 5).with(1.0, 0.75, 0.0)),
        Case::bad(
            "alpha",
            "alpha must be",
            new([2, 3, 4], 5).with(-1.0, 0.75, 1.0),
        ),
        Case::bad(
            "beta",
            "beta a number",
            new([2, 3, 4], 5).with(1.0, f64::NAN, 1.0),
        ),
        Case::bad("too-large", "2^31", new([1 << 16, 1 << 15, 1], 5)),
    ]);
    cases
}

/// A random shape of each; not all of them are possible.
pub fn random(d: &mut Draw) -> Vec<Box<dyn Kernel>> {
    let tenths = |d: &mut Draw, low| d.within(low, 20) as f64 / 10.0;
    let shape = |d: &mut Draw| {
        let shape = [d.within(1, 3), d.within(1, 80), d.within(1, 100)];
        let size = d.within(1, 20);
        LocalResponseNorm::new(shape, size).with(tenths(d, 0), tenths(d, 0), tenths(d, 2))
    };
    vec![
        Box::new(shape(d)),
        Box::new(LocalResponseNormGrad(shape(d))),
    ]
}
