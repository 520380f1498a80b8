//! Shape inference of normalising layers.

use super::layer::{BatchNorm, LocalResponseNorm};
use super::operation::{Inferred, Operation, ParameterSpec, Start};
use crate::error::Result;
use crate::ops::LocalResponseNormOptions;
use crate::shape::Shape;
use kernels::Kernel;
use kernels::batch_norm::BatchNormInference;

/// Weight 1 and bias 0 where it is affine, then the running statistics: mean 0 and variance 1, which are not learned.
pub(super) fn batch_norm(layer: &BatchNorm, input: &Shape) -> Result<Inferred> {
    let (c, plane) = (input[0], input[1..].iter().product());
    let kernel = kernels::batch_norm::BatchNorm {
        eps: layer.eps,
        momentum: layer.momentum,
        ..kernels::batch_norm::BatchNorm::new([1, c, plane])
    };
    BatchNormInference(kernel).check()?;
    let spec = |(name, value, learned): (&str, f32, bool)| ParameterSpec {
        name: name.to_string(),
        shape: [c].into(),
        start: Start::Constant(value),
        l2: 0.0,
        learned,
    };
    let affine = [("weight", 1.0, true), ("bias", 0.0, true)].map(spec);
    let running = [("running_mean", 0.0, false), ("running_var", 1.0, false)].map(spec);
    let affine = affine.into_iter().filter(|_| layer.affine);
    Ok(Inferred {
        operation: Operation::BatchNorm {
            eps: layer.eps,
            momentum: layer.momentum,
        },
        output: input.clone(),
        parameters: affine.chain(running).collect(),
        multiply_adds: input.elements() as u64,
    })
}

pub(super) fn local_response_norm(layer: &LocalResponseNorm, input: &Shape) -> Result<Inferred> {
    let LocalResponseNorm {
        size,
        alpha,
        beta,
        k,
    } = *layer;
    let (c, plane) = (input[0], input[1..].iter().product());
    let kernel = kernels::local_response_norm::LocalResponseNorm::new([1, c, plane], size)
        .with(alpha, beta, k);
    kernel.check()?;
    let options = LocalResponseNormOptions {
        size,
        alpha,
        beta,
        k,
    };
    Ok(Inferred {
        multiply_adds: (size.min(c) as u64 + 1) * input.elements() as u64,
        ..Inferred::plain(Operation::LocalResponseNorm(options), input.clone())
    })
}
