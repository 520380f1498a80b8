//! Shape inference of one layer: what it makes of an example's shape, with which parameters and how much work.

use super::layer::{Conv2d, Dropout, Flatten, Kind, Layer, Linear};
use super::plan::{Operation, ParameterSpec, Start};
use super::size::Units;
use super::{arrange, normalisation, pooling, sideways};
use crate::error::{Error, Result};
use crate::ops::ConvOptions;
use crate::shape::Shape;
use kernels::Kernel;

/// What a layer makes of its input: operation, output, parameters (named within the layer) and work.
pub(super) struct Inferred {
    pub operation: Operation,
    pub output: Shape,
    pub parameters: Vec<ParameterSpec>,
    pub multiply_adds: u64,
}

impl Inferred {
    pub(super) fn plain(operation: Operation, output: Shape) -> Self {
        Inferred {
            operation,
            output,
            parameters: Vec::new(),
            multiply_adds: 0,
        }
    }
}

/// What a layer makes of an input of this shape.
pub(super) fn infer(layer: &Layer, input: &Shape) -> Result<Inferred> {
    let unchanged = |operation| Ok(Inferred::plain(operation, input.clone()));
    match &layer.kind {
        Kind::Conv2d(conv) => conv2d(conv, input),
        Kind::MaxPool2d(pool) => pooling::max_pool2d(pool, input),
        Kind::AvgPool2d(pool) => pooling::avg_pool2d(pool, input),
        Kind::GlobalAvgPool(_) => pooling::global(Operation::GlobalAvgPool, input),
        Kind::GlobalMaxPool(_) => pooling::global(Operation::GlobalMaxPool, input),
        Kind::BatchNorm(norm) => normalisation::batch_norm(norm, input),
        Kind::LocalResponseNorm(norm) => normalisation::local_response_norm(norm, input),
        Kind::Linear(linear) => linear_layer(linear, input),
        Kind::Dropout(Dropout { p }) if !(0.0..1.0).contains(p) => {
            let problem = format!("p = {p} is not in [0, 1)");
            Err(Error::option("dropout", problem))
        }
        Kind::Dropout(Dropout { p }) => unchanged(Operation::Dropout(*p)),
        Kind::Activation(a) => unchanged(Operation::Activation(a.function)),
        Kind::Flatten(layer) => flatten(layer, input),
        Kind::Permute(permute) => arrange::permute(permute, input),
        Kind::Reshape(reshape) => arrange::reshape(reshape, input),
        Kind::Pad2d(pad) => arrange::pad2d(pad, input),
        Kind::Resize(resize) => arrange::resize(resize, input),
        Kind::Softmax(_) => unchanged(Operation::Softmax),
        Kind::Conv1d(conv) => sideways::conv1d(conv, input),
        Kind::MaxPool1d(pool) => sideways::max_pool1d(pool, input),
        Kind::Gru(gru) => gru.infer(input),
        Kind::Lstm(lstm) => lstm.infer(input),
        Kind::AvgPool1d(pool) => sideways::avg_pool1d(pool, input),
        Kind::Sequential(_) | Kind::Parallel(_) => {
            unreachable!("what is inside is added layer by layer")
        }
    }
}

/// Elements of a shape, where 32-bit indices reach them.
pub(super) fn elements(shape: &[usize]) -> Option<usize> {
    let product = shape
        .iter()
        .try_fold(1usize, |n, &axis| n.checked_mul(axis));
    product.filter(|&n| n < 1 << 31)
}

/// A weight and perhaps a bias, both uniform within `1 / √fan_in` as PyTorch starts them
/// (`kaiming_uniform(a = √5)` comes to the same).
fn weight_and_bias(weight: Shape, bias: bool, l2: f32) -> Result<Vec<ParameterSpec>> {
    let outputs = weight[0];
    let fan_in = (weight.elements() / outputs.max(1)).max(1);
    let bound = 1.0 / (fan_in as f32).sqrt();
    let mut specs = vec![uniform("weight", weight, bound, l2)?];
    if bias {
        specs.push(uniform("bias", [outputs].into(), bound, 0.0)?);
    }
    Ok(specs)
}

/// A parameter that starts uniform in `[-bound, bound)` and is learned.
pub(super) fn uniform(name: &str, shape: Shape, bound: f32, l2: f32) -> Result<ParameterSpec> {
    if elements(&shape).is_none() {
        return Err(Error::shape(
            "weight",
            &shape,
            "has more than 2^31 elements",
        ));
    }
    if !(l2.is_finite() && l2 >= 0.0) {
        let problem = format!("l2 = {l2} is no weight of a penalty");
        return Err(Error::option("l2", problem));
    }
    Ok(ParameterSpec {
        name: name.to_string(),
        shape,
        start: Start::Uniform(bound),
        l2,
        learned: true,
    })
}

pub(super) fn chw(operation: &'static str, input: &Shape) -> Result<[usize; 3]> {
    <[usize; 3]>::try_from(&input[..])
        .map_err(|_| Error::shape(operation, input, "is not [c, h, w]"))
}

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

fn flatten(layer: &Flatten, input: &Shape) -> Result<Inferred> {
    if layer.start >= input.len() {
        let problem = format!("has no axis {} to flatten from", layer.start);
        return Err(Error::shape("flatten", input, problem));
    }
    let (kept, joined) = input.split_at(layer.start);
    let output = [kept, &[joined.iter().product()]].concat();
    let operation = match layer.start {
        0 => Operation::Flatten,
        _ => Operation::Reshape,
    };
    Ok(Inferred::plain(operation, output.into()))
}

fn linear_layer(layer: &Linear, input: &Shape) -> Result<Inferred> {
    let Units::Number(units) = layer.out_features else {
        let problem = "out_features is \"classes\", and nobody has said how many there are";
        return Err(Error::option("linear", problem));
    };
    let (Some(&features), true) = (input.last(), units > 0) else {
        return Err(Error::shape(
            "linear",
            input,
            format!("cannot become {units} features"),
        ));
    };
    let mut output = input.to_vec();
    output.pop();
    output.push(units);
    if elements(&output).is_none() {
        return Err(Error::shape(
            "linear",
            &output,
            "has more than 2^31 elements",
        ));
    }
    let weight = Shape::from([units, features]);
    let rows = input.elements() / features.max(1);
    Ok(Inferred {
        operation: Operation::Linear(layer.activation),
        output: output.into(),
        multiply_adds: rows as u64 * units as u64 * features as u64,
        parameters: weight_and_bias(weight, layer.bias, layer.l2)?,
    })
}
