//! Harmonic/percussive source separation by median filters (Fitzgerald 2010), as in `librosa.effects.hpss`.
//!
//! In a spectrogram a sustained note is a horizontal line and a drum a vertical one. The median over 31 frames keeps
//! the first and removes the second; the median over 31 bins does the opposite. With `h` and `p` these medians of the
//! magnitude, the harmonic part of each complex value is `h² / (h² + p²)` of it, the percussive part the rest.

use super::bank::hann;
use super::definition::{Definition, How};
use super::median::{LANES, REACH, SPAN, of_columns, of_row, reflect};
use super::overlap;
use super::waveform::WAVEFORM;
use crate::error::{Error, Result};
use kernels::cpu::{Disjoint, for_ranges};
use kernels::stft::Stft;
use kernels::vectorized;
use std::ops::Range;

/// Number of frames separated at once.
const PIECE: usize = 1024;

/// Minimum number of frames per thread: even, because two share their medians.
const FRAMES: usize = 16;

pub(super) const HARMONIC: Definition = Definition {
    how: How::Sound(|sound| {
        Ok(hpss(sound.samples, sound.settings.n_fft, sound.settings.hop)?.harmonic)
    }),
    ..WAVEFORM
};

pub(super) const PERCUSSIVE: Definition = Definition {
    how: How::Sound(|sound| {
        Ok(hpss(sound.samples, sound.settings.n_fft, sound.settings.hop)?.percussive)
    }),
    ..WAVEFORM
};

/// Harmonic and percussive part of a signal, which add up to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Separated {
    /// Harmonic part: tones.
    pub harmonic: Vec<f32>,
    /// Percussive part: drums, clicks.
    pub percussive: Vec<f32>,
}

/// Separates a signal into a harmonic and a percussive part of the same length. librosa's defaults are `n_fft` 2048,
/// `hop` 512.
///
/// # Errors
/// [`Error::Settings`] if there are no samples, or if `n_fft` and `hop` do not allow the inverse STFT: `hop` must be at
/// most half of `n_fft`.
pub fn hpss(samples: &[f32], n_fft: usize, hop: usize) -> Result<Separated> {
    if hop > n_fft / 2 {
        return Err(Error::Settings(format!(
            "separation: hop {hop} is more than half of n_fft {n_fft}"
        )));
    }
    let stft = overlap::centred(samples, n_fft, hop)?;
    let window = hann(n_fft);
    let (separation, frames) = (
        Separation {
            samples,
            stft,
            window,
        },
        stft.frames(),
    );
    let part = |frames| separation.harmonic(frames);
    let harmonic = overlap::sound(
        samples.len(),
        frames,
        &stft,
        &separation.window,
        PIECE,
        part,
    )?;
    // The spectra of both parts add up to that of the sound, and so do the parts.
    let percussive = samples.iter().zip(&harmonic).map(|(s, h)| s - h).collect();
    Ok(Separated {
        harmonic,
        percussive,
    })
}

struct Separation<'a> {
    samples: &'a [f32],
    stft: Stft,
    window: Vec<f32>,
}

impl Separation<'_> {
    /// Real and imaginary parts of the harmonic spectra of these frames, each `[frames, bins]`.
    fn harmonic(&self, frames: Range<usize>) -> Result<[Vec<f32>; 2]> {
        let bins = self.stft.bins();
        let width = bins.next_multiple_of(LANES);
        // The medians of the outermost frames look at others; an odd one out is paired with the frame behind it.
        let first = frames.start.saturating_sub(REACH);
        let end = self.stft.frames().min(frames.end + REACH + 1);
        let spectra = overlap::spectra(self.samples, &self.stft, &self.window, first..end)?;
        let magnitudes = Magnitudes::of(&spectra, bins);

        let count = frames.len();
        let [mut re, mut im] = [vec![0.0; count * bins], vec![0.0; count * bins]];
        let (shared_re, shared_im) = (Disjoint::new(&mut re), Disjoint::new(&mut im));
        for_ranges(count, FRAMES, |range| {
            let mut work = Work::new(width);
            for t in range.clone().step_by(2) {
                // The frames under both windows, those beyond the clip's ends reflected.
                for (k, row) in work.rows.chunks_exact_mut(width).enumerate() {
                    let place = (frames.start + t + k) as isize - REACH as isize;
                    let frame = reflect(place, self.stft.frames()) - first;
                    row.copy_from_slice(magnitudes.row(frame));
                }
                let [one, two] = &mut work.harmonic;
                of_columns(&work.rows, width, one, two);
                for (side, t) in (t..range.end.min(t + 2)).enumerate() {
                    let frame = frames.start + t - first;
                    work.percussive(&magnitudes.row(frame)[..bins]);
                    let place = t * bins..(t + 1) * bins;
                    // SAFETY: every frame has a row of its own.
                    let (re, im) =
                        unsafe { (shared_re.slice(place.clone()), shared_im.slice(place)) };
                    mask(
                        &spectra[2 * frame * bins..][..2 * bins],
                        &work.harmonic[side][..bins],
                        &work.percussive[..bins],
                        re,
                        im,
                    );
                }
            }
        });
        Ok([re, im])
    }
}

/// `[frames, width]`: rows filled up with zeros to whole vectors.
struct Magnitudes {
    width: usize,
    values: Vec<f32>,
}

impl Magnitudes {
    fn of(spectra: &[f32], bins: usize) -> Self {
        let width = bins.next_multiple_of(LANES);
        let frames = spectra.len() / (2 * bins);
        let mut values = vec![0.0; frames * width];
        let rows = Disjoint::new(&mut values);
        for_ranges(frames, FRAMES, |range| {
            for t in range {
                // SAFETY: every frame has a row of its own.
                let row = unsafe { rows.slice(t * width..t * width + bins) };
                magnitude(&spectra[2 * t * bins..][..2 * bins], row);
            }
        });
        Magnitudes { width, values }
    }

    fn row(&self, frame: usize) -> &[f32] {
        &self.values[frame * self.width..][..self.width]
    }
}

/// One thread's buffers.
struct Work {
    /// The frames under two neighbouring windows.
    rows: Vec<f32>,
    /// Medians over frames, of two frames.
    harmonic: [Vec<f32>; 2],
    /// Medians over bins, of one.
    percussive: Vec<f32>,
    /// A row at even and odd places, and its medians.
    halves: [Vec<f32>; 2],
    medians: [Vec<f32>; 2],
}

impl Work {
    fn new(width: usize) -> Self {
        let half = (width / 2).next_multiple_of(LANES);
        let pair = |length: usize| [vec![0.0; length], vec![0.0; length]];
        Work {
            rows: vec![0.0; (SPAN + 1) * width],
            harmonic: pair(width),
            percussive: vec![0.0; 2 * half],
            halves: pair(half + REACH + 1),
            medians: pair(half),
        }
    }

    fn percussive(&mut self, row: &[f32]) {
        let [even, odd] = &mut self.halves;
        let mut put = |place: usize, value: f32| match place % 2 {
            0 => even[place / 2] = value,
            _ => odd[place / 2] = value,
        };
        let beyond = |place: isize| row[reflect(place, row.len())];
        for i in 0..REACH {
            put(i, beyond(i as isize - REACH as isize));
            put(REACH + row.len() + i, beyond((row.len() + i) as isize));
        }
        // REACH is odd.
        let (rest_even, rest_odd) = (&mut even[REACH / 2 + 1..], &mut odd[REACH / 2..]);
        for ((pair, odd), even) in row.chunks(2).zip(rest_odd).zip(rest_even) {
            *odd = pair[0];
            if let Some(value) = pair.get(1) {
                *even = *value;
            }
        }
        let [even, odd] = &self.halves;
        let [even_medians, odd_medians] = &mut self.medians;
        of_row([even, odd], [even_medians, odd_medians]);
        for ((pair, even), odd) in self
            .percussive
            .chunks_exact_mut(2)
            .zip(even_medians)
            .zip(odd_medians)
        {
            (pair[0], pair[1]) = (*even, *odd);
        }
    }
}

/// Smaller medians count as nothing, and share a value half and half: librosa's bound.
const TINY: f32 = f32::MIN_POSITIVE;

vectorized! {
    fn magnitude(spectrum: &[f32], magnitudes: &mut [f32]) {
        for (magnitude, z) in magnitudes.iter_mut().zip(spectrum.chunks_exact(2)) {
            *magnitude = (z[0] * z[0] + z[1] * z[1]).sqrt();
        }
    }

    /// The harmonic share of each value.
    fn mask(spectrum: &[f32], harmonic: &[f32], percussive: &[f32], re: &mut [f32], im: &mut [f32]) {
        let medians = harmonic.iter().zip(percussive);
        for (((re, im), z), (h, p)) in re.iter_mut().zip(im).zip(spectrum.chunks_exact(2)).zip(medians) {
            let greater = if h > p { *h } else { *p };
            // Squares of quotients, not quotients of squares: those would leave f32.
            let (h, p) = (h / greater, p / greater);
            let share = if greater < TINY { 0.5 } else { h * h / (h * h + p * p) };
            *re = share * z[0];
            *im = share * z[1];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::abs_diff_eq;
    use proptest::prelude::*;

    #[test]
    fn a_tone_is_harmonic_and_a_click_percussive() {
        let tone = |i: usize| (i as f32 * 0.2).sin() * 0.1;
        let click = |i: usize| if i % 11_000 == 5500 { 1.0 } else { 0.0 };
        let sound: Vec<f32> = (0..44_000).map(|i| tone(i) + click(i)).collect();
        let parts = hpss(&sound, 2048, 512).unwrap();
        assert!(
            abs_diff_eq!(parts.percussive[5500], 1.0, epsilon = 0.05),
            "{}",
            parts.percussive[5500]
        );
        let off = |i: usize| (parts.harmonic[i] - tone(i)).abs();
        assert!((10_000..34_000).all(|i| off(i) < 0.02));
    }

    #[test]
    fn pieces_join_without_a_seam() {
        // Longer than a piece: what is separated alone in the middle is the same.
        let mut state = 1u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) as f32 / 32_768.0 - 1.0
        };
        let sound: Vec<f32> = (0..PIECE * 64 + 5000).map(|_| noise()).collect();
        let whole = hpss(&sound, 256, 64).unwrap().harmonic;
        let middle = PIECE * 64 - 6400..PIECE * 64 + 5000;
        let part = hpss(&sound[middle.clone()], 256, 64).unwrap().harmonic;
        // Beyond the reach of the cut, 15 frames and a window.
        for i in 15 * 64 + 512..11_000 {
            let (a, b) = (whole[middle.start + i], part[i]);
            assert!(abs_diff_eq!(a, b, epsilon = 1e-5), "{i}: {a} {b}");
        }
    }

    #[test]
    fn frames_that_cannot_be_joined_are_refused() {
        for (n_fft, hop, samples) in [
            (2048, 1025, 100),
            (0, 0, 100),
            (64, 0, 100),
            (1 << 20, 512, 100),
            (64, 16, 0),
        ] {
            let error = hpss(&vec![0.0; samples], n_fft, hop).unwrap_err();
            assert!(matches!(error, Error::Settings(_)), "{error}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn any_length_is_separated_and_both_parts_add_up(
            length in 1usize..3000, n_fft in 2usize..130, share in 2usize..6,
        ) {
            let hop = (n_fft / share).max(1);
            let sound: Vec<f32> = (0..length).map(|i| ((i * i) as f32 * 0.01).sin()).collect();
            let parts = hpss(&sound, n_fft, hop).unwrap();
            prop_assert_eq!(parts.harmonic.len(), length);
            for (i, s) in sound.iter().enumerate() {
                prop_assert!(abs_diff_eq!(parts.harmonic[i] + parts.percussive[i], s, epsilon = 1e-5));
                prop_assert!(parts.harmonic[i].abs() < 20.0);
            }
        }
    }
}
