//! 1-D layers on `[c, t]`, computed as 2-D layers on `[c, 1, t]`. No data moves, and all features of 2-D layers (fusion
//! with the layers after them, counting, observers) apply.

use super::convolution;
use super::layer::{AvgPool2d, Conv2d, Function, MaxPool2d, one, yes};
use super::operation::Inferred;
use super::pooling;
use super::size::Padding;
use crate::error::{Error, Result};
use crate::shape::Shape;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// `Conv1d`: `[c, t]` to `[out_channels, ot]`. The weight is `[out_channels, c / groups, kernel]`, as in PyTorch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conv1d {
    /// Number of output channels.
    pub out_channels: usize,
    /// Length of the kernel.
    pub kernel: usize,
    /// Stride.
    #[serde(default = "one")]
    pub stride: usize,
    /// Zero padding: `"valid"` (none), `"same"`, `1` or `[before, after]`.
    #[serde(default, serialize_with = "write", deserialize_with = "read")]
    pub padding: Padding,
    /// Spacing between kernel elements (PyTorch's `dilation`).
    #[serde(default = "one")]
    pub dilation: usize,
    /// Number of groups of channels.
    #[serde(default = "one")]
    pub groups: usize,
    /// Activation applied to the output; the same as an `Activation` layer after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activation: Option<Function>,
    /// Whether each output channel has a bias.
    #[serde(default = "yes")]
    pub bias: bool,
    /// Keras' `l2`: adds `l2 · Σ w²` of the weight (not the bias) to the loss that is minimised.
    #[serde(default)]
    pub l2: f32,
}

impl Conv1d {
    /// Returns a convolution with PyTorch's defaults.
    pub fn new(out_channels: usize, kernel: usize) -> Self {
        Conv1d {
            out_channels,
            kernel,
            stride: 1,
            padding: Padding::Valid,
            dilation: 1,
            groups: 1,
            activation: None,
            bias: true,
            l2: 0.0,
        }
    }
}

/// `MaxPool1d`: `[c, t]` to `[c, ot]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MaxPool1d {
    /// Length of the window.
    pub kernel: usize,
    /// Stride; by default the length of the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stride: Option<usize>,
    /// Padding that is never the maximum (-∞); at most half the window.
    #[serde(default, serialize_with = "write", deserialize_with = "read")]
    pub padding: Padding,
}

impl MaxPool1d {
    /// Returns pooling with adjacent windows.
    pub fn new(kernel: usize) -> Self {
        MaxPool1d {
            kernel,
            stride: None,
            padding: Padding::Valid,
        }
    }
}

/// `AvgPool1d`: `[c, t]` to `[c, ot]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AvgPool1d {
    /// Length of the window.
    pub kernel: usize,
    /// Stride; by default the length of the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stride: Option<usize>,
    /// Zero padding; at most half the window.
    #[serde(default, serialize_with = "write", deserialize_with = "read")]
    pub padding: Padding,
    /// Whether the mean includes the padding: it does in PyTorch, not in Keras.
    #[serde(default = "yes")]
    pub count_include_pad: bool,
}

impl AvgPool1d {
    /// Returns pooling with adjacent windows.
    pub fn new(kernel: usize) -> Self {
        AvgPool1d {
            kernel,
            stride: None,
            padding: Padding::Valid,
            count_include_pad: true,
        }
    }
}

pub(super) fn conv1d(layer: &Conv1d, input: &Shape) -> Result<Inferred> {
    let upright = Conv2d {
        out_channels: layer.out_channels,
        kernel: [1, layer.kernel],
        stride: [1, layer.stride],
        padding: layer.padding,
        dilation: [1, layer.dilation],
        groups: layer.groups,
        activation: layer.activation,
        bias: layer.bias,
        l2: layer.l2,
    };
    let found = convolution::conv2d(&upright, &upright_shape("conv1d", input)?)?;
    Ok(flattened(found))
}

pub(super) fn max_pool1d(layer: &MaxPool1d, input: &Shape) -> Result<Inferred> {
    let upright = MaxPool2d {
        kernel: [1, layer.kernel],
        stride: layer.stride.map(|stride| [1, stride]),
        padding: layer.padding,
    };
    let found = pooling::max_pool2d(&upright, &upright_shape("max_pool1d", input)?)?;
    Ok(flattened(found))
}

pub(super) fn avg_pool1d(layer: &AvgPool1d, input: &Shape) -> Result<Inferred> {
    let upright = AvgPool2d {
        kernel: [1, layer.kernel],
        stride: layer.stride.map(|stride| [1, stride]),
        padding: layer.padding,
        count_include_pad: layer.count_include_pad,
    };
    let found = pooling::avg_pool2d(&upright, &upright_shape("avg_pool1d", input)?)?;
    Ok(flattened(found))
}

/// Returns `[c, t]` as `[c, 1, t]`.
fn upright_shape(operation: &'static str, input: &Shape) -> Result<Shape> {
    match input[..] {
        [c, t] => Ok([c, 1, t].into()),
        _ => Err(Error::shape(operation, input, "is not [c, t]")),
    }
}

/// Removes the height of 1 from the output and from the weight.
fn flattened(mut found: Inferred) -> Inferred {
    found.output = found.output.without(1);
    if let Some(weight) = found.parameters.first_mut() {
        weight.shape = weight.shape.without(2);
    }
    found
}

/// Reads `1` or `[before, after]` for the only axis; names as for two axes.
fn read<'de, D: Deserializer<'de>>(d: D) -> Result<Padding, D::Error> {
    let value = Value::deserialize(d)?;
    let along = match &value {
        Value::Array(_) => value.clone(),
        Value::Number(_) => Value::Array(vec![value.clone(); 2]),
        _ => return serde_json::from_value(value).map_err(D::Error::custom),
    };
    let both = Value::Array(vec![serde_json::json!([0, 0]), along]);
    serde_json::from_value(both).map_err(|_| {
        let forms = "\"valid\", \"same\", a number or [before, after]";
        D::Error::custom(format!("padding {value} is not {forms}"))
    })
}

fn write<S: Serializer>(padding: &Padding, s: S) -> Result<S::Ok, S::Error> {
    match padding {
        Padding::Zeros([_, along]) => along.serialize(s),
        padding => padding.serialize(s),
    }
}
