//! Shape inference of average and global pooling.

use super::infer::{Inferred, chw};
use super::layer::AvgPool2d;
use super::plan::Operation;
use crate::error::Result;
use crate::ops::PoolOptions;
use crate::shape::Shape;
use kernels::Kernel;

pub(super) fn avg_pool2d(layer: &AvgPool2d, input: &Shape) -> Result<Inferred> {
    let [c, h, w] = chw("avg_pool2d", input)?;
    let stride = layer.stride.unwrap_or(layer.kernel);
    let axis =
        |i: usize, length: usize| layer.padding.resolve(i, length, layer.kernel[i], stride[i]);
    let options = PoolOptions {
        kernel: layer.kernel,
        stride,
        pad: [axis(0, h), axis(1, w)],
    };
    let kernel =
        kernels::avg_pool2d::AvgPool2d::new([1, c, h, w], options.kernel).with(stride, options.pad);
    kernel.check()?;
    let [oh, ow] = kernel.output();
    Ok(Inferred::plain(
        Operation::AvgPool2d(options, layer.count_include_pad),
        [c, oh, ow].into(),
    ))
}

/// Pooling over the whole plane: one number a channel.
pub(super) fn global(operation: Operation, input: &Shape) -> Result<Inferred> {
    let [c, _, _] = chw("global pooling", input)?;
    Ok(Inferred::plain(operation, [c].into()))
}
