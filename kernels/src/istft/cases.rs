//! Spectrograms of 8 and 30 seconds, odd sizes, and bad ones.

use super::Istft;
use crate::draw::Draw;
use crate::kernel::{Case, Kernel};

/// The cases of `istft`.
pub fn cases() -> Vec<Case> {
    let istft = |clips, frames, n_fft, hop, centre| Istft {
        clips,
        frames,
        n_fft,
        hop,
        centre,
        samples: Istft::covered(frames, n_fft, hop, centre),
    };
    let long = |samples, istft| Istft { samples, ..istft };
    vec![
        Case::bench("librosa-30s", istft(1, 1292, 2048, 512, true)),
        Case::bench("georgopoulos-8s", istft(8, 345, 2048, 512, true)),
        Case::proof("centred", istft(2, 7, 64, 16, true)),
        Case::proof("from-the-left", istft(2, 7, 64, 16, false)),
        Case::proof("cut", long(65, istft(1, 9, 64, 16, true))),
        Case::proof("padded", long(333, istft(2, 5, 64, 32, true))),
        Case::proof("one-frame", istft(3, 1, 32, 7, false)),
        Case::proof("one-sample", long(1, istft(1, 3, 16, 4, true))),
        Case::proof("hop-1", istft(1, 5, 8, 1, true)),
        Case::proof("gaps", istft(1, 4, 16, 33, false)),
        Case::proof("odd", istft(2, 6, 31, 7, true)),
        Case::proof("n_fft-2", istft(1, 9, 2, 1, true)),
        Case::proof("n_fft-4", istft(1, 9, 4, 2, true)),
        Case::proof("n_fft-400", istft(1, 4, 400, 160, true)),
        Case::proof("n_fft-512", istft(1, 5, 512, 128, true)),
        Case::proof("n_fft-2048", istft(1, 3, 2048, 1024, false)),
        Case::bad("no-frames", "empty", istft(1, 0, 64, 16, false)),
        Case::bad("no-samples", "empty", istft(1, 1, 64, 16, true)),
        Case::bad("no-hop", "hop 0", long(5, istft(1, 4, 64, 0, true))),
        Case::bad("no-frame", "n_fft 1 must", long(5, istft(1, 4, 1, 1, true))),
        Case::bad(
            "huge-frame",
            "more than 65536",
            istft(1, 4, 1 << 17, 1, false),
        ),
        Case::bad("too-large", "2^31", istft(1 << 10, 1 << 10, 2048, 1, false)),
        Case::bad(
            "too-long",
            "2^31",
            long(usize::MAX, istft(1, 4, 64, 16, true)),
        ),
        Case::bad(
            "huge-hop",
            "2^31",
            long(5, istft(1, 4, 64, usize::MAX / 4, true)),
        ),
    ]
}

/// A random shape of each; not all of them are possible.
pub fn random(d: &mut Draw) -> Vec<Box<dyn Kernel>> {
    let (n_fft, hop) = (d.frame(), d.within(1, 80));
    vec![Box::new(Istft {
        clips: d.within(1, 3),
        frames: d.within(1, 12),
        n_fft,
        hop,
        centre: d.flag(),
        samples: d.within(1, 400),
    })]
}
