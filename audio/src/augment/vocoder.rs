//! Stretching in time by a phase vocoder (Flanagan & Golden 1966; after Ellis 2002), as `librosa.effects.time_stretch`.
//!
//! Output frame `i` stands at the place `t = i·rate` of the input's spectra. Its magnitudes lie on the line through those
//! of two neighbouring frames; its phases go on, from frame to frame, by what they changed from input frame `⌊t⌋` to the
//! next: a tone keeps its frequency, whatever the rate. How the phases of neighbouring frequencies stand to each other is
//! lost where a sound begins and is slowed down, and with it some of its level: this is the plain form, as librosa's is.
//!
//! librosa adds up angles. Here a phase is a complex number of absolute value 1, and a change of phase a factor: the same
//! without an arc tangent, a sine or a turn to unwrap.

use crate::error::{Error, Result};
use crate::features::{hann, overlap};
use kernels::stft::Stft;
use rustfft::num_complex::Complex64;

/// librosa's defaults.
const N_FFT: usize = 2048;
const HOP: usize = 512;
const BINS: usize = N_FFT / 2 + 1;

/// Output frames made at once.
const PIECE: usize = 256;

/// The highest rate, and the inverse of the lowest.
const FASTEST: f64 = 16.0;

/// The sound `rate` times as fast at the same pitch: `round(samples / rate)` samples. Frames have 2048 samples and begin
/// 512 apart, librosa's defaults. Of less than 512 samples, which are one frame, librosa 1.0 makes NaN; here its magnitudes
/// stay.
///
/// # Errors
/// [`Error::Settings`] for a rate outside 1/16 to 16.
pub fn time_stretch(samples: &[f32], rate: f64) -> Result<Vec<f32>> {
    if !(1.0 / FASTEST..=FASTEST).contains(&rate) {
        let reason = format!("time stretch: rate {rate} lies outside 1/16 to 16");
        return Err(Error::Settings(reason));
    }
    let length = (samples.len() as f64 / rate).round_ties_even() as usize;
    if length == 0 {
        return Ok(Vec::new());
    }
    let stft = overlap::centred(samples, N_FFT, HOP)?;
    let window = hann(N_FFT);
    let mut vocoder = Vocoder::new(samples, rate, stft, &window)?;
    overlap::sound(length, vocoder.frames(), &stft, &window, PIECE, |frames| {
        vocoder.go_on(frames.start, frames.end)?;
        Ok([vocoder.re.clone(), vocoder.im.clone()])
    })
}

struct Vocoder<'a> {
    samples: &'a [f32],
    rate: f64,
    stft: Stft,
    window: &'a [f32],
    /// The phases of the next output frame, as numbers on the unit circle.
    phases: Vec<Complex64>,
    /// Output frames from `first` to before `end`, each of [`BINS`] real and imaginary parts.
    first: usize,
    end: usize,
    re: Vec<f32>,
    im: Vec<f32>,
}

impl<'a> Vocoder<'a> {
    fn new(samples: &'a [f32], rate: f64, stft: Stft, window: &'a [f32]) -> Result<Self> {
        let mut vocoder = Vocoder {
            samples,
            rate,
            stft,
            window,
            phases: Vec::new(),
            first: 0,
            end: 0,
            re: Vec::new(),
            im: Vec::new(),
        };
        let spectrum = vocoder.spectra(0, 1)?;
        vocoder.phases = spectrum.into_iter().map(direction).collect();
        Ok(vocoder)
    }

    /// Output frames in all.
    fn frames(&self) -> usize {
        (self.stft.frames() as f64 / self.rate).ceil() as usize
    }

    /// Forgets the frames before `first` and makes those up to `end`.
    fn go_on(&mut self, first: usize, end: usize) -> Result<()> {
        let forget = (first - self.first).min(self.end - self.first) * BINS;
        self.re.drain(..forget);
        self.im.drain(..forget);
        self.first = first;
        if self.end >= end {
            return Ok(());
        }
        let last = self.stft.frames() - 1;
        let place = |frame: usize| (frame as f64 * self.rate).min(last as f64 + 1.0);
        // Beyond the last frame magnitudes go on along the line through the last two.
        let from = (place(self.end) as usize).min(last.saturating_sub(1));
        let to = last.min(place(end - 1) as usize + 1) + 1;
        let spectra = self.spectra(from, to)?;
        for frame in self.end..end {
            let place = place(frame);
            let now = (place as usize).min(last);
            let below = now.min(last.saturating_sub(1));
            let share = place - below as f64;
            let row = |frame: usize| &spectra[(frame - from) * BINS..][..BINS];
            let (now, next) = (row(now), row(last.min(now + 1)));
            let (below, above) = (row(below), row(last.min(below + 1)));
            for (bin, phase) in self.phases.iter_mut().enumerate() {
                let (low, high) = (below[bin].norm_sqr().sqrt(), above[bin].norm_sqr().sqrt());
                let value = (low + share * (high - low)) * *phase;
                self.re.push(value.re as f32);
                self.im.push(value.im as f32);
                *phase *= direction(next[bin]) * direction(now[bin]).conj();
            }
        }
        self.end = end;
        Ok(())
    }

    /// The input's frames from one to before another.
    fn spectra(&self, from: usize, to: usize) -> Result<Vec<Complex64>> {
        let values = overlap::spectra(self.samples, &self.stft, self.window, from..to)?;
        let complex = |z: &[f32]| Complex64::new(z[0].into(), z[1].into());
        Ok(values.chunks_exact(2).map(complex).collect())
    }
}

/// `z / |z|`: its phase. That of 0 is 0.
fn direction(z: Complex64) -> Complex64 {
    // Not `norm`, which guards against overflow that sound cannot reach, slowly.
    match z.norm_sqr().sqrt() {
        0.0 => Complex64::new(1.0, 0.0),
        norm => z / norm,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::abs_diff_eq;
    use proptest::prelude::*;
    use std::f64::consts::TAU;

    fn tone(cycles: f64, length: usize) -> Vec<f32> {
        let sample = |i: usize| (TAU * cycles * i as f64).sin() as f32 * 0.5;
        (0..length).map(sample).collect()
    }

    /// How much of a frequency (in cycles a sample) there is in the middle half.
    fn share(samples: &[f32], cycles: f64) -> f64 {
        let middle = &samples[samples.len() / 4..samples.len() * 3 / 4];
        let (mut re, mut im) = (0.0, 0.0);
        for (i, sample) in middle.iter().enumerate() {
            let angle = TAU * cycles * i as f64;
            re += f64::from(*sample) * angle.cos();
            im += f64::from(*sample) * angle.sin();
        }
        2.0 * (re * re + im * im).sqrt() / middle.len() as f64
    }

    #[test]
    fn a_tone_keeps_its_pitch() {
        // Slowed down, it has librosa's level too: less than it had.
        for (rate, level) in [(0.25, 0.1804), (0.7, 0.4544), (1.3, 0.5000), (3.0, 0.4981)] {
            let stretched = time_stretch(&tone(0.02, 60_000), rate).unwrap();
            assert_eq!(stretched.len(), (60_000.0 / rate).round() as usize);
            let measured = share(&stretched, 0.02);
            assert!(
                abs_diff_eq!(measured, level, epsilon = 1e-3),
                "{rate}: {measured}"
            );
            assert!(share(&stretched, 0.02 * rate) < 0.01, "{rate}");
        }
    }

    #[test]
    fn a_rate_of_one_changes_nothing() {
        let sound: Vec<f32> = (0..30_000).map(|i| ((i * i) as f32 * 1e-4).sin()).collect();
        let same = time_stretch(&sound, 1.0).unwrap();
        let worst = same.iter().zip(&sound).map(|(a, b)| (a - b).abs());
        let worst = worst.fold(0.0, f32::max);
        assert!(worst < 1e-5, "{worst}");
    }

    #[test]
    fn pieces_join_without_a_seam() {
        // A tone that goes on for three pieces has the same level throughout.
        let stretched = time_stretch(&tone(0.01, PIECE * HOP * 3), 1.25).unwrap();
        let loudest = |part: &[f32]| part.iter().fold(0f32, |m, s| m.max(s.abs()));
        for part in stretched[N_FFT..stretched.len() - N_FFT].chunks_exact(HOP) {
            assert!(
                abs_diff_eq!(loudest(part), 0.5, epsilon = 0.01),
                "{}",
                loudest(part)
            );
        }
        let again = time_stretch(&tone(0.01, PIECE * HOP * 3), 1.25).unwrap();
        assert_eq!(stretched, again);
    }

    #[test]
    fn rates_that_are_none_are_refused() {
        for rate in [0.0, -1.0, 0.01, 17.0, f64::NAN, f64::INFINITY] {
            let error = time_stretch(&[0.0; 100], rate).unwrap_err();
            assert!(error.to_string().contains("rate"), "{error}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn any_length_is_stretched(length in 0usize..5000, rate in 0.0625f64..16.0) {
            let stretched = time_stretch(&tone(0.01, length), rate).unwrap();
            prop_assert_eq!(stretched.len(), (length as f64 / rate).round_ties_even() as usize);
            prop_assert!(stretched.iter().all(|s| s.abs() < 5.0));
        }
    }

    #[test]
    fn the_shortest_sounds_are_stretched() {
        for length in [0, 1, 2, 511, 512, 513, 2047] {
            for rate in [1.0 / 16.0, 0.5, 2.0, 16.0] {
                let stretched = time_stretch(&vec![0.5; length], rate).unwrap();
                let expected = (length as f64 / rate).round_ties_even() as usize;
                assert_eq!(stretched.len(), expected, "{length} at {rate}");
                assert!(stretched.iter().all(|s| s.is_finite()));
            }
        }
    }
}
