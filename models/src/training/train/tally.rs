//! Counts an epoch's losses and correct predictions; explains which batch was too large.

use crate::Error;
use crate::evaluation::answers::{largest, log_softmax};

/// Sums of losses and correct predictions of an epoch.
#[derive(Debug, Default)]
pub(super) struct Tally {
    loss: f64,
    weight: f64,
    right: usize,
    count: usize,
}

impl Tally {
    /// Adds a batch; returns false if its outputs are not finite.
    pub(super) fn add(
        &mut self,
        outputs: &[f32],
        targets: &[u32],
        weights: Option<&[f32]>,
    ) -> bool {
        let labels = outputs.len() / targets.len().max(1);
        for (outputs, &target) in outputs.chunks_exact(labels.max(1)).zip(targets) {
            let logarithms = log_softmax(outputs);
            let target = target as usize;
            let weight = weights.map_or(1.0, |weights| f64::from(weights[target]));
            self.loss -= weight * logarithms[target];
            self.weight += weight;
            self.right += usize::from(largest(&logarithms) == target);
            self.count += 1;
        }
        self.loss.is_finite()
    }

    /// Returns mean loss and accuracy.
    pub(super) fn means(&self) -> (f64, f64) {
        let loss = if self.weight > 0.0 {
            self.loss / self.weight
        } else {
            0.0
        };
        (loss, self.right as f64 / self.count.max(1) as f64)
    }
}

/// Turns an out-of-memory error of the device into one that names the batch size.
pub(super) fn out_of_memory(error: engine::Error, batch: usize) -> Error {
    use kernels::Error::{OutOfMemory, TooLarge};
    match error.cause() {
        engine::Error::Kernel(OutOfMemory { .. } | TooLarge { .. }) => Error::OutOfMemory {
            batch,
            source: error,
        },
        _ => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;

    #[test]
    fn means_are_weighted_and_astray_is_seen() {
        let mut tally = Tally::default();
        assert!(tally.add(&[0.0, 0.0, 0.0, 0.0], &[0, 1], Some(&[3.0, 1.0])));
        let (loss, accuracy) = tally.means();
        assert_abs_diff_eq!(loss, 2.0f64.ln(), epsilon = 1e-12);
        assert_eq!(accuracy, 0.5, "of equal outputs the first is the answer");
        assert!(!tally.add(&[f32::NAN, 0.0], &[1], None));
        assert_eq!(Tally::default().means(), (0.0, 0.0));
    }

    #[test]
    fn memory_is_told_from_other_refusals() {
        let short = kernels::Error::OutOfMemory {
            device: "cpu".into(),
            bytes: 8,
            in_use: 0,
        };
        let nested = engine::Error::from(short).at("conv1").at("block2");
        let error = out_of_memory(nested, 32);
        assert!(error.to_string().contains("a batch of 32"), "{error}");
        assert!(error.hint().unwrap().contains("training.batch=16"));
        let other = engine::Error::Architecture("no".into());
        assert!(matches!(out_of_memory(other, 32), Error::Engine(_)));
    }
}
