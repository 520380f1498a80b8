//! Tempo estimation from onset strengths, as in `librosa.feature.tempo`.

use super::correlate::{padding, products};
use super::definition::{Definition, How};
use super::kind::Axis;
use super::onset::{Aggregate, of_sound};
use super::spectra::MEL;
use crate::error::{Error, Result};
use kernels::cpu::{Disjoint, for_ranges};

pub(super) const TEMPO: Definition = Definition {
    check: |settings| {
        (MEL.check)(settings)?;
        window_length(settings.sample_rate, settings.hop).map(|_| ())
    },
    bands: |_| 1,
    frames: |_, _| 1,
    axis: Axis::Table,
    unit: "beats per minute",
    how: How::Sound(|sound| {
        let strengths = of_sound(sound, Aggregate::Median)?;
        let found = tempo(&strengths, sound.settings.sample_rate, sound.settings.hop)?;
        Ok(vec![found as f32])
    }),
};

/// Length of the autocorrelation window, in seconds.
const SECONDS: u64 = 8;

/// The tempo that is thought likeliest before the sound is heard, in beats per minute; one octave away it is less
/// likely
/// by the factor e^-½.
const USUAL: f64 = 120.0;

/// Upper bound of the tempo.
const FASTEST: f64 = 320.0;

/// Maximum number of frames in [`SECONDS`]: the work grows with its third power.
const MOST_FRAMES: usize = 4096;

/// Minimum number of windows per thread.
const WINDOWS: usize = 64;

/// Returns the tempo of a signal in beats per minute, from its onset strengths in frames with a hop of `hop` samples.
///
/// Around every frame 8 seconds are correlated with themselves; the mean of these correlations, weighed with how
/// usual a
/// tempo is, is greatest at one beat's length. Silence gives the tempo nearest to 120.
///
/// # Errors
/// [`Error::Settings`] where there are no strengths, one is not finite, or 8 seconds are less than one frame or more
/// than
/// 4096.
pub fn tempo(strengths: &[f32], sample_rate: u32, hop: usize) -> Result<f64> {
    if strengths.is_empty() {
        return refuse("no onset strengths".into());
    }
    if let Some(at) = strengths.iter().position(|s| !s.is_finite()) {
        return refuse(format!("onset strength {at} is {}", strengths[at]));
    }
    let window = window_length(sample_rate, hop)?;
    let correlation = mean_correlation(strengths, window);
    let bpm = |lag: usize| 60.0 * f64::from(sample_rate) / (hop as f64 * lag as f64);
    let score = |lag: usize| {
        let octaves = (bpm(lag) / USUAL).log2();
        (1e6 * correlation[lag]).ln_1p() - 0.5 * octaves * octaves
    };
    // There is always one: 8 seconds are at least two frames.
    let first = (1..window).find(|lag| bpm(*lag) < FASTEST).unwrap_or(1);
    let better = |best: usize, lag: usize| if score(lag) > score(best) { lag } else { best };
    Ok(bpm((first + 1..window).fold(first, better)))
}

fn refuse<T>(what: String) -> Result<T> {
    Err(Error::Settings(format!("tempo: {what}")))
}

/// Frames in [`SECONDS`].
fn window_length(sample_rate: u32, hop: usize) -> Result<usize> {
    let samples = SECONDS * u64::from(sample_rate);
    match samples.checked_div(hop as u64) {
        Some(frames @ 2..) if frames <= MOST_FRAMES as u64 => Ok(frames as usize),
        _ => refuse(format!(
            "{SECONDS} s at {sample_rate} Hz must be 2 to {MOST_FRAMES} frames with hop {hop}"
        )),
    }
}

/// The mean over all frames of the correlation of the `window` strengths around each, under a Hann window, every
/// correlation scaled to a largest value of 1.
fn mean_correlation(strengths: &[f32], window: usize) -> Vec<f64> {
    let padded = ramped(strengths, window / 2);
    let hann: Vec<f32> = super::bank::hann(window);
    let groups = strengths.len().div_ceil(WINDOWS);
    // One sum for each group of windows, added up in their order: the result does not depend on the number of threads.
    let mut sums = vec![0f64; groups * window];
    let shared = Disjoint::new(&mut sums);
    for_ranges(strengths.len(), WINDOWS, |range| {
        let group = range.start / WINDOWS;
        // SAFETY: every group has sums of its own.
        let sums = unsafe { shared.slice(group * window..(group + 1) * window) };
        let mut frame = vec![0f32; window + padding(window)];
        let mut correlation = vec![0f32; window];
        for start in range {
            for ((frame, s), w) in frame
                .iter_mut()
                .zip(&padded[start..start + window])
                .zip(&hann)
            {
                *frame = s * w;
            }
            products(&frame, window, &mut correlation);
            let largest = correlation.iter().fold(0f32, |m, v| m.max(v.abs()));
            let scale = if largest < f32::MIN_POSITIVE {
                1.0
            } else {
                1.0 / f64::from(largest)
            };
            for (sum, value) in sums.iter_mut().zip(&correlation) {
                *sum += scale * f64::from(*value);
            }
        }
    });
    let mean = |lag: usize| {
        (0..groups).map(|g| sums[g * window + lag]).sum::<f64>() / strengths.len() as f64
    };
    (0..window).map(mean).collect()
}

/// The strengths with `length` more on each side, which rise from 0 to the first and fall from the last.
fn ramped(strengths: &[f32], length: usize) -> Vec<f32> {
    let ramp =
        |edge: f32| (0..length).map(move |i| (f64::from(edge) * i as f64 / length as f64) as f32);
    let (first, last) = (strengths[0], strengths[strengths.len() - 1]);
    ramp(first)
        .chain(strengths.iter().copied())
        .chain(ramp(last).rev())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::abs_diff_eq;

    /// A strength of 1 every `period` frames.
    fn pulse(frames: usize, period: usize) -> Vec<f32> {
        (0..frames)
            .map(|t| if t % period == 0 { 1.0 } else { 0.0 })
            .collect()
    }

    #[test]
    fn a_pulse_has_its_tempo() {
        for (period, hop) in [(20, 512), (22, 512), (30, 512), (43, 512), (38, 256)] {
            let expected = 60.0 * 22_050.0 / (hop * period) as f64;
            let found = tempo(&pulse(1000, period), 22_050, hop).unwrap();
            assert!(
                abs_diff_eq!(found / expected, 1.0, epsilon = 1e-9),
                "{period}: {found}, not {expected}"
            );
        }
    }

    #[test]
    fn silence_has_the_usual_tempo() {
        for strengths in [vec![0.0; 400], vec![0.0]] {
            let found = tempo(&strengths, 22_050, 512).unwrap();
            assert!(abs_diff_eq!(found, 117.45, epsilon = 0.01), "{found}");
        }
    }

    #[test]
    fn senseless_frames_are_refused() {
        for (strengths, sample_rate, hop, expected) in [
            (vec![], 22_050, 512, "no onset strengths"),
            (vec![0.0, f32::NAN], 22_050, 512, "onset strength 1 is NaN"),
            (
                vec![1.0],
                22_050,
                0,
                "8 s at 22050 Hz must be 2 to 4096 frames with hop 0",
            ),
            (vec![1.0], 22_050, 1, "hop 1"),
            (vec![1.0], 0, 512, "8 s at 0 Hz"),
            (vec![1.0], u32::MAX, usize::MAX, "hop 18446744073709551615"),
        ] {
            let error = tempo(&strengths, sample_rate, hop).unwrap_err().to_string();
            assert!(
                error.starts_with("feature settings: tempo: ") && error.contains(expected),
                "{error}"
            );
        }
    }

    #[test]
    fn extremes_are_borne() {
        assert!(tempo(&[f32::MAX; 300], 22_050, 512).unwrap() > 0.0);
        assert!(tempo(&[-1.0; 300], 22_050, 512).unwrap() > 0.0);
        assert!(tempo(&pulse(50, 7), 100, 400).unwrap() > 0.0);
    }
}
