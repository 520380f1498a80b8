//! What a constant-Q transform says of harmony, at librosa's defaults.
//!
//! | kind | `librosa.feature.…` |
//! | --- | --- |
//! | `chroma_cqt` | the magnitudes of each of the twelve pitch classes, from C on; the largest is 1 |
//! | `chroma_cens` | the same in five steps of loudness, averaged over 41 frames; the squares add up to 1 (Müller and Ewert 2011) |
//! | `tonnetz` | chroma as a point on three circles, of fifths, minor and major thirds (Harte et al. 2006) |
//!
//! All of 36 bins in an octave, tuned as the sound is.

use super::cqt::{self, CQT, Scale, magnitudes};
use super::definition::{Definition, How};
use super::kind::Axis;
use super::sound::Sound;
use crate::error::Result;

/// Pitch classes in an octave.
pub(super) const CLASSES: usize = 12;

const PER_OCTAVE: usize = 36;

pub(super) const CHROMA_CQT: Definition = of(|sound| Ok(chroma(sound)?.scaled(Norm::Largest)));

pub(super) const CHROMA_CENS: Definition = of(|sound| Ok(chroma(sound)?.cens()));

pub(super) const TONNETZ: Definition = Definition {
    bands: |_| 6,
    axis: Axis::Number,
    ..of(|sound| {
        let frames = cqt::frames(sound.samples.len(), sound.settings.hop);
        Ok(Chroma {
            values: chroma(sound)?.scaled(Norm::Largest),
            frames,
        }
        .tonnetz())
    })
};

const fn of(compute: fn(&Sound<'_>) -> Result<Vec<f32>>) -> Definition {
    Definition {
        check: |settings| Scale::octaves(PER_OCTAVE).check(settings),
        bands: |_| CLASSES,
        axis: Axis::PitchClass,
        how: How::Sound(compute),
        ..CQT
    }
}

fn chroma(sound: &Sound<'_>) -> Result<Chroma> {
    let scale = Scale::octaves(PER_OCTAVE).tuned(sound);
    let frames = cqt::frames(sound.samples.len(), sound.settings.hop);
    Ok(Chroma::of(&magnitudes(sound, &scale)?, PER_OCTAVE, frames))
}

/// What each frame is divided by; where that is nothing, it is left as it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Norm {
    /// The largest magnitude.
    Largest,
    /// The sum of the magnitudes.
    Sum,
    /// The root of the sum of squares.
    Length,
}

/// `[CLASSES, frames]`.
pub(super) struct Chroma {
    pub(super) values: Vec<f32>,
    pub(super) frames: usize,
}

impl Chroma {
    /// The sums over all octaves of a constant-Q transform from C on. With several bins to a class, their middle one is
    /// the note.
    pub(super) fn of(magnitudes: &[f32], per_octave: usize, frames: usize) -> Chroma {
        let merged = per_octave / CLASSES;
        let mut values = vec![0.0; CLASSES * frames];
        for (bin, row) in magnitudes.chunks_exact(frames).enumerate() {
            let class = (bin + merged / 2) / merged % CLASSES;
            for (sum, value) in values[class * frames..].iter_mut().zip(row) {
                *sum += value;
            }
        }
        Chroma { values, frames }
    }

    pub(super) fn scaled(&self, norm: Norm) -> Vec<f32> {
        let mut scaled = self.values.clone();
        for t in 0..self.frames {
            let magnitudes = || {
                self.values[t..]
                    .iter()
                    .step_by(self.frames)
                    .map(|v| f64::from(v.abs()))
            };
            let size = match norm {
                Norm::Largest => magnitudes().fold(0.0, f64::max),
                Norm::Sum => magnitudes().sum(),
                Norm::Length => magnitudes().map(|m| m * m).sum::<f64>().sqrt(),
            };
            if size >= f64::from(f32::MIN_POSITIVE) {
                let values = scaled[t..].iter_mut().step_by(self.frames);
                values.for_each(|v| *v = (f64::from(*v) / size) as f32);
            }
        }
        scaled
    }

    pub(super) fn cens(&self) -> Vec<f32> {
        /// Frames that are averaged, under a Hann window.
        const SMOOTH: usize = 41;
        let mut steps = self.scaled(Norm::Sum);
        for value in &mut steps {
            *value = [0.4, 0.2, 0.1, 0.05]
                .into_iter()
                .map(|step| if *value > step { 0.25 } else { 0.0 })
                .sum();
        }
        // Without its ends, which are 0.
        let hann = |i: usize| {
            0.5 - 0.5 * (std::f64::consts::TAU * (i + 1) as f64 / (SMOOTH + 1) as f64).cos()
        };
        let window: Vec<f64> = (0..SMOOTH)
            .map(|i| hann(i) / SMOOTH.div_ceil(2) as f64)
            .collect();
        let mut values = Vec::with_capacity(steps.len());
        for row in steps.chunks_exact(self.frames) {
            values.extend((0..self.frames).map(|t| {
                let first = t.saturating_sub(SMOOTH / 2);
                let under = row[first..self.frames.min(t + SMOOTH / 2 + 1)].iter();
                let window = &window[first + SMOOTH / 2 - t..];
                under
                    .zip(window)
                    .map(|(v, w)| f64::from(*v) * w)
                    .sum::<f64>() as f32
            }));
        }
        Chroma {
            values,
            frames: self.frames,
        }
        .scaled(Norm::Length)
    }

    /// `[6, frames]`: the circle of fifths, of minor thirds, of major thirds, each as sine and cosine.
    pub(super) fn tonnetz(&self) -> Vec<f32> {
        // Half turns from class to class, and the radius.
        const CIRCLES: [(f64, f64); 3] = [(7.0 / 6.0, 1.0), (3.0 / 2.0, 1.0), (2.0 / 3.0, 0.5)];
        let chroma = self.scaled(Norm::Sum);
        let mut values = Vec::with_capacity(6 * self.frames);
        for (turns, radius) in CIRCLES {
            for behind in [0.5, 0.0] {
                let mut row = vec![0.0; self.frames];
                for (class, chroma) in chroma.chunks_exact(self.frames).enumerate() {
                    let weight =
                        radius * (std::f64::consts::PI * (turns * class as f64 - behind)).cos();
                    for (sum, value) in row.iter_mut().zip(chroma) {
                        *sum += weight as f32 * value;
                    }
                }
                values.extend(row);
            }
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_fall_into_their_classes() {
        // One frame; C and the bins beside it, then G in the second octave.
        let mut magnitudes = vec![0.0; 72];
        magnitudes[0] = 1.0;
        magnitudes[1] = 2.0;
        magnitudes[35] = 4.0;
        magnitudes[36 + 21] = 8.0;
        let chroma = Chroma::of(&magnitudes, 36, 1);
        assert_eq!((chroma.values[0], chroma.values[7]), (7.0, 8.0));
        assert_eq!(chroma.scaled(Norm::Largest)[0], 7.0 / 8.0);
        assert_eq!(chroma.scaled(Norm::Sum)[7], 8.0 / 15.0);
        assert_eq!(Chroma::of(&magnitudes[..24], 12, 1).values[1], 2.0);
    }

    #[test]
    fn cens_knows_five_steps_and_silence_stays_silent() {
        let mut values = vec![0.0; CLASSES * 60];
        values[..60].fill(0.7);
        values[60..120].fill(0.3);
        let chroma = Chroma { values, frames: 60 };
        let cens = chroma.cens();
        // 4 and 3 of 4 steps: in proportion at any length.
        assert!((cens[30] - 0.8).abs() < 1e-6 && (cens[90] - 0.6).abs() < 1e-6);
        assert_eq!(
            Chroma {
                values: vec![0.0; 24],
                frames: 2
            }
            .cens(),
            [0.0; 24]
        );
        assert_eq!(
            Chroma {
                values: vec![0.0; 24],
                frames: 2
            }
            .tonnetz(),
            [0.0; 12]
        );
    }
}
