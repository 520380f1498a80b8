//! What peaks are measured with, odd sizes, and bad ones.

use super::{PeakCopy, PeakFma};
use crate::draw::Draw;
use crate::kernel::{Case, Kernel};

/// Enough for the largest card, little enough for software Vulkan: 17 GFLOP.
pub const FMA: PeakFma = PeakFma {
    len: 4 << 20,
    steps: 2048,
};

/// 64 MiB each way: more than caches hold.
pub const COPY: PeakCopy = PeakCopy { len: 16 << 20 };

/// The cases of `peak_fma` and `peak_copy`.
pub fn cases() -> Vec<Case> {
    let fma = |len, steps| PeakFma { len, steps };
    let copy = |len| PeakCopy { len };
    vec![
        Case::bench("peak", FMA),
        Case::bench("peak", COPY),
        Case::proof("one", fma(1, 1)),
        Case::proof("no-steps", fma(7, 0)),
        Case::proof("chains", fma(16 * 65, 33)),
        Case::proof("odd", fma(16 * 65 + 1, 31)),
        Case::proof("one", copy(1)),
        Case::proof("odd", copy(65)),
        Case::proof("vectors", copy(4 * 257)),
        Case::proof("several-groups", copy(256 * 33 + 7)),
        Case::bad("empty", "empty", fma(0, 1)),
        Case::bad("long", "65536", fma(1, 1 << 17)),
        Case::bad("too-large", "2^31", fma(1 << 31, 1)),
        Case::bad("empty", "empty", copy(0)),
        Case::bad("too-large", "2^31", copy(1 << 31)),
    ]
}

/// A random shape of each; not all of them are possible.
pub fn random(d: &mut Draw) -> Vec<Box<dyn Kernel>> {
    let (len, steps) = (d.within(1, 9000), d.within(0, 60));
    vec![Box::new(PeakFma { len, steps }), Box::new(PeakCopy { len })]
}
