//! Predictions of a network for clips: probabilities, their means over a clip's windows, and losses.
//!
//! The prediction for a clip is the mean of the probabilities over its windows. Probabilities and losses are computed
//! from the network's outputs on the host, in f64.

use engine::{Mode, Network, Tensor, no_grad};

use crate::Error;
use crate::input::{Normalisation, Windows};

/// Returns the log-softmax of a network's outputs.
pub(crate) fn log_softmax(outputs: &[f32]) -> Vec<f64> {
    let largest = outputs.iter().fold(f32::NEG_INFINITY, |a, &b| a.max(b));
    let largest = f64::from(largest);
    let sum: f64 = outputs
        .iter()
        .map(|&x| (f64::from(x) - largest).exp())
        .sum();
    let constant = largest + sum.ln();
    outputs.iter().map(|&x| f64::from(x) - constant).collect()
}

/// Returns the index of the largest value; the first if several are equal.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn largest(values: &[f64]) -> usize {
    let better =
        |best: usize, (at, value): (usize, &f64)| if *value > values[best] { at } else { best };
    values.iter().enumerate().fold(0, better)
}

/// Returns the network's outputs for a batch of windows, `[n, labels]`.
fn forward(network: &Network, values: &[f32], n: usize) -> Result<Tensor, Error> {
    let shape = [&[n], &network.architecture().input[..]].concat();
    let x = Tensor::from_vec(network.device(), values, shape)?;
    Ok(no_grad(|| network.forward(&x, Mode::Eval))?)
}

/// Windows of one clip, processed some at a time.
#[derive(Debug, Clone, Default)]
pub(crate) struct Votes {
    pub(crate) sums: Vec<f64>,
}

impl Votes {
    /// Processes some windows, `batch` at once.
    pub(crate) async fn add(
        &mut self,
        network: &Network,
        normalisation: &Normalisation,
        batch: usize,
        mut windows: Windows,
    ) -> Result<(), Error> {
        let len = windows.window_len().max(1);
        for batch in windows.values.chunks_mut(batch.max(1) * len) {
            batch
                .chunks_mut(len)
                .for_each(|window| normalisation.apply(window));
            let n = batch.len() / len;
            let outputs = forward(network, batch, n)?.read().await?;
            let labels = outputs.len() / n.max(1);
            self.sums.resize(labels, 0.0);
            for outputs in outputs.chunks_exact(labels.max(1)) {
                add_probabilities(&mut self.sums, &log_softmax(outputs));
            }
        }
        Ok(())
    }
}

/// Returns the mean over all windows, from the sums of their probabilities.
pub(crate) fn mean(mut sums: Vec<f64>) -> Result<Vec<f64>, Error> {
    let total: f64 = sums.iter().sum();
    if !(total.is_finite() && total > 0.0) {
        let what = "the model's answer".into();
        return Err(Error::NotFinite { what });
    }
    sums.iter_mut().for_each(|sum| *sum /= total);
    Ok(sums)
}

fn add_probabilities(sums: &mut [f64], logarithms: &[f64]) {
    for (sum, logarithm) in sums.iter_mut().zip(logarithms) {
        *sum += logarithm.exp();
    }
}

#[cfg(not(target_arch = "wasm32"))]
pub use many::{Evaluated, evaluate};

#[cfg(not(target_arch = "wasm32"))]
mod many {
    use super::*;
    use crate::base::control::Control;
    use crate::input::examples::{Batch, Clips, Examples};
    use crate::input::frontend::Frontend;

    /// Predictions of a network for many clips.
    #[derive(Debug, Clone, PartialEq)]
    pub struct Evaluated {
        /// Mean loss over all windows, weighted as requested.
        pub loss: f64,
        /// Probabilities of all labels for each clip, in the order of the request.
        pub probabilities: Vec<Vec<f64>>,
    }

    impl Evaluated {
        /// Returns the prediction for every clip: the index of the most likely label.
        pub fn answers(&self) -> impl Iterator<Item = usize> {
            self.probabilities.iter().map(|clip| largest(clip))
        }
    }

    /// Runs a front end and a network on the chosen clips, `batch` windows at a time. `weights` holds a weight per
    /// label for the loss; without it all weights are 1.
    ///
    /// # Errors
    /// [`Error::Engine`] for an error of the device; [`Error::Io`] if a file in the cache can no longer be read;
    /// [`Error::NotFinite`]; [`Error::Stopped`].
    pub fn evaluate(
        network: &Network,
        front: &Frontend<'_>,
        clips: Clips<'_>,
        chosen: &[usize],
        weights: Option<&[f32]>,
        batch: usize,
        control: Control<'_>,
    ) -> Result<Evaluated, Error> {
        let examples = Examples::new(clips, chosen, front.while_reading());
        let labels = network.architecture().output()?.elements().max(1);
        let position: std::collections::BTreeMap<usize, usize> = chosen
            .iter()
            .enumerate()
            .map(|(position, &clip)| (clip, position))
            .collect();
        let mut sums = vec![vec![0.0; labels]; chosen.len()];
        let (mut loss, mut weight) = (0.0, 0.0);
        let mut read = Batch::default();
        let all: Vec<usize> = (0..examples.len()).collect();
        for some in all.chunks(batch.max(1)) {
            control.check()?;
            examples.read(some.iter().copied(), &mut read)?;
            let x = front.tensor(&read, &network.architecture().input)?;
            let outputs = no_grad(|| network.forward(&x, Mode::Eval))?.to_vec()?;
            for ((&example, &target), outputs) in some
                .iter()
                .zip(&read.targets)
                .zip(outputs.chunks_exact(labels))
            {
                let logarithms = log_softmax(outputs);
                let target = target as usize;
                let own = weights
                    .and_then(|weights| weights.get(target))
                    .map_or(1.0, |&w| f64::from(w));
                loss -= own * logarithms.get(target).copied().unwrap_or(0.0);
                weight += own;
                if let Some(&position) = position.get(&examples.clip(example)) {
                    add_probabilities(&mut sums[position], &logarithms);
                }
            }
        }
        for (sum, &clip) in sums.iter_mut().zip(chosen) {
            let windows = clips
                .features
                .get(clip)
                .map_or(1, |clip| clip.windows().max(1)) as f64;
            sum.iter_mut().for_each(|p| *p /= windows);
        }
        let loss = if weight > 0.0 { loss / weight } else { 0.0 };
        if !loss.is_finite() {
            let what = "the network's answers".into();
            return Err(Error::NotFinite { what });
        }
        Ok(Evaluated {
            loss,
            probabilities: sums,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_of_known_outputs() {
        let p: Vec<f64> = log_softmax(&[0.0, 3.0f32.ln()])
            .iter()
            .map(|l| l.exp())
            .collect();
        assert!((p[0] - 0.25).abs() < 1e-7 && (p[1] - 0.75).abs() < 1e-7);
        let far = log_softmax(&[1000.0, 0.0, -1000.0]);
        assert_eq!((far[0], far[1]), (0.0, -1000.0), "no overflow far out");
        assert_eq!(largest(&[0.5, 0.5, 0.1]), 0);
        assert!(log_softmax(&[f32::NAN, 0.0]).iter().any(|l| l.is_nan()));
    }
}
