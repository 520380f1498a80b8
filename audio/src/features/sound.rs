//! What kinds are computed from: samples; on the CPU also their spectra, block by block.

use super::exact::ExactFft;
use super::kind::Kind;
use super::settings::FeatureSettings;
use crate::error::{Error, Result};
use kernels::Kernel;
use kernels::cpu::{Disjoint, for_each};
use kernels::stft::{Spectrum, Stft};

/// Frames whose spectra are made at once: few enough for a core's cache, and for one thread.
const BLOCK: usize = 32;

/// A clip at the settings' rate. The settings have passed their check.
pub(super) struct Sound<'a> {
    /// At least one, all finite.
    pub(super) samples: &'a [f32],
    pub(super) settings: &'a FeatureSettings,
}

/// One block's spectra.
pub(super) struct Block<'a> {
    /// The first of its frames.
    pub(super) start: usize,
    /// Numbers of one frame: `n_fft / 2 + 1`, for complex spectra twice as many.
    pub(super) row: usize,
    /// `[frames, row]`.
    pub(super) values: &'a [f32],
}

impl Block<'_> {
    /// Every frame with its number.
    pub(super) fn frames(&self) -> impl Iterator<Item = (usize, &[f32])> {
        (self.start..).zip(self.values.chunks_exact(self.row))
    }
}

/// More values than this in one clip's features are refused.
const MOST_VALUES: usize = 1 << 30;

/// How many values these are, where memory is thought to hold them.
pub(super) fn count(kind: Kind, bands: usize, frames: usize) -> Result<usize> {
    match bands.checked_mul(frames) {
        Some(count) if count <= MOST_VALUES => Ok(count),
        _ => Err(Error::Settings(format!(
            "{kind}: {bands}×{frames} are more than {MOST_VALUES} values"
        ))),
    }
}

impl Sound<'_> {
    /// Frames of the STFT.
    pub(super) fn frames(&self) -> usize {
        self.settings.stft(self.samples.len()).frames()
    }

    /// Hz from one frequency of a spectrum to the next.
    pub(super) fn hz_per_bin(&self) -> f64 {
        f64::from(self.settings.sample_rate) / self.settings.n_fft as f64
    }

    /// Shows every block of spectra, several at once. Blocks do not depend on the number of threads.
    pub(super) fn spectra(&self, spectrum: Spectrum, see: impl Fn(Block<'_>) + Sync + Send) {
        let whole = Stft {
            spectrum,
            ..self.settings.stft(self.samples.len())
        };
        let window = self.settings.window_f32();
        let frames = whole.frames();
        let parts = if spectrum == Spectrum::Complex { 2 } else { 1 };
        let row = whole.bins() * parts;
        for_each(frames.div_ceil(BLOCK), |block| {
            let start = block * BLOCK;
            let count = BLOCK.min(frames - start);
            let piece = self.settings.piece(self.samples, start, count);
            let stft = Stft {
                spectrum,
                ..piece.stft
            };
            let mut values = vec![0.0; count * row];
            stft.cpu(&[&piece.samples, &window], &mut [&mut values]);
            see(Block {
                start,
                row,
                values: &values,
            });
        });
    }

    /// [`Sound::spectra`] of magnitudes, transformed in f64, slower.
    pub(super) fn exact_magnitudes(&self, see: impl Fn(Block<'_>) + Sync + Send) {
        let window = self.settings.window_values();
        let (n_fft, frames) = (self.settings.n_fft, self.frames());
        let fft = ExactFft::new(n_fft);
        let row = n_fft / 2 + 1;
        for_each(frames.div_ceil(BLOCK), |block| {
            let start = block * BLOCK;
            let count = BLOCK.min(frames - start);
            let piece = self.settings.piece(self.samples, start, count);
            let mut values = Vec::with_capacity(count * row);
            for t in 0..count {
                let samples = &piece.samples[t * piece.stft.hop..];
                let magnitudes = fft.magnitudes(|i| f64::from(samples[i]) * window[i]);
                values.extend(magnitudes.map(|v| v as f32));
            }
            see(Block {
                start,
                row,
                values: &values,
            });
        });
    }

    /// `[bands, frames]` where each frame's bands come of its spectrum alone: `of(spectrum, bands)` writes them.
    pub(super) fn per_spectrum(
        &self,
        spectrum: Spectrum,
        bands: usize,
        of: impl Fn(&[f32], &mut [f32]) + Sync + Send,
    ) -> Vec<f32> {
        self.collect(bands, of, |see| self.spectra(spectrum, see))
    }

    /// [`Sound::per_spectrum`] of [`Sound::exact_magnitudes`].
    pub(super) fn per_exact_spectrum(
        &self,
        bands: usize,
        of: impl Fn(&[f32], &mut [f32]) + Sync + Send,
    ) -> Vec<f32> {
        self.collect(bands, of, |see| self.exact_magnitudes(see))
    }

    /// [`Sound::per_spectrum`] of one number.
    pub(super) fn one_per_spectrum(
        &self,
        spectrum: Spectrum,
        of: impl Fn(&[f32]) -> f64 + Sync + Send,
    ) -> Vec<f32> {
        self.per_spectrum(spectrum, 1, |values, out| out[0] = of(values) as f32)
    }

    fn collect(
        &self,
        bands: usize,
        of: impl Fn(&[f32], &mut [f32]) + Sync + Send,
        blocks: impl FnOnce(&(dyn Fn(Block<'_>) + Sync + Send)),
    ) -> Vec<f32> {
        let frames = self.frames();
        let mut values = vec![0.0; bands * frames];
        let shared = Disjoint::new(&mut values);
        blocks(&|block| {
            let mut column = vec![0.0; bands];
            for (t, spectrum) in block.frames() {
                of(spectrum, &mut column);
                for (band, value) in column.iter().enumerate() {
                    let at = band * frames + t;
                    // SAFETY: every frame's values have places of their own.
                    unsafe { shared.slice(at..at + 1) }.copy_from_slice(&[*value]);
                }
            }
        });
        values
    }
}
