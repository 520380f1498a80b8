//! Sounds to overlapping frames' spectra and back, a stretch at a time, so that a long sound's spectra need not fit memory.

use crate::error::{Error, Result};
use kernels::Kernel;
use kernels::istft::Istft;
use kernels::stft::{Spectrum, Stft};
use std::borrow::Cow;
use std::ops::Range;

/// The centred, complex spectra of a sound.
///
/// # Errors
/// [`Error::Settings`] where there are no samples, or `n_fft` and `hop` make no frames.
pub(crate) fn centred(samples: &[f32], n_fft: usize, hop: usize) -> Result<Stft> {
    let stft = Stft {
        clips: 1,
        samples: samples.len(),
        n_fft,
        hop,
        centre: true,
        spectrum: Spectrum::Complex,
    };
    stft.check().map_err(|e| Error::Settings(e.to_string()))?;
    Ok(stft)
}

/// Those of some frames: `[frames, bins]`, real and imaginary parts in turn.
pub(crate) fn spectra(
    samples: &[f32],
    whole: &Stft,
    window: &[f32],
    frames: Range<usize>,
) -> Result<Vec<f32>> {
    let Stft { n_fft, hop, .. } = *whole;
    let length = (frames.len() - 1) * hop + n_fft;
    let from = (frames.start * hop) as isize - whole.pad() as isize;
    let stft = Stft {
        samples: length,
        centre: false,
        ..*whole
    };
    stft.check()?;
    let mut spectra = vec![0.0; frames.len() * 2 * stft.bins()];
    stft.cpu(
        &[&under(samples, from, length), window],
        &mut [&mut spectra],
    );
    Ok(spectra)
}

/// `length` samples from `frames` centred spectra, `at_once` hops at a time: `part` gives the real and the imaginary
/// parts, each `[frames, bins]`, of the frames over a stretch. Neighbouring stretches share frames.
pub(crate) fn sound(
    length: usize,
    frames: usize,
    whole: &Stft,
    window: &[f32],
    at_once: usize,
    mut part: impl FnMut(Range<usize>) -> Result<[Vec<f32>; 2]>,
) -> Result<Vec<f32>> {
    let (Stft { n_fft, hop, .. }, pad) = (*whole, whole.pad());
    let mut samples = Vec::with_capacity(length);
    while samples.len() < length {
        let from = samples.len();
        let to = length.min(from + at_once * hop);
        // Every frame over these samples; the first begins `pad` samples before its place.
        let first = (from + pad + 1).saturating_sub(n_fft).div_ceil(hop);
        let end = frames.min((to - 1 + pad) / hop + 1);
        let [re, im] = part(first..end)?;
        let skip = from + pad - first * hop;
        let istft = Istft {
            clips: 1,
            frames: end - first,
            n_fft,
            hop,
            centre: false,
            samples: skip + to - from,
        };
        istft.check()?;
        let mut stretch = vec![0.0; istft.samples];
        istft.cpu(&[&re, &im, window], &mut [&mut stretch]);
        samples.extend_from_slice(&stretch[skip..]);
    }
    Ok(samples)
}

/// `len` samples from a place on that may lie before the first, with zeros beyond the ends.
pub(super) fn under(samples: &[f32], from: isize, len: usize) -> Cow<'_, [f32]> {
    if let Some(inside) = usize::try_from(from)
        .ok()
        .and_then(|from| samples.get(from..)?.get(..len))
    {
        return inside.into();
    }
    let before = from.min(0).unsigned_abs().min(len);
    let inside = samples.get(from.max(0) as usize..).unwrap_or_default();
    let mut piece = vec![0.0; before];
    piece.extend(&inside[..inside.len().min(len - before)]);
    piece.resize(len, 0.0);
    piece.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_have_zeros_beyond_the_ends() {
        let samples = [1.0, 2.0, 3.0];
        assert_eq!(*under(&samples, 1, 2), [2.0, 3.0]);
        assert_eq!(*under(&samples, -2, 4), [0.0, 0.0, 1.0, 2.0]);
        assert_eq!(*under(&samples, 1, 4), [2.0, 3.0, 0.0, 0.0]);
        assert_eq!(*under(&samples, -9, 2), [0.0; 2]);
        assert_eq!(*under(&samples, 9, 2), [0.0; 2]);
    }
}
