//! Softmax and its logarithm, and its cross-entropy with labels in one step.
//!
//! In `y = softmax(x)` every number depends on the whole row: `dx = y·(dy - Σ y·dy)`; of the logarithm
//! `dx = dy - eʸ·Σ dy`. The output is all that is kept.
//!
//! `loss = Σ w[l]·(-log softmax(x)[l]) / Σ w[l]` over the rows, `l` a row's label, `w` the class weights (1 without).
//! With the logarithm inside, the derivative is simply `dx = w[l]·(softmax(x) - onehot(l)) / Σ w[l]`, times the
//! gradient of the loss. The weighted mean is PyTorch's; a label that is no class is left out, and a batch with
//! nothing left has loss 0. With smoothed labels targets `t` stand in the onehot's place, and `Σ t` before the softmax.

use crate::error::{Error, Result};
use crate::tape::record;
use crate::tensor::Tensor;
use kernels::Buffer;
use kernels::softmax::{Softmax, SoftmaxGrad};
use kernels::softmax_cross_entropy::{SoftmaxCrossEntropy, SoftmaxCrossEntropyGrad};

impl Tensor {
    /// Probabilities along the last axis. To train a classifier, hand the logits themselves to
    /// [`cross_entropy`](Tensor::cross_entropy): faster, and exact where a probability is nearly 0.
    pub fn softmax(&self) -> Result<Tensor> {
        self.softmax_or_log(false)
    }

    /// The logarithms of [`softmax`](Tensor::softmax), exact where a probability is too small for a number.
    pub fn log_softmax(&self) -> Result<Tensor> {
        self.softmax_or_log(true)
    }

    fn softmax_or_log(&self, log: bool) -> Result<Tensor> {
        let columns = self.shape().last().copied().unwrap_or(1);
        let rows = self.elements() / columns.max(1);
        let kernel = Softmax { rows, columns, log };
        let y = Tensor::launch(&kernel, &[self], self.shape())?;
        let saved = y.detach();
        Ok(record(y, &[self], move |dy| {
            let dx = Tensor::launch(&SoftmaxGrad(kernel), &[&saved, &dy], dy.shape())?;
            Ok(vec![Some(dx)])
        }))
    }

    /// The mean cross-entropy of logits `[n, classes]` and `n` labels (u32, see
    /// [`upload_u32`](kernels::Device::upload_u32)), each row weighted by its label's entry of `weights [classes]`
    /// where there are any. A single number, shape `[]`.
    pub fn cross_entropy(&self, labels: &Buffer, weights: Option<&Tensor>) -> Result<Tensor> {
        self.cross_entropy_smoothed(labels, weights, 0.0)
    }

    /// The same where each label is believed to `1 - smoothing` only, and the rest is spread over all classes: PyTorch's
    /// `label_smoothing`, from 0 to 1.
    pub fn cross_entropy_smoothed(
        &self,
        labels: &Buffer,
        weights: Option<&Tensor>,
        smoothing: f32,
    ) -> Result<Tensor> {
        let Ok([rows, columns]) = <[usize; 2]>::try_from(&self.shape()[..]) else {
            return Err(Error::shape(
                "cross_entropy",
                self.shape(),
                "is not [n, classes]",
            ));
        };
        if labels.len() != rows {
            let problem = "logits and labels differ in number";
            return Err(Error::shapes(
                "cross_entropy",
                self.shape(),
                &[labels.len()],
                problem,
            ));
        }
        if let Some(weights) = weights.filter(|w| w.shape()[..] != [columns]) {
            let problem = "the class weights are not [classes]";
            return Err(Error::shapes(
                "cross_entropy",
                self.shape(),
                weights.shape(),
                problem,
            ));
        }
        let weighted = weights.is_some();
        let device = self.device().clone();
        let loss = device.alloc(1)?;
        let kernel = SoftmaxCrossEntropy {
            rows,
            columns,
            weighted,
            smoothing,
        };
        let mut inputs = vec![self.buffer().clone(), labels.clone()];
        inputs.extend(weights.map(|w| w.buffer().clone()));
        device.launch(&kernel, &inputs.iter().collect::<Vec<_>>(), &[&loss])?;
        let shape = self.shape().clone();
        Ok(record(
            Tensor::from_buffer(loss, [])?,
            &[self],
            move |upstream| {
                let kernel = SoftmaxCrossEntropyGrad(kernel);
                let dx = device.alloc(rows * columns)?;
                inputs.push(upstream.buffer().clone());
                device.launch(&kernel, &inputs.iter().collect::<Vec<_>>(), &[&dx])?;
                Ok(vec![Some(Tensor::from_buffer(dx, shape)?)])
            },
        ))
    }
}
