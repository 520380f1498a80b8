//! Statistics over all frames of a band: they turn features over time into one row of a table.
//!
//! Those of `numpy` and `scipy.stats`: over all values, with no correction for their number; a kurtosis of 0 is the
//! normal distribution's. Skew and kurtosis of a band that never changes are 0.

use super::names::by_name;
use super::output::Features;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Statistic over all frames of a band.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Statistic {
    /// Mean.
    Mean,
    /// Variance.
    Var,
    /// Standard deviation.
    Std,
    /// Skewness: third standardised moment.
    Skew,
    /// Excess kurtosis: fourth standardised moment, less 3.
    Kurtosis,
    /// Median.
    Median,
    /// Minimum.
    Min,
    /// Maximum.
    Max,
}

impl Statistic {
    /// All statistics.
    pub const ALL: [Statistic; 8] = [
        Statistic::Mean,
        Statistic::Var,
        Statistic::Std,
        Statistic::Skew,
        Statistic::Kurtosis,
        Statistic::Median,
        Statistic::Min,
        Statistic::Max,
    ];

    /// Returns the name in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Statistic::Mean => "mean",
            Statistic::Var => "var",
            Statistic::Std => "std",
            Statistic::Skew => "skew",
            Statistic::Kurtosis => "kurtosis",
            Statistic::Median => "median",
            Statistic::Min => "min",
            Statistic::Max => "max",
        }
    }

    /// Returns the statistic of these values; 0 if there are none.
    pub fn of(self, values: &[f32]) -> f32 {
        if values.is_empty() {
            return 0.0;
        }
        let n = values.len() as f64;
        let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
        let moment = |power: i32| {
            let sum: f64 = values
                .iter()
                .map(|&v| (f64::from(v) - mean).powi(power))
                .sum();
            sum / n
        };
        // If all values are equal, rounding of the mean leaves a small difference.
        let spread = |power: i32| match moment(2) {
            var if var <= (f64::EPSILON * mean).powi(2) => None,
            var => Some(moment(power) / var.powf(f64::from(power) / 2.0)),
        };
        let figure = match self {
            Statistic::Mean => mean,
            Statistic::Var => moment(2),
            Statistic::Std => moment(2).sqrt(),
            Statistic::Skew => spread(3).unwrap_or(0.0),
            Statistic::Kurtosis => spread(4).map_or(0.0, |k| k - 3.0),
            Statistic::Median => median(&mut values.to_vec()).into(),
            Statistic::Min => values.iter().copied().fold(f32::INFINITY, f32::min).into(),
            Statistic::Max => {
                let max = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                max.into()
            }
        };
        figure as f32
    }
}

by_name!(Statistic, "statistic");

/// Returns the median; of an even number of values the mean of the middle two. Reorders the values.
///
/// # Panics
/// If there are no values.
pub(super) fn median(values: &mut [f32]) -> f32 {
    let (half, odd) = (values.len() / 2, values.len() % 2 == 1);
    let (lower, middle, _) = values.select_nth_unstable_by(half, f32::total_cmp);
    if odd {
        return *middle;
    }
    let below = lower.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    0.5 * (below + *middle)
}

/// Returns one frame: each statistic of all bands in turn. Without statistics, the features unchanged.
pub(super) fn summarise(features: Features, statistics: &[Statistic]) -> Features {
    if statistics.is_empty() {
        return features;
    }
    let rows = || features.values.chunks_exact(features.frames.max(1));
    let values: Vec<f32> = statistics
        .iter()
        .flat_map(|statistic| rows().map(|row| statistic.of(row)))
        .collect();
    Features {
        bands: values.len(),
        frames: 1,
        values,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::abs_diff_eq;

    /// `scipy.stats.skew([1, 2, 4, 9, 7.5])` and so on, scipy 1.18.
    #[test]
    fn figures_are_those_of_numpy_and_scipy() {
        let values = [1.0, 2.0, 4.0, 9.0, 7.5];
        for (statistic, expected) in [
            (Statistic::Mean, 4.7),
            (Statistic::Var, 9.56),
            (Statistic::Std, 3.091_925),
            (Statistic::Skew, 0.208_262_83),
            (Statistic::Kurtosis, -1.590_391_4),
            (Statistic::Median, 4.0),
            (Statistic::Min, 1.0),
            (Statistic::Max, 9.0),
        ] {
            let found = statistic.of(&values);
            assert!(
                abs_diff_eq!(found, expected, epsilon = 1e-6),
                "{statistic}: {found}"
            );
        }
        assert_eq!(Statistic::Median.of(&[4.0, 1.0, 3.0, 2.0]), 2.5);
        for statistic in Statistic::ALL {
            assert_eq!(statistic.of(&[]), 0.0);
            let same = statistic.of(&[0.1; 1000]);
            let expected = match statistic {
                Statistic::Mean | Statistic::Median | Statistic::Min | Statistic::Max => 0.1,
                _ => 0.0,
            };
            assert!(
                abs_diff_eq!(same, expected, epsilon = 1e-6),
                "{statistic}: {same}"
            );
        }
    }

    #[test]
    fn medians_of_even_and_odd_counts() {
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&mut [4.0, 1.0, 2.0, 8.0]), 3.0);
        assert_eq!(median(&mut [-1.0]), -1.0);
    }

    #[test]
    fn statistics_stand_one_after_the_other() {
        let features = Features {
            bands: 2,
            frames: 2,
            values: vec![1.0, 3.0, 10.0, 20.0],
        };
        let row = summarise(features.clone(), &[Statistic::Max, Statistic::Mean]);
        assert_eq!((row.bands, row.frames), (4, 1));
        assert_eq!(row.values, [3.0, 20.0, 2.0, 15.0]);
        assert_eq!(summarise(features.clone(), &[]), features);
    }
}
