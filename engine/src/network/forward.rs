//! Forward pass of a network: group by group, each with its inputs and fused operations.

use super::Network;
use crate::architecture::Function;
use crate::architecture::operation::Operation;
use crate::architecture::plan::{Source, Step};
use crate::error::{Error, Result};
use crate::ops::{BatchNormOptions, Direction, NormPool, PoolOptions};
use crate::tensor::Tensor;
use kernels::Activation;
use std::ops::Range;

/// First random stream of dropout.
const DROPOUT: u64 = 1 << 63;

/// Training or inference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Training: dropout is active, and its mask depends on seed and step only. BatchNorm uses the batch's statistics,
    /// and updates its running statistics in place.
    Train {
        /// Seed of the run.
        seed: u64,
        /// Number of the training step.
        step: u64,
    },
    /// Inference: dropout is inactive, BatchNorm uses its running statistics.
    Eval,
}

/// Receives the output of every layer, with the layer's path. To get a gradient too, call [`Tensor::retain_grad`] and
/// look it up after `backward`.
pub trait Observer {
    /// Called with the `output` of the layer at `path`.
    fn layer(&mut self, path: &str, output: &Tensor) -> Result<()>;
}

impl<F: FnMut(&str, &Tensor) -> Result<()>> Observer for F {
    fn layer(&mut self, path: &str, output: &Tensor) -> Result<()> {
        self(path, output)
    }
}

impl Network {
    /// Runs a batch `[n, input…]` through all layers; returns the output, `[n, output…]`.
    ///
    /// # Errors
    /// [`Error::Shapes`] if the batch's shape is not that of the architecture's input; any error of the device, with
    /// the layer's path.
    pub fn forward(&self, x: &Tensor, mode: Mode) -> Result<Tensor> {
        self.run(x, mode, None)
    }

    /// [`Network::forward`] with an observer that receives every layer's output. Nothing is fused, so it is slower. The
    /// values are the same, except for convolution, BatchNorm and pooling in training, which round differently when
    /// fused. In [`Mode::Train`] it updates the running statistics too.
    ///
    /// # Errors
    /// As [`Network::forward`]; any error of the observer.
    pub fn forward_watched(
        &self,
        x: &Tensor,
        mode: Mode,
        observer: &mut dyn Observer,
    ) -> Result<Tensor> {
        self.run(x, mode, Some(observer))
    }

    fn run(
        &self,
        x: &Tensor,
        mode: Mode,
        mut observer: Option<&mut dyn Observer>,
    ) -> Result<Tensor> {
        match x.shape().split_first() {
            Some((&n, example)) if n > 0 && *example == self.plan.input[..] => {}
            _ => {
                let problem = "a batch is [n, …] with the architecture's input behind it";
                return Err(Error::shapes(
                    "network",
                    x.shape(),
                    &self.plan.input,
                    problem,
                ));
            }
        }
        let groups = match observer {
            None => self.plan.groups(),
            Some(_) => (0..self.plan.steps.len()).map(|i| i..i + 1).collect(),
        };
        let last_readers = self.plan.last_readers();
        // Outputs of steps, kept until their last use.
        let mut outputs: Vec<Option<Tensor>> = vec![None; self.plan.steps.len()];
        let mut y = x.clone();
        for group in groups {
            let Step { path, inputs, .. } = &self.plan.steps[group.start];
            let read = |source: &Source| match source {
                None => x.clone(),
                Some(i) => outputs[*i].clone().expect("steps read earlier ones"),
            };
            let tensors: Vec<Tensor> = inputs.iter().map(read).collect();
            for &i in inputs.iter().flatten() {
                if last_readers[i] == Some(group.start) {
                    outputs[i] = None;
                }
            }
            y = self
                .step(&tensors, group.clone(), mode)
                .map_err(|error| error.at(path))?;
            if let Some(observer) = observer.as_deref_mut() {
                observer.layer(path, &y)?;
            }
            outputs[group.end - 1] = Some(y.clone());
        }
        Ok(y)
    }

    /// Runs one group of steps: the first is the operation, the others are fused into it.
    fn step(&self, inputs: &[Tensor], group: Range<usize>, mode: Mode) -> Result<Tensor> {
        let steps = &self.plan.steps[group.clone()];
        // All steps have one input, except those that join branches.
        let x = &inputs[0];
        // A 1-D layer runs as a 2-D one on images of height 1.
        let one_d = steps[0].operation.is_2d() && x.shape().len() == 3;
        let x = &if one_d { upright(x)? } else { x.clone() };
        let behind = |own: Option<Function>, steps: &[Step]| {
            let next = steps.iter().find_map(|step| match step.operation {
                Operation::Activation(function) => Some(function),
                _ => None,
            });
            let function = own.or(next);
            match function.map(|f| (f, f.fused())) {
                None => (Activation::None, None),
                Some((_, Some(fused))) => (fused, None),
                Some((function, None)) => (Activation::None, Some(function)),
            }
        };
        let (y, function) = match steps[0].operation {
            Operation::Conv2d(mut options, own) => {
                let (weight, bias) = self.weight_and_bias(&steps[0]);
                let norm = steps
                    .iter()
                    .enumerate()
                    .find_map(|(at, step)| match step.operation {
                        Operation::BatchNorm { eps, momentum } => Some((at, [eps, momentum])),
                        _ => None,
                    });
                let own_steps = &steps[..norm.map_or(steps.len(), |(at, _)| at)];
                let (fused, function) = behind(own, own_steps);
                options.activation = fused;
                let weight = &if one_d {
                    upright(weight)?
                } else {
                    weight.clone()
                };
                let y = match (norm, pooling(steps)) {
                    (Some((at, settings)), Some(pool)) => {
                        let (activation, _) = behind(None, &steps[at..]);
                        let (running, affine, norm) =
                            self.norm(group.start + at, settings, activation, mode);
                        let behind = NormPool {
                            running,
                            affine,
                            norm,
                            pool,
                        };
                        x.conv2d_batch_norm_max_pool2d(weight, bias, options, behind)?
                    }
                    (_, Some(pool)) => x.conv2d_max_pool2d(weight, bias, options, pool)?,
                    _ => x.conv2d(weight, bias, options)?,
                };
                (y, function)
            }
            Operation::Linear(own) => {
                let (weight, bias) = self.weight_and_bias(&steps[0]);
                let (fused, function) = behind(own, steps);
                (x.linear(weight, bias, fused)?, function)
            }
            Operation::Recurrent(sizes, options) => {
                let own = &self.numbers[steps[0].parameters.clone()];
                let directions: Vec<Direction> = own
                    .chunks_exact(own.len() / sizes.directions)
                    .map(|p| Direction {
                        weight_ih: &p[0],
                        weight_hh: &p[1],
                        bias: p.get(2).map(|ih| [ih, &p[3]]),
                    })
                    .collect();
                (x.recurrent(sizes.cell, &directions, options)?, None)
            }
            Operation::MaxPool2d(options) => (x.max_pool2d(options)?, None),
            Operation::AvgPool2d(options, include_pad) => {
                (x.avg_pool2d(options, include_pad)?, None)
            }
            Operation::GlobalAvgPool => (x.global_avg_pool()?, None),
            Operation::GlobalMaxPool => (x.global_max_pool()?, None),
            Operation::LocalResponseNorm(options) => (x.local_response_norm(options)?, None),
            Operation::BatchNorm { eps, momentum } => {
                let (activation, function) = behind(None, steps);
                let (running, affine, options) =
                    self.norm(group.start, [eps, momentum], activation, mode);
                (x.batch_norm(running, affine, options)?, function)
            }
            Operation::Activation(function) => (x.clone(), Some(function)),
            Operation::Flatten => (x.flatten()?, None),
            Operation::Dropout(p) => match mode {
                Mode::Train { seed, step } => {
                    let stream = DROPOUT | (group.start as u64) << 40 | step & ((1 << 40) - 1);
                    (x.dropout(p, seed, stream)?, None)
                }
                Mode::Eval => (x.clone(), None),
            },
            Operation::Permute(order) => (x.permute(&order[..x.shape().len()])?, None),
            Operation::Reshape => {
                let batch = [x.shape()[0]].into_iter();
                let shape: Vec<usize> = batch.chain(steps[0].output.iter().copied()).collect();
                (x.reshape(shape)?, None)
            }
            Operation::Pad2d([h, w], value) => (x.pad(&[[0, 0], [0, 0], h, w], value)?, None),
            Operation::Resize(size, mode) => (x.resize(size, mode)?, None),
            Operation::Softmax => (x.softmax()?, None),
            Operation::Concat(axis) => {
                let inputs: Vec<&Tensor> = inputs.iter().collect();
                (Tensor::concat(&inputs, axis + 1)?, None)
            }
            Operation::Add => {
                let sum = |sum: Tensor, input| sum.add(input);
                (inputs[1..].iter().try_fold(x.clone(), sum)?, None)
            }
        };
        let y = match function {
            Some(function) => y.activation(function)?,
            None => y,
        };
        match one_d {
            true => y.reshape(y.shape().without(2)),
            false => Ok(y),
        }
    }

    /// Parameters of a BatchNorm layer: running mean and variance, weight and bias, and its options.
    fn norm(
        &self,
        step: usize,
        [eps, momentum]: [f64; 2],
        activation: Activation,
        mode: Mode,
    ) -> ([&Tensor; 2], Option<[&Tensor; 2]>, BatchNormOptions) {
        let own = &self.numbers[self.plan.steps[step].parameters.clone()];
        let (affine, running) = match own {
            [weight, bias, mean, var] => (Some([weight, bias]), [mean, var]),
            _ => (None, [&own[0], &own[1]]),
        };
        let options = BatchNormOptions {
            training: matches!(mode, Mode::Train { .. }) && !self.frozen[step],
            eps,
            momentum,
            activation,
        };
        (running, affine, options)
    }

    fn weight_and_bias(&self, step: &Step) -> (&Tensor, Option<&Tensor>) {
        let own = &self.numbers[step.parameters.clone()];
        (&own[0], own.get(1))
    }
}

/// Returns the pooling at the end of a group.
fn pooling(steps: &[Step]) -> Option<PoolOptions> {
    match steps.last()?.operation {
        Operation::MaxPool2d(pool) => Some(pool),
        _ => None,
    }
}

/// Returns `[a, b, t]` as `[a, b, 1, t]`.
fn upright(x: &Tensor) -> Result<Tensor> {
    let mut shape = x.shape().to_vec();
    shape.insert(shape.len() - 1, 1);
    x.reshape(shape)
}
