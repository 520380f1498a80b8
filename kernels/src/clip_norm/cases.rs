//! The papers' networks, odd lengths, and bad ones.

use super::ClipNorm;
use crate::draw::Draw;
use crate::kernel::{Case, Kernel};

/// The cases of `clip_norm`.
pub fn cases() -> Vec<Case> {
    let clip = |lens: &[usize], max_norm| ClipNorm {
        lens: lens.to_vec(),
        max_norm,
    };
    vec![
        Case::bench("ajufo", clip(&[4_935_000], 1.0)),
        Case::bench("small", clip(&[4096], 1.0)),
        Case::proof("one", clip(&[1], 1e-3)),
        Case::proof("below", clip(&[7], 100.0)),
        Case::proof("above", clip(&[33], 0.5)),
        Case::proof("one-piece", clip(&[4096], 1.0)),
        Case::proof("two-pieces", clip(&[4097], 1.0)),
        Case::proof("many-pieces", clip(&[70_001], 2.0)),
        Case::proof(
            "several-gradients",
            clip(&[65, 1, 4100, 31, 64, 7, 9000, 2], 1.0),
        ),
        Case::bad("none", "one is empty", clip(&[], 1.0)),
        Case::bad("empty", "one is empty", clip(&[3, 0], 1.0)),
        Case::bad("max-norm-0", "max_norm must be", clip(&[3], 0.0)),
        Case::bad("max-norm-nan", "max_norm must be", clip(&[3], f64::NAN)),
        Case::bad("too-large", "2^31", clip(&[4, 1 << 31], 1.0)),
    ]
}

/// A random shape of each; not all of them are possible.
pub fn random(d: &mut Draw) -> Vec<Box<dyn Kernel>> {
    let lens = (0..d.within(1, 9)).map(|_| d.within(1, 9000)).collect();
    let max_norm = d.within(1, 100) as f64;
    vec![Box::new(ClipNorm { lens, max_norm })]
}
