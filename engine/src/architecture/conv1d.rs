//! 1-D layers on `[c, t]`: the 2-D ones on `[c, 1, t]`. Nothing is moved, and everything that 2-D layers can do (run as
//! one with what is behind them, be counted, be watched) holds for them.

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
    /// Channels that come out.
    pub out_channels: usize,
    /// Length of the window.
    pub kernel: usize,
    /// Its step.
    #[serde(default = "one")]
    pub stride: usize,
    /// Zeros around the input: `"valid"` (none), `"same"`, `1` or `[before, after]`.
    #[serde(default, serialize_with = "write", deserialize_with = "read")]
    pub padding: Padding,
    /// Distance of the window's taps.
    #[serde(default = "one")]
    pub dilation: usize,
    /// Into how many groups the channels are cut.
    #[serde(default = "one")]
    pub groups: usize,
    /// A function on the way out; the same as an `Activation` behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activation: Option<Function>,
    /// Whether each channel has a bias.
    #[serde(default = "yes")]
    pub bias: bool,
    /// Keras' `l2`: `l2 · Σ w²` of the weight (not the bias) is added to what is minimised.
    #[serde(default)]
    pub l2: f32,
}

impl Conv1d {
    /// A convolution with PyTorch's defaults.
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
    /// Its step; the window itself where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stride: Option<usize>,
    /// Places around the input that never win; at most half the window.
    #[serde(default, serialize_with = "write", deserialize_with = "read")]
    pub padding: Padding,
}

impl MaxPool1d {
    /// Windows side by side.
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
    /// Its step; the window itself where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stride: Option<usize>,
    /// Zeros around the input; at most half the window.
    #[serde(default, serialize_with = "write", deserialize_with = "read")]
    pub padding: Padding,
    /// Whether these zeros count in the mean: they do in PyTorch, they do not in Keras.
    #[serde(default = "yes")]
    pub count_include_pad: bool,
}

impl AvgPool1d {
    /// Windows side by side.
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

/// `[c, t]` as `[c, 1, t]`.
fn upright_shape(operation: &'static str, input: &Shape) -> Result<Shape> {
    match input[..] {
        [c, t] => Ok([c, 1, t].into()),
        _ => Err(Error::shape(operation, input, "is not [c, t]")),
    }
}

/// The same without the height of 1, in the output and in the weight.
fn flattened(mut found: Inferred) -> Inferred {
    found.output = found.output.without(1);
    if let Some(weight) = found.parameters.first_mut() {
        weight.shape = weight.shape.without(2);
    }
    found
}

/// `1` or `[before, after]` along the only axis; names as for two.
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
