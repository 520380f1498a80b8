//! Decoded audio.

use crate::error::{Error, Result};
use kernels::vectorized;

/// Decoded audio: one channel, full scale at ±1 (float files may go beyond).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Clip {
    /// Samples, `1 / sample_rate` seconds apart.
    pub samples: Vec<f32>,
    /// Samples per second.
    pub sample_rate: u32,
}

impl Clip {
    /// Largest magnitude of a sample. Beyond it, a spectrum's squares would overflow f32.
    pub const LOUDEST: f32 = 1e6;

    /// Length in seconds.
    pub fn seconds(&self) -> f64 {
        self.samples.len() as f64 / f64::from(self.sample_rate.max(1))
    }

    /// Checks that no sample is NaN, infinite, or beyond [`Clip::LOUDEST`]. `name` is the file's name in the error.
    ///
    /// # Errors
    /// [`Error::NotFinite`].
    pub fn check(&self, name: &str) -> Result<()> {
        Self::check_samples(&self.samples, 0, name)
    }

    /// [`Clip::check`] for samples of which the first has the index `first`.
    pub(crate) fn check_samples(samples: &[f32], first: u64, name: &str) -> Result<()> {
        if any_bad(samples)
            && let Some(index) = samples.iter().position(is_bad)
        {
            return Err(Error::NotFinite {
                name: name.into(),
                index: first + index as u64,
                value: samples[index],
            });
        }
        Ok(())
    }
}

/// Whether a sample is NaN, infinite or too large.
#[inline(always)]
fn is_bad(sample: &f32) -> bool {
    sample.is_nan() | (sample.abs() > Clip::LOUDEST)
}

vectorized! {
    fn any_bad(samples: &[f32]) -> bool {
        // No early exit: it would prevent vectorization.
        samples.iter().fold(0, |bad, s| bad | u32::from(is_bad(s))) > 0
    }
}
