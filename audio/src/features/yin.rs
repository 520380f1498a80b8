//! Pitch by YIN (de Cheveigné and Kawahara 2002), as `librosa.yin` finds it from 1.0 on (0.10 compares half a frame
//! with the whole): the fundamental frequency of each frame in Hz, whether or not there is one.
//!
//! A periodic sound is like itself one period later. For each lag the squared difference between a frame and itself so
//! much later is divided by the mean over all shorter lags; the first lag at which this falls below 0.1 and then rises
//! is the period, otherwise the lag at which it is least. A parabola places it between samples.

use super::correlate::{differences, padding};
use super::definition::{Definition, How};
use super::overlap::under;
use super::settings::FeatureSettings;
use super::sound::Sound;
use crate::error::{Error, Result};
use kernels::cpu::{Disjoint, for_ranges};
use std::ops::RangeInclusive;

pub(super) const YIN: Definition = Definition {
    check: |settings| lags(settings).map(|_| ()),
    unit: "Hz",
    how: How::Sound(yin),
    ..Definition::FRAMES
};

/// What counts as periodic.
const TROUGH: f32 = 0.1;

/// Where `fmin` and `fmax` are not set: C2 and C7, in Hz.
const LOWEST: f64 = 65.406_391_325_149_66;
const HIGHEST: f64 = 2_093.004_522_404_789;

/// Frames worth handing to another thread.
const FRAMES: usize = 16;

/// The periods looked for, in samples.
fn lags(settings: &FeatureSettings) -> Result<RangeInclusive<usize>> {
    let low = if settings.fmin == 0.0 {
        LOWEST
    } else {
        settings.fmin.into()
    };
    let high = settings.fmax.map_or(HIGHEST, f64::from);
    let (rate, n_fft) = (f64::from(settings.sample_rate), settings.n_fft);
    if !(low > 0.0 && low < high && high <= rate / 2.0) {
        return Err(Error::Settings(format!(
            "yin: fmin {low} to fmax {high} Hz is no range between 0 and {} Hz",
            rate / 2.0
        )));
    }
    if rate / low >= n_fft as f64 - 1.0 {
        return Err(Error::Settings(format!(
            "yin: a period of fmin {low} Hz does not fit n_fft {n_fft} at {rate} Hz"
        )));
    }
    Ok((rate / high).floor() as usize..=((rate / low).ceil() as usize).min(n_fft - 1))
}

fn yin(sound: &Sound<'_>) -> Result<Vec<f32>> {
    let lags = lags(sound.settings)?;
    let stft = sound.settings.stft(sound.samples.len());
    let mut values = vec![0.0; stft.frames()];
    let shared = Disjoint::new(&mut values);
    for_ranges(stft.frames(), FRAMES, |range| {
        // SAFETY: the ranges do not overlap.
        let out = unsafe { shared.slice(range.clone()) };
        let mut difference = vec![0.0; lags.end() + 1];
        for (t, out) in range.zip(out) {
            let from = (t * stft.hop) as isize - stft.pad() as isize;
            let mut frame = under(sound.samples, from, stft.n_fft).into_owned();
            frame.resize(stft.n_fft + padding(difference.len()), 0.0);
            differences(&frame, stft.n_fft, &mut difference);
            let period = period(&mut difference, lags.clone());
            *out = (f64::from(sound.settings.sample_rate) / period) as f32;
        }
    });
    Ok(values)
}

/// The period in samples. Divides the differences by the mean up to each.
fn period(difference: &mut [f32], lags: RangeInclusive<usize>) -> f64 {
    let mut sum = 0.0f32;
    for (lag, d) in difference.iter_mut().enumerate().skip(1) {
        sum += *d;
        *d /= sum / lag as f32 + f32::MIN_POSITIVE;
    }
    let first = *lags.start();
    let d = &difference[lags];
    let is_trough = |i: usize| {
        let falls = i == 0 || d[i] < d[i - 1];
        let rises = match d.get(i + 1) {
            // The first has nothing before it, and must be less than what follows.
            Some(next) => {
                if i == 0 {
                    d[i] < *next
                } else {
                    d[i] <= *next
                }
            }
            None => true,
        };
        falls && rises && d[i] < TROUGH
    };
    let least = || (0..d.len()).fold(0, |best, i| if d[i] < d[best] { i } else { best });
    let at = (0..d.len()).find(|i| is_trough(*i)).unwrap_or_else(least);
    (first + at) as f64 + f64::from(shift(d, at))
}

/// How far from `at` a parabola through three values has its extreme; 0 at the ends, or where that is farther than 1.
pub(super) fn shift(d: &[f32], at: usize) -> f32 {
    let (Some(before), Some(after)) = (at.checked_sub(1).map(|i| d[i]), d.get(at + 1)) else {
        return 0.0;
    };
    let bow = after + before - 2.0 * d[at];
    let slope = (after - before) / 2.0;
    if slope.abs() >= bow.abs() {
        0.0
    } else {
        -slope / bow
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::abs_diff_eq;

    #[test]
    fn tones_have_their_pitch_and_silence_does_no_harm() {
        let settings = FeatureSettings::default();
        for hz in [70.0, 110.0, 261.6, 1234.0] {
            let wave = |n: usize| (std::f64::consts::TAU * hz * n as f64 / 22_050.0).sin();
            let samples: Vec<f32> = (0..11_025)
                .map(|n| (wave(n) + 0.3 * wave(3 * n)) as f32)
                .collect();
            let found = yin(&Sound {
                samples: &samples,
                settings: &settings,
            })
            .unwrap();
            let middle = f64::from(found[found.len() / 2]);
            assert!(
                abs_diff_eq!(middle / hz, 1.0, epsilon = 5e-3),
                "{hz}: {middle}"
            );
        }
        let silence = yin(&Sound {
            samples: &[0.0; 100],
            settings: &settings,
        })
        .unwrap();
        assert!(silence.iter().all(|hz| *hz > 0.0 && hz.is_finite()));
    }

    #[test]
    fn ranges_that_do_not_fit_are_refused() {
        for (change, expected) in [
            (
                FeatureSettings {
                    n_fft: 256,
                    ..Default::default()
                },
                "does not fit n_fft 256",
            ),
            (
                FeatureSettings {
                    sample_rate: 4000,
                    ..Default::default()
                },
                "between 0 and 2000 Hz",
            ),
            (
                FeatureSettings {
                    fmin: 3000.0,
                    ..Default::default()
                },
                "fmin 3000 to fmax 2093",
            ),
            (
                FeatureSettings {
                    fmin: f32::NAN,
                    ..Default::default()
                },
                "fmin NaN",
            ),
            (
                FeatureSettings {
                    n_fft: 0,
                    ..Default::default()
                },
                "does not fit n_fft 0",
            ),
        ] {
            let error = lags(&change).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
