//! MFCCs of 8 and 30 seconds, odd sizes, and bad ones.

use super::{Dct, DctGrad};
use crate::draw::Draw;
use crate::kernel::{Case, Kernel};

/// The cases of `dct` and its gradient.
pub fn cases() -> Vec<Case> {
    let dct = |[outer, n, inner]: [usize; 3], kept, ortho| Dct {
        outer,
        n,
        inner,
        kept,
        ortho,
    };
    let mut cases = vec![
        Case::bad("empty", "empty side", dct([2, 0, 3], 1, true)),
        Case::bad("none-kept", "empty side", DctGrad(dct([2, 5, 3], 0, true))),
        Case::bad("too-many", "6 coefficients of 5", dct([2, 5, 3], 6, true)),
        Case::bad("too-long", "longer than", dct([1, 1 << 16, 1], 1, true)),
        Case::bad("too-large", "2^31", dct([1 << 17, 128, 128], 20, true)),
    ];
    for (name, shape) in [
        ("mfcc-30s", dct([1, 128, 1292], 20, true)),
        ("mfcc-8s", dct([8, 128, 345], 20, true)),
        ("mfcc-last-axis", dct([1292, 40, 1], 13, true)),
    ] {
        cases.push(Case::bench(name, shape));
        cases.push(Case::bench(name, DctGrad(shape)));
    }
    for (name, shape) in [
        ("one", dct([1, 1, 1], 1, true)),
        ("mfcc", dct([2, 40, 33], 13, true)),
        ("last-axis", dct([65, 31, 1], 7, true)),
        ("first-axis", dct([1, 33, 31], 33, true)),
        ("plain", dct([3, 7, 5], 4, false)),
        ("whole-tiles", dct([1, 64, 32], 16, true)),
        ("long", dct([2, 700, 3], 65, false)),
    ] {
        cases.push(Case::proof(name, shape));
        cases.push(Case::proof(name, DctGrad(shape)));
    }
    cases
}

/// A random shape of each; not all of them are possible.
pub fn random(d: &mut Draw) -> Vec<Box<dyn Kernel>> {
    let shape = |d: &mut Draw| {
        let n = d.within(1, 80);
        Dct {
            outer: d.within(1, 5),
            n,
            inner: d.within(1, 40),
            kept: d.within(1, n),
            ortho: d.flag(),
        }
    };
    vec![Box::new(shape(d)), Box::new(DctGrad(shape(d)))]
}
