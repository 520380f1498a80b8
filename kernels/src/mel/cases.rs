//! The papers' filter banks over clips of 8 and 30 seconds, odd sizes, and bad ones.

use super::Mel;
use crate::draw::Draw;
use crate::kernel::{Case, Kernel};

/// The cases of `mel`.
pub fn cases() -> Vec<Case> {
    let mel = |clips, frames, bins, bands, width| Mel {
        clips,
        frames,
        bins,
        bands,
        width,
    };
    vec![
        Case::bench("ajufo-30s", mel(1, 646, 1025, 128, 58)),
        Case::bench("librosa-30s", mel(1, 1292, 1025, 128, 58)),
        Case::bench("georgopoulos-8s", mel(8, 345, 1025, 128, 58)),
        Case::proof("one", mel(1, 1, 1, 1, 1)),
        Case::proof("one-frame", mel(2, 1, 33, 7, 5)),
        Case::proof("one-band", mel(1, 65, 33, 1, 33)),
        Case::proof("one-weight", mel(1, 31, 33, 33, 1)),
        Case::proof("whole-blocks", mel(2, 64, 65, 31, 16)),
        Case::proof("odd", mel(3, 67, 65, 31, 17)),
        Case::proof("many-frames", mel(1, 131, 31, 7, 8)),
        Case::bad("empty-side", "empty side", mel(1, 0, 5, 5, 2)),
        Case::bad(
            "filter-too-wide",
            "6 weights over 5 bins",
            mel(1, 2, 5, 5, 6),
        ),
        Case::bad("too-large", "2^31", mel(1 << 11, 1 << 11, 1 << 10, 5, 2)),
    ]
}

/// A random shape of each; not all of them are possible.
pub fn random(d: &mut Draw) -> Vec<Box<dyn Kernel>> {
    let bins = d.within(1, 80);
    vec![Box::new(Mel {
        clips: d.within(1, 3),
        frames: d.within(1, 150),
        bins,
        bands: d.within(1, 20),
        width: d.within(1, bins),
    })]
}
