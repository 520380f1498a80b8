//! Shape inference of one layer: what it makes of an example's shape, with which parameters and how much work.

use super::convolution::{conv2d, weight_and_bias};
use super::layer::{Dropout, Flatten, Kind, Layer, Linear};
use super::operation::{Inferred, Operation, elements};
use super::size::Units;
use super::{conv1d, normalisation, pooling, reshaping};
use crate::error::{Error, Result};
use crate::shape::Shape;

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
        Kind::Permute(permute) => reshaping::permute(permute, input),
        Kind::Reshape(reshape) => reshaping::reshape(reshape, input),
        Kind::Pad2d(pad) => reshaping::pad2d(pad, input),
        Kind::Resize(resize) => reshaping::resize(resize, input),
        Kind::Softmax(_) => unchanged(Operation::Softmax),
        Kind::Conv1d(conv) => conv1d::conv1d(conv, input),
        Kind::MaxPool1d(pool) => conv1d::max_pool1d(pool, input),
        Kind::Gru(gru) => gru.infer(input),
        Kind::Lstm(lstm) => lstm.infer(input),
        Kind::AvgPool1d(pool) => conv1d::avg_pool1d(pool, input),
        Kind::Sequential(_) | Kind::Parallel(_) => {
            unreachable!("what is inside is added layer by layer")
        }
    }
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
