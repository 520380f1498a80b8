//! Batch normalisation, with an activation in the same pass.
//!
//! `y = act(x̂·weight + bias)` with `x̂ = (x - mean) / √(var + eps)`, channel by channel. With `dz = dy·act'(y)`, the
//! gradient before the activation: `bias` was added to every number, so `dbias = Σ dz`; `weight` met every `x̂`, so
//! `dweight = Σ dz·x̂`. By running statistics, `x` is moved and scaled by fixed numbers: `dx = dz·weight / √(var + eps)`.
//! By those of the batch, `x` also moves the mean and stretches the deviation that all of its channel is measured by:
//! what `dz` has in common with 1 and with `x̂` is taken out, `dz - dbias / N - x̂·dweight / N`, before the same scaling.

use super::activation::before_activation;
use crate::error::{Error, Result};
use crate::tape::record;
use crate::tensor::Tensor;
use kernels::batch_norm::{BatchNorm, BatchNormGrad, BatchNormInference};
use kernels::{Activation, Buffer, Kernel};

/// How a channel is normalised. The default is PyTorch's function: by the running statistics.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatchNormOptions {
    /// By the statistics of the batch, which the running ones follow; else by the running ones, which stay.
    pub training: bool,
    /// Added to the variance.
    pub eps: f64,
    /// How fast the running statistics follow, in [0, 1].
    pub momentum: f64,
    /// What the normalised numbers pass through.
    pub activation: Activation,
}

impl Default for BatchNormOptions {
    fn default() -> Self {
        BatchNormOptions {
            training: false,
            eps: 1e-5,
            momentum: 0.1,
            activation: Activation::None,
        }
    }
}

impl Tensor {
    /// Each channel of `x [n, c, ..]` moved and scaled to mean 0 and variance 1, then by `weight [c]` and `bias [c]`
    /// where `affine` gives them (PyTorch's `batch_norm`). `running` is mean and variance `[c]`, which training changes
    /// in place: `running = (1 - momentum)·running + momentum·value`, the variance over `N - 1`.
    ///
    /// # Errors
    /// Other shapes than these; training on one number a channel; `eps` or `momentum` out of range.
    pub fn batch_norm(
        &self,
        running: [&Tensor; 2],
        affine: Option<[&Tensor; 2]>,
        options: BatchNormOptions,
    ) -> Result<Tensor> {
        let x = self;
        let forward = shape(x, running, affine, options)?;
        let c = forward.c;
        match options.training {
            true => forward.check()?,
            false => BatchNormInference(forward).check()?,
        }
        let device = x.device();
        let (y, stats) = (device.alloc(x.elements())?, device.alloc(2 * c)?);
        let affine_buffers = affine.into_iter().flatten().map(Tensor::buffer);
        let running = running.map(Tensor::buffer);
        match options.training {
            true => {
                let inputs: Vec<&Buffer> = [x.buffer()].into_iter().chain(affine_buffers).collect();
                let outputs = [&y, &stats, running[0], running[1]];
                device.launch(&forward, &inputs, &outputs)?;
            }
            false => {
                let inputs = [x.buffer()].into_iter().chain(running);
                let inputs: Vec<&Buffer> = inputs.chain(affine_buffers).collect();
                device.launch(&BatchNormInference(forward), &inputs, &[&y, &stats])?;
            }
        }
        let y = Tensor::from_buffer(y, x.shape())?;
        let kernel = BatchNormGrad {
            forward,
            training: options.training,
        };
        let saved_x = x.detach();
        let weight = affine.map(|[weight, _]| weight.detach());
        let places = affine.map(|small| small.map(Tensor::gradient_place));
        let saved_y = (options.activation != Activation::None).then(|| y.detach());
        let inputs: Vec<&Tensor> = [x]
            .into_iter()
            .chain(affine.into_iter().flatten())
            .collect();
        Ok(record(y, &inputs, move |dy| {
            let dz = before_activation(options.activation, saved_y, dy)?;
            let (device, c) = (dz.device(), kernel.forward.c);
            let dx = device.alloc(dz.elements())?;
            let [dweight, dbias] = match &places {
                Some([weight, bias]) => [weight.buffer()?, bias.buffer()?],
                None => [device.alloc(c)?, device.alloc(c)?],
            };
            let inputs = [saved_x.buffer(), dz.buffer(), &stats];
            let inputs: Vec<&Buffer> = inputs
                .into_iter()
                .chain(weight.as_ref().map(Tensor::buffer))
                .collect();
            device.launch(&kernel, &inputs, &[&dx, &dweight, &dbias])?;
            let mut gradients = vec![Some(Tensor::from_buffer(dx, saved_x.shape())?)];
            if weight.is_some() {
                for small in [dweight, dbias] {
                    gradients.push(Some(Tensor::from_buffer(small, [c])?));
                }
            }
            Ok(gradients)
        }))
    }
}

/// The kernel for these tensors.
pub(super) fn shape(
    x: &Tensor,
    running: [&Tensor; 2],
    affine: Option<[&Tensor; 2]>,
    options: BatchNormOptions,
) -> Result<BatchNorm> {
    let [n, c, places @ ..] = &x.shape()[..] else {
        return Err(Error::shape("batch_norm", x.shape(), "is not [n, c, ..]"));
    };
    let small = running.into_iter().chain(affine.into_iter().flatten());
    if let Some(wrong) = small.into_iter().find(|t| t.shape()[..] != [*c]) {
        let problem = "a weight, bias or running statistic is not [c]";
        return Err(Error::shapes(
            "batch_norm",
            wrong.shape(),
            x.shape(),
            problem,
        ));
    }
    Ok(BatchNorm {
        n: *n,
        c: *c,
        plane: places.iter().product(),
        affine: affine.is_some(),
        eps: options.eps,
        momentum: options.momentum,
        activation: options.activation,
    })
}
