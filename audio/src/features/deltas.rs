//! Slopes over time, as further bands: first all bands, then their slopes, then those slopes' slopes.
//!
//! `librosa.feature.delta(width=9)`: the first and second derivative of a line and a parabola through nine frames;
//! the four frames at either end have those of the first and the last nine. torchaudio and HTK take lines through five
//! frames, beyond the ends of which the outermost one is repeated, and of these again for the second.

use super::output::Features;
use super::preset::Preset;
use super::settings::FeatureSettings;
use crate::error::{Error, Result};

/// Frames on either side of the one whose slope is taken.
const SIDE: usize = 4;
const WIDTH: usize = 2 * SIDE + 1;

/// What each of the frames counts, from the first on.
fn weights(order: usize) -> [f32; WIDTH] {
    let n = |i: usize| i as f32 - SIDE as f32;
    let squares: f32 = (0..WIDTH).map(|i| n(i).powi(2)).sum();
    if order == 1 {
        return std::array::from_fn(|i| n(i) / squares);
    }
    // The parabola's n² without its mean stands at right angles to the constant and the line.
    let bow = |i: usize| n(i).powi(2) - squares / WIDTH as f32;
    let length: f32 = (0..WIDTH).map(|i| bow(i).powi(2)).sum();
    std::array::from_fn(|i| 2.0 * bow(i) / length)
}

/// The features with as many orders of slopes as the settings ask for.
///
/// # Errors
/// [`Error::Settings`] under librosa's preset for fewer than nine frames.
pub(super) fn append(mut features: Features, settings: &FeatureSettings) -> Result<Features> {
    let (bands, frames) = (features.bands, features.frames);
    if settings.deltas == 0 {
        return Ok(features);
    }
    let librosa = settings.preset == Preset::Librosa;
    if librosa && frames < WIDTH {
        return Err(Error::Settings(format!(
            "deltas need {WIDTH} frames, the clip has {frames}"
        )));
    }
    let size = bands * frames;
    for order in 1..=settings.deltas {
        // librosa's second slopes are of the features, the others' of the first slopes.
        let from = if librosa { 0 } else { order - 1 };
        let rows = features.values[from * size..][..size].to_vec();
        for row in rows.chunks_exact(frames) {
            match librosa {
                true => features.values.extend(smooth(row, &weights(order))),
                false => features.values.extend(plain(row)),
            }
        }
    }
    features.bands *= 1 + settings.deltas;
    Ok(features)
}

/// At least nine frames.
fn smooth(row: &[f32], weights: &[f32; WIDTH]) -> Vec<f32> {
    let slope = |t: usize| {
        let first = t.clamp(SIDE, row.len() - 1 - SIDE) - SIDE;
        let values = &row[first..first + WIDTH];
        values.iter().zip(weights).map(|(v, w)| v * w).sum::<f32>()
    };
    (0..row.len()).map(slope).collect()
}

fn plain(row: &[f32]) -> Vec<f32> {
    let last = row.len() - 1;
    let step = |t: usize, n: usize| row[(t + n).min(last)] - row[t.saturating_sub(n)];
    let slope = |t: usize| (step(t, 1) + 2.0 * step(t, 2)) / 10.0;
    (0..row.len()).map(slope).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::abs_diff_eq;

    #[test]
    fn a_parabola_has_its_slopes() {
        let row = |f: fn(f32) -> f32| (0..20).map(|t| f(t as f32)).collect::<Vec<_>>();
        let features = Features {
            bands: 2,
            frames: 20,
            values: [row(|t| 3.0 * t - 7.0), row(|t| t * t)].concat(),
        };
        let settings = FeatureSettings {
            deltas: 2,
            ..FeatureSettings::default()
        };
        let all = append(features.clone(), &settings).unwrap();
        assert_eq!((all.bands, all.frames), (6, 20));
        let near = |band: usize, t: usize, expected: f32| {
            let found = all.values[band * 20 + t];
            assert!(
                abs_diff_eq!(found, expected, epsilon = 1e-3),
                "{band}, {t}: {found}"
            );
        };
        for t in 0..20 {
            near(2, t, 3.0);
            near(3, t, 2.0 * t.clamp(4, 15) as f32);
            near(4, t, 0.0);
            near(5, t, 2.0);
        }
        let torchaudio = FeatureSettings {
            deltas: 2,
            ..FeatureSettings::of(Preset::Torchaudio)
        };
        let other = append(features.clone(), &torchaudio).unwrap();
        for (band, expected) in [(2, 3.0), (3, 20.0), (5, 2.0)] {
            let found = other.values[band * 20 + 10];
            assert!(
                abs_diff_eq!(found, expected, epsilon = 1e-4),
                "{band}: {found}"
            );
        }
        let short = Features {
            frames: 5,
            values: vec![0.0; 10],
            ..features
        };
        let error = append(short, &settings).unwrap_err().to_string();
        assert!(error.contains("9 frames, the clip has 5"), "{error}");
    }
}
