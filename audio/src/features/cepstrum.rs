//! Cepstra: the cosine transform over a mel spectrogram's bands, and the lifter.

use super::preset::Preset;
use super::settings::FeatureSettings;
use kernels::dct::Dct;

/// The transform over the bands of this many frames.
pub(super) fn dct(settings: &FeatureSettings, frames: usize) -> Dct {
    Dct {
        outer: 1,
        n: settings.n_mels,
        inner: frames,
        kept: settings.n_mfcc,
        ortho: true,
    }
}

/// The lifter over `[n_mfcc, frames]`, and HTK's place and scale for `c0`.
pub(super) fn lift(settings: &FeatureSettings, values: &mut [f32], frames: usize) {
    let (htk, length) = (settings.preset == Preset::Htk, settings.lifter as f64);
    for (n, row) in values.chunks_exact_mut(frames.max(1)).enumerate() {
        let lift = |n: usize| 1.0 + length / 2.0 * (std::f64::consts::PI * n as f64 / length).sin();
        let factor = match (htk, settings.lifter) {
            (true, _) if n == 0 => std::f64::consts::SQRT_2,
            (_, 0) => 1.0,
            (true, _) => lift(n),
            // librosa counts from 1.
            (false, _) => lift(n + 1),
        };
        if factor != 1.0 {
            row.iter_mut().for_each(|value| *value *= factor as f32);
        }
    }
    if htk {
        values.rotate_left(frames);
    }
}
