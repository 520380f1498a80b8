//! Slopes over time, as further bands: first all bands, then their slopes, then those slopes' slopes.
//!
//! `librosa.feature.delta(width=9)`: the first and second derivative of a line and a parabola through nine frames;
//! the four frames at either end have those of the first and the last nine.

use super::Features;
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
/// [`Error::Settings`] for fewer than nine frames.
pub(super) fn append(mut features: Features, settings: &FeatureSettings) -> Result<Features> {
    let (bands, frames) = (features.bands, features.frames);
    if settings.deltas == 0 {
        return Ok(features);
    }
    if frames < WIDTH {
        return Err(Error::Settings(format!(
            "deltas need {WIDTH} frames, the clip has {frames}"
        )));
    }
    for order in 1..=settings.deltas {
        let weights = weights(order);
        for band in 0..bands {
            let row = features.values[band * frames..][..frames].to_vec();
            features.values.extend((0..frames).map(|t| {
                let first = t.clamp(SIDE, frames - 1 - SIDE) - SIDE;
                let values = &row[first..first + WIDTH];
                values.iter().zip(weights).map(|(v, w)| v * w).sum::<f32>()
            }));
        }
    }
    features.bands *= 1 + settings.deltas;
    Ok(features)
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert!((found - expected).abs() < 1e-3, "{band}, {t}: {found}");
        };
        for t in 0..20 {
            near(2, t, 3.0);
            near(3, t, 2.0 * t.clamp(4, 15) as f32);
            near(4, t, 0.0);
            near(5, t, 2.0);
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
