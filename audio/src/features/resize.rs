//! Changing the size of features, to what a network wants.

use super::output::Features;
use crate::error::{Error, Result};

impl Features {
    /// The same picture with `frames` columns.
    ///
    /// Shrinking averages: each new column is the mean of the stretch of old ones that it covers, parts of columns
    /// counting as parts. Growing interpolates linearly between the old columns' centres; the outer ones are held.
    ///
    /// # Errors
    /// [`Error::Settings`] where one of the sizes is 0, or `values` is not `bands · frames` long.
    pub fn resize_frames(&self, frames: usize) -> Result<Features> {
        self.resize(self.bands, frames)
    }

    /// The same picture with `bands` rows and `frames` columns, each axis as in [`Features::resize_frames`].
    ///
    /// # Errors
    /// As [`Features::resize_frames`].
    pub fn resize(&self, bands: usize, frames: usize) -> Result<Features> {
        let refuse = |why: &str| {
            let (b, f, n) = (self.bands, self.frames, self.values.len());
            Err(Error::Settings(format!(
                "cannot resize {b}×{f} features ({n} values) to {bands}×{frames}: {why}"
            )))
        };
        if [self.bands, self.frames, bands, frames].contains(&0) {
            return refuse("a side is 0");
        }
        if self.bands.checked_mul(self.frames) != Some(self.values.len()) {
            return refuse("the values do not fill the sides");
        }
        if bands.checked_mul(frames).is_none_or(|n| n > 1 << 31) {
            return refuse("too large");
        }
        let mut values = Vec::with_capacity(self.bands * frames);
        let columns = weights(self.frames, frames);
        for row in self.values.chunks_exact(self.frames) {
            values.extend(
                columns
                    .iter()
                    .map(|c| c.iter().map(|&(at, w)| w * row[at]).sum::<f32>()),
            );
        }
        if bands != self.bands {
            let mut rows = vec![0.0; bands * frames];
            for (row, parts) in rows
                .chunks_exact_mut(frames)
                .zip(weights(self.bands, bands))
            {
                for (at, w) in parts {
                    row.iter_mut()
                        .zip(&values[at * frames..])
                        .for_each(|(sum, v)| *sum += w * v);
                }
            }
            values = rows;
        }
        Ok(Features {
            bands,
            frames,
            values,
        })
    }
}

/// For each of `new` positions the old ones that it is made of, with weights that sum up to 1; neither number is 0.
pub(super) fn weights(old: usize, new: usize) -> Vec<Vec<(usize, f32)>> {
    let ratio = old as f64 / new as f64;
    let position = |i: usize| -> Vec<(usize, f32)> {
        if new < old {
            let (from, to) = (i as f64 * ratio, (i + 1) as f64 * ratio);
            let covered = |at: usize| (to.min((at + 1) as f64) - from.max(at as f64)) / ratio;
            (from as usize..(to.ceil() as usize).min(old))
                .map(|at| (at, covered(at).max(0.0) as f32))
                .collect()
        } else {
            let centre = ((i as f64 + 0.5) * ratio - 0.5).clamp(0.0, (old - 1) as f64);
            let (at, share) = (centre as usize, centre.fract() as f32);
            match share {
                0.0 => vec![(at, 1.0)],
                _ => vec![(at, 1.0 - share), ((at + 1).min(old - 1), share)],
            }
        }
    };
    (0..new).map(position).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::abs_diff_eq;
    use proptest::prelude::*;

    fn row(values: &[f32]) -> Features {
        Features {
            bands: 1,
            frames: values.len(),
            values: values.to_vec(),
        }
    }

    #[test]
    fn shrinking_averages_and_growing_interpolates() {
        assert_eq!(
            row(&[1.0, 3.0, 5.0, 7.0]).resize_frames(2).unwrap().values,
            [2.0, 6.0]
        );
        let third = row(&[3.0, 6.0, 9.0]).resize_frames(2).unwrap().values;
        assert!(
            (third[0] - 4.0).abs() < 1e-6 && (third[1] - 8.0).abs() < 1e-6,
            "{third:?}"
        );
        assert_eq!(
            row(&[0.0, 4.0]).resize_frames(4).unwrap().values,
            [0.0, 1.0, 3.0, 4.0]
        );
        assert_eq!(row(&[5.0]).resize_frames(3).unwrap().values, [5.0; 3]);
        let square = Features {
            bands: 2,
            frames: 2,
            values: vec![1.0, 2.0, 3.0, 4.0],
        };
        assert_eq!(square.resize(1, 1).unwrap().values, [2.5]);
        assert_eq!(square.resize(2, 2).unwrap(), square);
    }

    #[test]
    fn impossible_sizes_are_refused() {
        let message = row(&[1.0]).resize_frames(0).unwrap_err().to_string();
        assert!(
            message.contains("1×1 features (1 values) to 1×0: a side is 0"),
            "{message}"
        );
        let broken = Features {
            bands: 2,
            frames: 2,
            values: vec![0.0; 3],
        };
        assert!(
            broken
                .resize(1, 1)
                .unwrap_err()
                .to_string()
                .contains("do not fill")
        );
        assert!(row(&[1.0]).resize(1 << 40, 1 << 40).is_err());
    }

    proptest! {
        #[test]
        fn weights_sum_to_one_and_keep_the_order_of_a_ramp(old in 1usize..300, new in 1usize..300) {
            for position in weights(old, new) {
                let sum: f32 = position.iter().map(|(_, w)| w).sum();
                prop_assert!(abs_diff_eq!(sum, 1.0, epsilon = 1e-5));
                prop_assert!(position.iter().all(|&(at, w)| at < old && (0.0..=1.0).contains(&w)));
            }
            let ramp: Vec<f32> = (0..old).map(|i| i as f32).collect();
            let resized = row(&ramp).resize_frames(new).unwrap().values;
            prop_assert!(resized.is_sorted() && resized[0] >= 0.0 && resized[new - 1] <= (old - 1) as f32 + 1e-3);
        }
    }
}
