//! The network in burn, on whichever of its devices.

use crate::recipe::{Activation, Layer, Padding, Recipe};
use crate::{CLASSES, Result, Training};
use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::gru::{Gru, GruConfig};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{
    BatchNorm, BatchNormConfig, Dropout, DropoutConfig, Linear, LinearConfig, PaddingConfig2d,
};
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::{Device, Distribution, Int, Tensor, TensorData, activation};

/// What has weights or a state, in the order of the file; the rest is in `layers`.
#[derive(Module, Debug)]
struct Network {
    convolutions: Vec<Conv2d>,
    norms: Vec<BatchNorm>,
    pools: Vec<MaxPool2d>,
    dropouts: Vec<Dropout>,
    recurrent: Vec<Gru>,
    linear: Vec<Linear>,
}

/// The numbers of a batch at some place in the network: their rank is part of burn's types.
enum Value {
    Map(Tensor<4>),
    Sequence(Tensor<3>),
    Vector(Tensor<2>),
}

fn activate<const D: usize>(x: Tensor<D>, activation: Option<Activation>) -> Tensor<D> {
    match activation {
        Some(Activation::Relu) => activation::relu(x),
        Some(Activation::Elu) => activation::elu(x, 1.0),
        None => x,
    }
}

/// The network for these layers; what cannot be said in burn's types is an error.
fn build(layers: &[Layer], input: [usize; 4], device: &Device) -> Result<Network> {
    let mut network = Network {
        convolutions: Vec::new(),
        norms: Vec::new(),
        pools: Vec::new(),
        dropouts: Vec::new(),
        recurrent: Vec::new(),
        linear: Vec::new(),
    };
    // The shape of one example.
    let mut shape = input[1..].to_vec();
    for layer in layers {
        match layer {
            Layer::Conv2d {
                out_channels,
                kernel,
                padding,
                ..
            } => {
                let same = *padding == Padding::Same;
                let kernel = kernel.each();
                let config = Conv2dConfig::new([shape[0], *out_channels], kernel);
                let config = config.with_padding(if same {
                    PaddingConfig2d::Same
                } else {
                    PaddingConfig2d::Valid
                });
                network.convolutions.push(config.init(device));
                shape[0] = *out_channels;
                if !same {
                    shape[1] -= kernel[0] - 1;
                    shape[2] -= kernel[1] - 1;
                }
            }
            Layer::MaxPool2d { kernel } => {
                let kernel = kernel.each();
                network.pools.push(MaxPool2dConfig::new(kernel).init());
                shape[1] /= kernel[0];
                shape[2] /= kernel[1];
            }
            Layer::BatchNorm => network
                .norms
                .push(BatchNormConfig::new(shape[0]).init(device)),
            Layer::Dropout { p } => network.dropouts.push(DropoutConfig::new(*p).init()),
            Layer::Permute { axes } => shape = axes.iter().map(|&axis| shape[axis]).collect(),
            Layer::Flatten { start } => {
                let flat = shape[*start..].iter().product();
                shape.truncate(*start);
                shape.push(flat);
            }
            Layer::Gru { hidden, last } => {
                let features = *shape.last().ok_or("a recurrent layer without input")?;
                network
                    .recurrent
                    .push(GruConfig::new(features, *hidden, true).init(device));
                shape = if *last {
                    vec![*hidden]
                } else {
                    vec![shape[0], *hidden]
                };
            }
            Layer::Linear { out_features, .. } => {
                let outputs = out_features.number();
                let inputs = shape.last_mut().ok_or("a Linear layer without input")?;
                network
                    .linear
                    .push(LinearConfig::new(*inputs, outputs).init(device));
                *inputs = outputs;
            }
        }
    }
    match shape[..] {
        [CLASSES] => Ok(network),
        _ => Err(format!("the network ends with the shape {shape:?}").into()),
    }
}

impl Network {
    fn forward(&self, layers: &[Layer], x: Tensor<4>) -> Result<Tensor<2>> {
        let refuse = "burn: a layer on a shape that it is not written for here";
        let (mut convolutions, mut norms) = (self.convolutions.iter(), self.norms.iter());
        let (mut pools, mut dropouts) = (self.pools.iter(), self.dropouts.iter());
        let (mut recurrent, mut linear) = (self.recurrent.iter(), self.linear.iter());
        let mut value = Value::Map(x);
        for layer in layers {
            value = match (layer, value) {
                (Layer::Conv2d { activation, .. }, Value::Map(x)) => Value::Map(activate(
                    convolutions.next().ok_or(refuse)?.forward(x),
                    *activation,
                )),
                (Layer::MaxPool2d { .. }, Value::Map(x)) => {
                    Value::Map(pools.next().ok_or(refuse)?.forward(x))
                }
                (Layer::BatchNorm, Value::Map(x)) => {
                    Value::Map(norms.next().ok_or(refuse)?.forward(x))
                }
                (Layer::Dropout { .. }, value) => {
                    let dropout = dropouts.next().ok_or(refuse)?;
                    match value {
                        Value::Map(x) => Value::Map(dropout.forward(x)),
                        Value::Sequence(x) => Value::Sequence(dropout.forward(x)),
                        Value::Vector(x) => Value::Vector(dropout.forward(x)),
                    }
                }
                (Layer::Permute { axes }, Value::Map(x)) => match axes[..] {
                    [a, b, c] => Value::Map(x.permute([0, a + 1, b + 1, c + 1])),
                    _ => return Err(refuse.into()),
                },
                (Layer::Flatten { start: 0 }, Value::Map(x)) => Value::Vector(x.flatten(1, 3)),
                (Layer::Flatten { start: 1 }, Value::Map(x)) => Value::Sequence(x.flatten(2, 3)),
                (Layer::Gru { last, .. }, Value::Sequence(x)) => {
                    let y = recurrent.next().ok_or(refuse)?.forward(x, None);
                    let [n, steps, hidden] = y.dims();
                    match last {
                        true => Value::Vector(
                            y.slice([0..n, steps - 1..steps, 0..hidden])
                                .reshape([n, hidden]),
                        ),
                        false => Value::Sequence(y),
                    }
                }
                (Layer::Linear { activation, .. }, value) => {
                    let linear = linear.next().ok_or(refuse)?;
                    match value {
                        Value::Map(x) => Value::Map(activate(linear.forward(x), *activation)),
                        Value::Sequence(x) => {
                            Value::Sequence(activate(linear.forward(x), *activation))
                        }
                        Value::Vector(x) => Value::Vector(activate(linear.forward(x), *activation)),
                    }
                }
                _ => return Err(refuse.into()),
            };
        }
        match value {
            Value::Vector(logits) => Ok(logits),
            _ => Err(refuse.into()),
        }
    }
}

/// A training of this recipe's network on one batch of noise.
pub fn training(recipe: &Recipe, device: Device) -> Result<Training> {
    let device = device.autodiff();
    let (layers, shape) = (recipe.layers().to_vec(), recipe.batch_shape());
    let mut network = Some(build(&layers, shape, &device)?);
    let x = Tensor::<4>::random(shape, Distribution::Normal(0.0, 1.0), &device);
    let labels: Vec<i64> = recipe.labels().map(|label| label as i64).collect();
    let labels = Tensor::<1, Int>::from_data(TensorData::new(labels, [shape[0]]), &device);
    let loss_of = CrossEntropyLossConfig::new().init(&device);
    let mut adam = AdamConfig::new().init();
    Ok(Box::new(move || {
        let net = network.take().ok_or("the step before failed")?;
        let loss = loss_of.forward(net.forward(&layers, x.clone())?, labels.clone());
        let gradients = GradientsParams::from_grads(loss.backward(), &net);
        network = Some(adam.step(1e-3, net, gradients));
        Ok(loss.into_scalar::<f32>())
    }))
}
