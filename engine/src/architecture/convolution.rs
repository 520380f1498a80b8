//! Shape inference of convolutions.

use super::layer::Conv2d;
use super::operation::{Inferred, Operation, ParameterSpec, chw, uniform};
use crate::error::Result;
use crate::ops::ConvOptions;
use crate::shape::Shape;
use kernels::Kernel;

pub(super) fn conv2d(layer: &Conv2d, input: &Shape) -> Result<Inferred> {
    let [c, h, w] = chw("conv2d", input)?;
    let axis = |i: usize, length: usize| {
        let reach = layer.dilation[i]
            .saturating_mul(layer.kernel[i].saturating_sub(1))
            .saturating_add(1);
        layer.padding.resolve(i, length, reach, layer.stride[i])
    };
    let options = ConvOptions {
        stride: layer.stride,
        pad: [axis(0, h), axis(1, w)],
        dilation: layer.dilation,
        groups: layer.groups,
        activation: kernels::Activation::None,
    };
    let kernel = kernels::conv2d::Conv2d {
        stride: options.stride,
        pad: options.pad,
        dilation: options.dilation,
        groups: options.groups,
        ..kernels::conv2d::Conv2d::new([1, c, h, w], layer.out_channels, layer.kernel)
    };
    kernel.check()?;
    let [oh, ow] = kernel.out();
    let [kh, kw] = layer.kernel;
    Ok(Inferred {
        operation: Operation::Conv2d(options, layer.activation),
        output: [layer.out_channels, oh, ow].into(),
        parameters: weight_and_bias(
            [layer.out_channels, c / layer.groups, kh, kw].into(),
            layer.bias,
            layer.l2,
        )?,
        multiply_adds: kernel.flops() / 2,
    })
}

/// A weight and perhaps a bias, both uniform within `1 / √fan_in` as PyTorch starts them
/// (`kaiming_uniform(a = √5)` comes to the same).
pub(super) fn weight_and_bias(weight: Shape, bias: bool, l2: f32) -> Result<Vec<ParameterSpec>> {
    let outputs = weight[0];
    let fan_in = (weight.elements() / outputs.max(1)).max(1);
    let bound = 1.0 / (fan_in as f32).sqrt();
    let mut specs = vec![uniform("weight", weight, bound, l2)?];
    if bias {
        specs.push(uniform("bias", [outputs].into(), bound, 0.0)?);
    }
    Ok(specs)
}
