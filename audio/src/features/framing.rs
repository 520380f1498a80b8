//! Frames: how each preset cuts sound into them, and their window.

use super::overlap::under;
use super::preset::Preset;
use super::settings::FeatureSettings;
use kernels::stft::{Spectrum, Stft};
use std::borrow::Cow;
use std::f64::consts::TAU;

/// HTK's pre-emphasis, and what it takes for full scale.
const PRE_EMPHASIS: f32 = 0.97;
const FULL_SCALE: f32 = 32_768.0;

/// Some frames' samples, and the transform that makes spectra of them.
pub(super) struct Piece<'s> {
    pub(super) samples: Cow<'s, [f32]>,
    pub(super) stft: Stft,
}

impl FeatureSettings {
    /// Samples in a window: at most `n_fft`.
    pub(super) fn window_len(&self) -> usize {
        self.window.unwrap_or(self.n_fft)
    }

    /// The transform of a clip with this many samples: its frames, and where they begin.
    pub(super) fn stft(&self, samples: usize) -> Stft {
        let spectrum = match self.power {
            1 => Spectrum::Magnitude,
            _ => Spectrum::Power,
        };
        let htk = self.preset == Preset::Htk;
        // HTK's frames are as long as the window; the rest of `n_fft` is zeros. The shortest clip has one.
        let samples = match htk {
            true => {
                let rest = self.n_fft.saturating_sub(self.window_len());
                samples.max(self.window_len()).saturating_add(rest)
            }
            false => samples,
        };
        Stft {
            clips: 1,
            samples,
            n_fft: self.n_fft,
            hop: self.hop,
            centre: !htk,
            spectrum,
        }
    }

    /// The window with the zeros that fill it up to `n_fft`: around it, HTK's behind it.
    pub(super) fn window_values(&self) -> Vec<f64> {
        let len = self.window_len();
        let htk = self.preset == Preset::Htk;
        // The periodic Hann window's turn is its length, the symmetric Hamming window's one less.
        let (before, mean, turn) = match htk {
            true => (0, 0.54, (len - 1).max(1)),
            false => ((self.n_fft - len) / 2, 0.5, len),
        };
        let value = |n: usize| mean - (1.0 - mean) * (TAU * n as f64 / turn as f64).cos();
        let mut values = vec![0.0; self.n_fft];
        let inside = &mut values[before..before + len];
        inside
            .iter_mut()
            .enumerate()
            .for_each(|(n, v)| *v = value(n));
        values
    }

    /// [`FeatureSettings::window_values`] as the kernels take them.
    pub(super) fn window_f32(&self) -> Vec<f32> {
        self.window_values().iter().map(|&w| w as f32).collect()
    }

    /// The samples under all frames: of librosa's those of the clip alone, because the kernel itself puts zeros
    /// around them.
    pub(super) fn whole<'s>(&self, samples: &'s [f32]) -> Piece<'s> {
        let stft = self.whole_stft(samples.len());
        match self.preset {
            Preset::Librosa => Piece {
                samples: samples.into(),
                stft,
            },
            _ => self.piece(samples, 0, stft.frames()),
        }
    }

    /// The transform of [`FeatureSettings::whole`] clips with this many samples.
    pub(super) fn whole_stft(&self, samples: usize) -> Stft {
        let stft = self.stft(samples);
        match self.preset {
            Preset::Librosa => stft,
            _ => self.laid_out(stft.frames()),
        }
    }

    /// The transform of a [`FeatureSettings::piece`] of so many frames, at least one.
    fn laid_out(&self, count: usize) -> Stft {
        let hop = match self.preset {
            Preset::Htk => self.n_fft,
            _ => self.hop,
        };
        Stft {
            samples: (count - 1).saturating_mul(hop).saturating_add(self.n_fft),
            centre: false,
            hop,
            ..self.stft(1)
        }
    }

    /// The samples under `count` frames from `start` on, with whatever stands beyond the ends of the clip.
    pub(super) fn piece<'s>(&self, samples: &'s [f32], start: usize, count: usize) -> Piece<'s> {
        let whole = self.stft(samples.len());
        let framed = match self.preset {
            Preset::Htk => self.frame_by_frame(samples, start, count).into(),
            _ => {
                let len = (count - 1) * whole.hop + whole.n_fft;
                let from = (start * whole.hop) as isize - whole.pad() as isize;
                let mut piece = under(samples, from, len);
                if self.preset == Preset::Torchaudio {
                    for (at, sample) in (from as i64..).zip(piece.to_mut()) {
                        if !(0..samples.len() as i64).contains(&at) {
                            *sample = samples[mirror(at, samples.len())];
                        }
                    }
                }
                piece
            }
        };
        Piece {
            samples: framed,
            stft: self.laid_out(count),
        }
    }

    /// HTK's frames, one behind the other, each filled up to `n_fft`: pre-emphasis begins anew in each.
    fn frame_by_frame(&self, samples: &[f32], start: usize, count: usize) -> Vec<f32> {
        let mut framed = vec![0.0; count * self.n_fft];
        for (i, frame) in framed.chunks_exact_mut(self.n_fft).enumerate() {
            let from = ((start + i) * self.hop).min(samples.len());
            let inside = &samples[from..samples.len().min(from + self.window_len())];
            let mut last = inside.first().copied().unwrap_or(0.0);
            for (value, &sample) in frame.iter_mut().zip(inside) {
                *value = FULL_SCALE * (sample - PRE_EMPHASIS * last);
                last = sample;
            }
        }
        framed
    }
}

/// Where a place beyond the ends falls, mirrored at the outermost samples as often as it takes.
fn mirror(at: i64, len: usize) -> usize {
    let last = len as i64 - 1;
    if last == 0 {
        return 0;
    }
    let turned = at.rem_euclid(2 * last);
    turned.min(2 * last - turned) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirrors_stand_at_the_outermost_samples() {
        let found: Vec<usize> = (-5..9).map(|at| mirror(at, 4)).collect();
        assert_eq!(
            found,
            [1, 2, 3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1, 2][..].to_vec()
        );
        assert_eq!((mirror(-7, 1), mirror(3, 1)), (0, 0));
    }

    #[test]
    fn pieces_are_the_frames_of_the_whole() {
        let samples: Vec<f32> = (0..1000).map(|n| ((n * n) as f32).sin()).collect();
        for preset in Preset::ALL {
            let settings = FeatureSettings {
                n_fft: 64,
                window: Some(48),
                hop: 20,
                ..FeatureSettings::of(preset)
            };
            let frames = settings.stft(samples.len()).frames();
            let all = settings.piece(&samples, 0, frames);
            assert_eq!(all.stft.frames(), frames, "{preset}");
            for start in [0, 1, 7, frames - 3, frames - 1] {
                let count = 2.min(frames - start);
                let piece = settings.piece(&samples, start, count);
                let from = start * all.stft.hop;
                assert_eq!(
                    *piece.samples,
                    all.samples[from..from + piece.samples.len()],
                    "{preset}, frame {start}"
                );
            }
        }
    }

    #[test]
    fn one_sample_is_a_frame_under_every_preset() {
        for preset in Preset::ALL {
            let settings = FeatureSettings::of(preset);
            settings.check().unwrap();
            assert_eq!(settings.frames(1), 1, "{preset}");
            let piece = settings.piece(&[0.5], 0, 1);
            assert_eq!(piece.samples.len(), settings.n_fft);
        }
    }
}
