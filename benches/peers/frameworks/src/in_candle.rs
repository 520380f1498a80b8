//! The network in candle, on the CPU.

use crate::recipe::{Activation, Layer, Padding, Recipe};
use crate::{CLASSES, Result, Training};
use candle_core::{D, DType, Device, Tensor};
use candle_nn::rnn::{GRU, GRUConfig, RNN, gru};
use candle_nn::{
    AdamW, BatchNorm, Init, Linear, Module, Optimizer, ParamsAdamW, VarBuilder, VarMap, batch_norm,
    linear, loss, ops,
};

/// A layer with its weights.
enum Made {
    /// candle-nn's own convolution has square kernels only.
    Convolution {
        weight: Tensor,
        bias: Tensor,
        padding: usize,
        activation: Option<Activation>,
    },
    Pool([usize; 2]),
    Norm(BatchNorm),
    Dropout(f32),
    Permute(Vec<usize>),
    Flatten(usize),
    Recurrent(GRU, bool),
    Linear(Linear, Option<Activation>),
}

fn activate(x: Tensor, activation: Option<Activation>) -> candle_core::Result<Tensor> {
    match activation {
        Some(Activation::Relu) => x.relu(),
        Some(Activation::Elu) => x.elu(1.0),
        None => Ok(x),
    }
}

impl Made {
    /// The layer for inputs of this shape, batch first.
    fn new(layer: &Layer, shape: &[usize], vb: VarBuilder) -> Result<Made> {
        let features = *shape.last().ok_or("a layer without input")?;
        Ok(match layer {
            Layer::Conv2d {
                out_channels,
                kernel,
                padding,
                activation,
                ..
            } => {
                let [h, w] = kernel.each();
                let padding = match padding {
                    Padding::Same if h == w && h % 2 == 1 => h / 2,
                    Padding::Same => return Err("candle: one padding for both axes".into()),
                    Padding::None => 0,
                };
                let bound = 1.0 / ((shape[1] * h * w) as f64).sqrt();
                let uniform = Init::Uniform {
                    lo: -bound,
                    up: bound,
                };
                Made::Convolution {
                    weight: vb.get_with_hints(
                        (*out_channels, shape[1], h, w),
                        "weight",
                        uniform,
                    )?,
                    bias: vb.get_with_hints(*out_channels, "bias", uniform)?,
                    padding,
                    activation: *activation,
                }
            }
            Layer::MaxPool2d { kernel } => Made::Pool(kernel.each()),
            Layer::BatchNorm => Made::Norm(batch_norm(shape[1], 1e-5, vb)?),
            Layer::Dropout { p } => Made::Dropout(*p as f32),
            Layer::Permute { axes } => Made::Permute(
                std::iter::once(0)
                    .chain(axes.iter().map(|a| a + 1))
                    .collect(),
            ),
            Layer::Flatten { start } => Made::Flatten(start + 1),
            Layer::Gru { hidden, last } => {
                Made::Recurrent(gru(features, *hidden, GRUConfig::default(), vb)?, *last)
            }
            Layer::Linear {
                out_features,
                activation,
                ..
            } => Made::Linear(linear(features, out_features.number(), vb)?, *activation),
        })
    }

    fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        match self {
            Made::Convolution {
                weight,
                bias,
                padding,
                activation,
            } => {
                let bias = bias.reshape((1, bias.elem_count(), 1, 1))?;
                activate(
                    x.conv2d(weight, *padding, 1, 1, 1)?.broadcast_add(&bias)?,
                    *activation,
                )
            }
            Made::Pool([h, w]) => {
                let (_, _, height, width) = x.dims4()?;
                let mut x = x.clone();
                if height % h > 0 {
                    x = x.narrow(2, 0, height - height % h)?;
                }
                if width % w > 0 {
                    x = x.narrow(3, 0, width - width % w)?;
                }
                x.contiguous()?.max_pool2d((*h, *w))
            }
            Made::Norm(norm) => norm.forward_train(x),
            Made::Dropout(p) => ops::dropout(x, *p),
            Made::Permute(axes) => x.permute(&axes[..])?.contiguous(),
            Made::Flatten(start) => x.flatten_from(*start),
            Made::Recurrent(gru, last) => {
                let states = gru.seq(x)?;
                match (last, states.last()) {
                    (true, Some(state)) => Ok(state.h().clone()),
                    // Its own `states_to_tensor` puts a GRU's steps side by side as one vector.
                    _ => {
                        Tensor::stack(&states.iter().map(|s| s.h().clone()).collect::<Vec<_>>(), 1)
                    }
                }
            }
            Made::Linear(linear, activation) => activate(linear.forward(x)?, *activation),
        }
    }
}

/// A training of this recipe's network on one batch of noise.
pub fn training(recipe: &Recipe) -> Result<Training> {
    let (device, weights) = (Device::Cpu, VarMap::new());
    let vb = VarBuilder::from_varmap(&weights, DType::F32, &device);
    let shape = recipe.batch_shape();
    let mut probe = Tensor::zeros((1, shape[1], shape[2], shape[3]), DType::F32, &device)?;
    let mut layers = Vec::new();
    for (i, layer) in recipe.layers().iter().enumerate() {
        let made = Made::new(layer, probe.dims(), vb.pp(i))?;
        probe = made.forward(&probe)?.detach();
        layers.push(made);
    }
    if probe.dim(D::Minus1)? != CLASSES {
        return Err(format!("the network ends with the shape {:?}", probe.dims()).into());
    }
    let x = Tensor::randn(0f32, 1.0, &shape[..], &device)?;
    let labels: Vec<u32> = recipe.labels().map(|label| label as u32).collect();
    let labels = Tensor::new(labels, &device)?;
    // Without weight decay AdamW is Adam.
    let settings = ParamsAdamW {
        lr: 1e-3,
        weight_decay: 0.0,
        ..ParamsAdamW::default()
    };
    let mut adam = AdamW::new(weights.all_vars(), settings)?;
    Ok(Box::new(move || {
        let mut y = x.clone();
        for layer in &layers {
            y = layer.forward(&y)?;
        }
        let loss = loss::cross_entropy(&y, &labels)?;
        adam.backward_step(&loss)?;
        Ok(loss.to_scalar::<f32>()?)
    }))
}
