//! The papers' frames over clips of 8 and 30 seconds, odd sizes, and bad ones.

use super::{Spectrum, Stft};
use crate::draw::Draw;
use crate::kernel::{Case, Kernel};

/// The cases of `stft`.
pub fn cases() -> Vec<Case> {
    let power = |clips, samples, n_fft, hop| Stft {
        clips,
        samples,
        n_fft,
        hop,
        centre: true,
        spectrum: Spectrum::Power,
    };
    let kind = |spectrum| Stft {
        spectrum,
        ..power(2, 500, 64, 16)
    };
    vec![
        Case::bench("ajufo-30s", power(1, 661_500, 2048, 1024)),
        Case::bench("librosa-30s", power(1, 661_500, 2048, 512)),
        Case::bench("georgopoulos-8s", power(8, 176_400, 2048, 512)),
        Case::proof("complex", kind(Spectrum::Complex)),
        Case::proof("magnitude", kind(Spectrum::Magnitude)),
        Case::proof("power", kind(Spectrum::Power)),
        Case::proof(
            "from-the-left",
            Stft {
                centre: false,
                ..kind(Spectrum::Complex)
            },
        ),
        Case::proof("one-sample", power(3, 1, 64, 16)),
        Case::proof("shorter-than-a-frame", power(1, 33, 128, 7)),
        Case::proof(
            "exactly-one-frame",
            Stft {
                centre: false,
                ..power(2, 65, 65, 31)
            },
        ),
        Case::proof("hop-beyond-frame", power(1, 300, 16, 33)),
        Case::proof(
            "odd-n_fft",
            Stft {
                spectrum: Spectrum::Complex,
                ..power(2, 200, 31, 7)
            },
        ),
        Case::proof(
            "n_fft-2",
            Stft {
                spectrum: Spectrum::Complex,
                ..power(1, 9, 2, 1)
            },
        ),
        Case::proof(
            "n_fft-4",
            Stft {
                spectrum: Spectrum::Complex,
                ..power(1, 9, 4, 1)
            },
        ),
        Case::proof("n_fft-400", power(1, 1000, 400, 160)),
        Case::proof(
            "n_fft-512",
            Stft {
                spectrum: Spectrum::Complex,
                ..power(1, 1500, 512, 256)
            },
        ),
        Case::proof(
            "n_fft-128",
            Stft {
                n_fft: 128,
                ..kind(Spectrum::Magnitude)
            },
        ),
        Case::proof(
            "n_fft-256",
            Stft {
                n_fft: 256,
                ..kind(Spectrum::Complex)
            },
        ),
        Case::proof(
            "n_fft-1024",
            Stft {
                n_fft: 1024,
                hop: 300,
                ..kind(Spectrum::Complex)
            },
        ),
        Case::proof("n_fft-2048", power(1, 3000, 2048, 1024)),
        Case::proof("n_fft-4096", power(1, 100, 4096, 1024)),
        Case::bad("no-samples", "empty", power(1, 0, 64, 16)),
        Case::bad("no-hop", "hop 0", power(1, 100, 64, 0)),
        Case::bad("no-frame", "n_fft 1 must", power(1, 100, 1, 1)),
        Case::bad("huge-frame", "more than 65536", power(1, 100, 1 << 17, 1)),
        Case::bad(
            "too-short",
            "shorter than a frame",
            Stft {
                centre: false,
                ..power(1, 63, 64, 16)
            },
        ),
        Case::bad("too-large", "2^31", power(1 << 10, 1 << 20, 2048, 1)),
    ]
}

/// A random shape of each; not all of them are possible.
pub fn random(d: &mut Draw) -> Vec<Box<dyn Kernel>> {
    vec![Box::new(Stft {
        clips: d.within(1, 3),
        samples: d.within(1, 700),
        n_fft: d.frame(),
        hop: d.within(1, 80),
        centre: d.flag(),
        spectrum: d.of(&[Spectrum::Complex, Spectrum::Magnitude, Spectrum::Power]),
    })]
}
