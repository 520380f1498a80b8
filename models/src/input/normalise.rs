//! Normalisation of features.

use serde::{Deserialize, Serialize};

use crate::Error;

/// Kind of normalisation: by statistics of the training clips, or of each window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Normalise {
    /// No normalisation.
    None,
    /// One mean and one standard deviation for all values.
    #[default]
    Global,
    /// Mean and standard deviation per frequency band.
    Band,
    /// Mean and standard deviation of each window.
    Window,
}

/// Mean and standard deviation for normalisation: one pair, one per band, or computed per window; none leaves the
/// features unchanged.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Normalisation {
    /// Mean, which is subtracted.
    pub mean: Vec<f32>,
    /// Standard deviation, the divisor; never 0.
    pub deviation: Vec<f32>,
    /// Whether every window is normalised by its own mean and deviation.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub window: bool,
}

/// Lower bound of the deviation, so that a nearly constant band is not amplified.
pub(crate) const SMALLEST_DEVIATION: f64 = 1e-5;

/// Fits a [`Normalisation`] to a sequence of windows, in one pass and in f64.
#[derive(Debug, Clone)]
pub struct Fit {
    /// Count, mean and sum of squares by part (Chan's update keeps the digits that a plain sum of squares loses).
    sums: Vec<(f64, f64, f64)>,
    window: bool,
}

impl Fit {
    /// For windows of this many bands.
    #[must_use]
    pub fn new(kind: Normalise, bands: usize) -> Fit {
        let parts = match kind {
            Normalise::None | Normalise::Window => 0,
            Normalise::Global => 1,
            Normalise::Band => bands.max(1),
        };
        Fit {
            sums: vec![(0.0, 0.0, 0.0); parts],
            window: kind == Normalise::Window,
        }
    }

    /// Adds one window, `[bands, frames]`.
    pub fn add(&mut self, window: &[f32]) {
        let rows = window.len().div_ceil(self.sums.len().max(1)).max(1);
        for (values, (n, m, s)) in window.chunks(rows).zip(&mut self.sums) {
            let count = values.len() as f64;
            let mean = values.iter().map(|&value| f64::from(value)).sum::<f64>() / count;
            let squares = values
                .iter()
                .map(|&value| (f64::from(value) - mean).powi(2));
            let (total, delta) = (*n + count, mean - *m);
            *s += squares.sum::<f64>() + delta * delta * *n * count / total;
            *m += delta * count / total;
            *n = total;
        }
    }

    /// Returns the normalisation of all windows so far.
    #[must_use]
    pub fn finish(&self) -> Normalisation {
        let deviation =
            |&(n, _, s): &(f64, f64, f64)| (s / n.max(1.0)).sqrt().max(SMALLEST_DEVIATION) as f32;
        Normalisation {
            mean: self.sums.iter().map(|sum| sum.1 as f32).collect(),
            deviation: self.sums.iter().map(deviation).collect(),
            window: self.window,
        }
    }
}

impl Normalisation {
    /// No normalisation.
    pub const NONE: &'static Normalisation = &Normalisation {
        mean: Vec::new(),
        deviation: Vec::new(),
        window: false,
    };

    /// Normalises one window, `[bands, frames]`, in place.
    pub fn apply(&self, window: &mut [f32]) {
        if self.window {
            let mut own = Fit::new(Normalise::Global, 1);
            own.add(window);
            own.finish().apply(window);
        }
        let rows = window.len().div_ceil(self.mean.len().max(1)).max(1);
        for (values, (mean, deviation)) in window
            .chunks_mut(rows)
            .zip(self.mean.iter().zip(&self.deviation))
        {
            for value in values {
                *value = (*value - mean) / deviation;
            }
        }
    }

    /// Whether these figures fit a network whose input has this many bands.
    ///
    /// # Errors
    /// [`Error::Setting`] when there are neither none, nor one, nor one per band,
    /// or when one is not finite or 0.
    pub fn check(&self, bands: usize) -> Result<(), Error> {
        let (means, deviations) = (self.mean.len(), self.deviation.len());
        if means != deviations || ![0, 1, bands].contains(&means) {
            let reason = format!("{means} means and {deviations} deviations for {bands} bands");
            return Err(Error::setting("normalisation", reason));
        }
        let sound = self.mean.iter().all(|mean| mean.is_finite())
            && self.deviation.iter().all(|deviation| deviation.is_normal());
        if sound {
            Ok(())
        } else {
            Err(Error::setting(
                "normalisation",
                "a figure is 0 or no number",
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::abs_diff_eq;

    /// For windows of 4 bands.
    fn fit(kind: Normalise, windows: &[Vec<f32>]) -> Normalisation {
        let mut fit = Fit::new(kind, 4);
        windows.iter().for_each(|window| fit.add(window));
        fit.finish()
    }

    #[test]
    fn normalised_numbers_have_mean_0_and_deviation_1() {
        let windows: Vec<Vec<f32>> = (0..5)
            .map(|w| {
                (0..12)
                    .map(|i| (i as f32) * 3.0 + w as f32 - 80.0)
                    .collect()
            })
            .collect();
        for kind in [Normalise::Global, Normalise::Band] {
            let fitted = fit(kind, &windows);
            fitted.check(4).unwrap();
            let mut rows = vec![Vec::new(); 4];
            for window in &windows {
                let mut window = window.clone();
                fitted.apply(&mut window);
                for (row, values) in window.chunks(3).enumerate() {
                    rows[row].extend_from_slice(values);
                }
            }
            let groups = if kind == Normalise::Band {
                rows
            } else {
                vec![rows.concat()]
            };
            for values in groups {
                let mean: f32 = values.iter().sum::<f32>() / values.len() as f32;
                let variance: f32 = values
                    .iter()
                    .map(|value| (value - mean).powi(2))
                    .sum::<f32>()
                    / values.len() as f32;
                assert!(
                    mean.abs() < 1e-4 && (variance - 1.0).abs() < 1e-3,
                    "{kind:?}: {mean} {variance}"
                );
            }
        }
        let mut untouched = windows[0].clone();
        fit(Normalise::None, &windows).apply(&mut untouched);
        assert_eq!(untouched, windows[0]);
    }

    #[test]
    fn every_window_by_its_own_figures() {
        let fitted = fit(Normalise::Window, &[]);
        let json = serde_json::to_value(&fitted).unwrap();
        assert_eq!(
            serde_json::from_value::<Normalisation>(json).unwrap(),
            fitted
        );
        fitted.check(4).unwrap();
        for scale in [1.0, 100.0] {
            let mut window: Vec<f32> = [-1.0, 1.0, 3.0, 5.0].map(|v| v * scale + 7.0).to_vec();
            fitted.apply(&mut window);
            for (value, expected) in window.iter().zip([-3.0f32, -1.0, 1.0, 3.0]) {
                assert!(
                    abs_diff_eq!(*value, expected / 5f32.sqrt(), epsilon = 1e-6),
                    "{window:?}"
                );
            }
        }
        let mut silence = [3.0; 4];
        fitted.apply(&mut silence);
        assert_eq!(silence, [0.0; 4]);
    }

    #[test]
    fn silence_is_not_blown_up_and_wrong_figures_are_refused() {
        let silence = [-80.0f32; 12];
        let fitted = fit(Normalise::Band, &[silence.to_vec()]);
        let mut window = silence;
        fitted.apply(&mut window);
        assert!(window.iter().all(|value| *value == 0.0));
        assert!(fitted.check(5).is_err());
        assert!(
            Normalisation {
                mean: vec![0.0],
                deviation: vec![0.0],
                window: false,
            }
            .check(4)
            .is_err()
        );
        assert!(
            Normalisation {
                mean: vec![f32::NAN],
                deviation: vec![1.0],
                window: false,
            }
            .check(4)
            .is_err()
        );
    }
}
