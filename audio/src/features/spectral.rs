//! The shape of a spectrum as one number a frame, after librosa: of magnitudes, at its defaults.
//!
//! | kind | `librosa.feature.…` |
//! | --- | --- |
//! | `spectral_centroid` | `Σ f·S / Σ S`, in Hz |
//! | `spectral_bandwidth` | `√(Σ (f - centroid)²·S / Σ S)`, in Hz |
//! | `spectral_rolloff` | the lowest frequency up to which 85 % of ΣS lie, in Hz |
//! | `spectral_flatness` | the powers' geometric over their arithmetic mean, each at least 1e-10: 1 is noise |
//! | `poly_features` | slope (per Hz) and height at 0 Hz of the line that fits the magnitudes best |
//!
//! Of silence the first three are 0 Hz.

use super::definition::{Definition, How};
use super::sound::Sound;
use kernels::stft::Spectrum;

const fn of(unit: &'static str, compute: fn(&Sound<'_>) -> crate::Result<Vec<f32>>) -> Definition {
    Definition {
        unit,
        how: How::Sound(compute),
        ..Definition::FRAMES
    }
}

pub(super) const CENTROID: Definition = of("Hz", |sound| {
    let hz = sound.hz_per_bin();
    Ok(sound.one_per_spectrum(Spectrum::Magnitude, |s| hz * moments(s).0))
});

pub(super) const BANDWIDTH: Definition = of("Hz", |sound| {
    let hz = sound.hz_per_bin();
    Ok(sound.one_per_spectrum(Spectrum::Magnitude, |s| hz * moments(s).1.sqrt()))
});

pub(super) const ROLLOFF: Definition = of("Hz", |sound| {
    let hz = sound.hz_per_bin();
    Ok(sound.one_per_spectrum(Spectrum::Magnitude, |s| hz * rolloff(s) as f64))
});

pub(super) const FLATNESS: Definition = of("", |sound| {
    Ok(sound.per_exact_spectrum(1, |s, out| out[0] = flatness(s) as f32))
});

pub(super) const POLY: Definition = Definition {
    bands: |_| 2,
    ..of("", |sound| {
        let hz = sound.hz_per_bin();
        Ok(sound.per_spectrum(Spectrum::Magnitude, 2, |s, out| {
            let (slope, height) = line(s);
            out.copy_from_slice(&[(slope / hz) as f32, height as f32]);
        }))
    })
};

/// The share of the magnitudes that lies below the rolloff.
const ROLL_PERCENT: f32 = 0.85;

/// The least power that [`flatness`] counts.
const LEAST_POWER: f32 = 1e-10;

/// The sum of `of(k, S[k])`, in eight sums side by side.
fn sum(spectrum: &[f32], of: impl Fn(f64, f64) -> f64) -> f64 {
    let mut lanes = [0.0; 8];
    for (block, values) in spectrum.chunks(8).enumerate() {
        for (i, (lane, value)) in lanes.iter_mut().zip(values).enumerate() {
            *lane += of((8 * block + i) as f64, f64::from(*value));
        }
    }
    lanes.iter().sum()
}

/// Mean and variance of the bin's number, weighted with the magnitudes; of silence 0.
fn moments(magnitudes: &[f32]) -> (f64, f64) {
    let total = sum(magnitudes, |_, s| s);
    if total < f64::from(f32::MIN_POSITIVE) {
        return (0.0, 0.0);
    }
    let centroid = sum(magnitudes, |k, s| k * s) / total;
    let spread = sum(magnitudes, |k, s| (k - centroid).powi(2) * s) / total;
    (centroid, spread)
}

/// In f32 and in order, as numpy's `cumsum`: where the threshold is met narrowly, it is met at the same bin.
fn rolloff(magnitudes: &[f32]) -> usize {
    let total = magnitudes.iter().fold(0.0f32, |sum, s| sum + s);
    let mut sum = 0.0;
    let reached = |s: &f32| {
        sum += s;
        sum >= ROLL_PERCENT * total
    };
    magnitudes.iter().position(reached).unwrap_or(0)
}

fn flatness(magnitudes: &[f32]) -> f64 {
    let n = magnitudes.len() as f64;
    let power = |s: &f32| f64::from((s * s).max(LEAST_POWER));
    let mean = magnitudes.iter().map(power).sum::<f64>() / n;
    let logarithms = magnitudes.iter().map(|s| power(s).ln());
    (logarithms.sum::<f64>() / n).exp() / mean
}

/// Slope, per bin, and height at the first of the least squares' line.
fn line(magnitudes: &[f32]) -> (f64, f64) {
    let n = magnitudes.len() as f64;
    let middle = (n - 1.0) / 2.0;
    let slope = sum(magnitudes, |k, s| (k - middle) * s) / (n * (n * n - 1.0) / 12.0);
    (slope, sum(magnitudes, |_, s| s) / n - slope * middle)
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::{abs_diff_eq, assert_abs_diff_eq};

    #[test]
    fn one_line_has_its_place_and_no_width() {
        let mut peak = vec![0.0; 21];
        peak[13] = 3.0;
        assert_eq!(moments(&peak), (13.0, 0.0));
        assert_eq!(rolloff(&peak), 13);
        assert!(flatness(&peak) < 1e-8);
        assert_abs_diff_eq!(flatness(&[0.5; 21]), 1.0, epsilon = 1e-6);
        assert!(
            abs_diff_eq!(flatness(&[0.0; 21]), 1.0, epsilon = 1e-6),
            "silence is flat"
        );
        assert_eq!((moments(&[0.0; 21]), rolloff(&[0.0; 21])), ((0.0, 0.0), 0));
        assert_eq!(moments(&[1.0; 21]).0, 10.0);
        assert_eq!(rolloff(&[1.0; 100]), 84);
        let ramp: Vec<f32> = (0..33).map(|k| 7.0 - 0.5 * k as f32).collect();
        let (slope, height) = line(&ramp);
        assert!((slope + 0.5).abs() < 1e-12 && (height - 7.0).abs() < 1e-12);
    }
}
