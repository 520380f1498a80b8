//! Kinds of layers and their options, as spelled in files. Options that are left out take PyTorch's defaults.

pub use super::conv1d::{AvgPool1d, Conv1d, MaxPool1d};
pub use super::pooling::{AvgPool2d, GlobalAvgPool, GlobalMaxPool, MaxPool2d};
pub use super::recurrent::{Gru, Lstm};
pub use super::reshaping::{
    Combine, Interpolation, Pad2d, Parallel, Permute, Reshape, Resize, Softmax,
};

use super::size::{Padding, Units, pair};
use kernels::Activation as Fused;
use serde::{Deserialize, Serialize};

/// One layer: its operation, and optionally a name. The default name is its kind with a number: `conv1`, `conv2`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Layer {
    /// Name among its neighbours; part of its path and of its parameters' names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Operation of the layer.
    #[serde(flatten)]
    pub kind: Kind,
}

impl Layer {
    /// Returns the same layer with this name.
    pub fn named(self, name: &str) -> Self {
        Layer {
            name: Some(name.to_string()),
            ..self
        }
    }
}

/// Lists every kind once: the enum, the names used in files, and how each is read.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident => $stem:literal,)*) => {
        /// Operation of a layer.
        #[derive(Debug, Clone, PartialEq, Serialize)]
        #[serde(tag = "kind")]
        pub enum Kind {
            $($(#[$doc])* $kind($kind),)*
        }

        impl Kind {
            /// Names of the kinds in files.
            pub const NAMES: &[&str] = &[$(stringify!($kind)),*];

            /// Returns the name used in files.
            pub fn name(&self) -> &'static str {
                match self { $(Kind::$kind(_) => stringify!($kind),)* }
            }

            /// Returns the stem of default names, to which a number is added.
            pub(crate) fn stem(&self) -> &'static str {
                match self { $(Kind::$kind(_) => $stem,)* }
            }

            /// Parses the kind of this name from these fields. An error is a text that says what is wrong.
            pub(super) fn read(name: &str, fields: super::fields::Fields) -> Result<Self, String> {
                match name {
                    $(stringify!($kind) => super::fields::fields(name, fields).map(Kind::$kind),)*
                    _ => Err(super::fields::unknown("kind", name, Kind::NAMES)),
                }
            }
        }

        $(impl From<$kind> for Layer {
            fn from(kind: $kind) -> Self {
                Layer { name: None, kind: Kind::$kind(kind) }
            }
        })*
    };
}

kinds! {
    /// 2-D convolution.
    Conv2d => "conv",
    /// 2-D max pooling.
    MaxPool2d => "pool",
    /// 2-D average pooling.
    AvgPool2d => "pool",
    /// Mean of each channel.
    GlobalAvgPool => "pool",
    /// Maximum of each channel.
    GlobalMaxPool => "pool",
    /// Batch normalisation: each channel normalised to mean 0 and variance 1.
    BatchNorm => "norm",
    /// Local response normalisation: divides by a power of the sum of neighbouring channels' squares.
    LocalResponseNorm => "norm",
    /// Element-wise activation function.
    Activation => "activation",
    /// Fully connected layer along the last axis.
    Linear => "linear",
    /// Joins all axes of an example into one.
    Flatten => "flatten",
    /// Sets random elements to zero in training.
    Dropout => "dropout",
    /// Layers in sequence, with a common name.
    Sequential => "block",
    /// Parallel branches, combined at the end.
    Parallel => "parallel",
    /// Permutes the axes.
    Permute => "permute",
    /// Changes the shape, not the elements.
    Reshape => "reshape",
    /// Pads or crops an image.
    Pad2d => "pad",
    /// Resizes an image.
    Resize => "resize",
    /// Softmax along the last axis.
    Softmax => "softmax",
    /// 1-D convolution along time.
    Conv1d => "conv",
    /// 1-D max pooling along time.
    MaxPool1d => "pool",
    /// Gated recurrent unit along time.
    Gru => "gru",
    /// Long short-term memory along time.
    Lstm => "lstm",
    /// 1-D average pooling along time.
    AvgPool1d => "pool",
}

/// `Conv2d`: `[c, h, w]` to `[out_channels, oh, ow]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conv2d {
    /// Number of output channels.
    pub out_channels: usize,
    /// Height and width of the kernel: `3` or `[3, 5]`.
    #[serde(deserialize_with = "pair")]
    pub kernel: [usize; 2],
    /// Stride: `1`, `2` or `[1, 2]`.
    #[serde(default = "ones", deserialize_with = "pair")]
    pub stride: [usize; 2],
    /// Zero padding: `"valid"` (none), `"same"`, `1`, `[1, 2]` or `[[before, after], [before, after]]`.
    #[serde(default)]
    pub padding: Padding,
    /// Spacing between kernel elements (PyTorch's `dilation`).
    #[serde(default = "ones", deserialize_with = "pair")]
    pub dilation: [usize; 2],
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

impl Conv2d {
    /// Returns a convolution with PyTorch's defaults.
    pub fn new(out_channels: usize, kernel: [usize; 2]) -> Self {
        Conv2d {
            out_channels,
            kernel,
            stride: [1, 1],
            padding: Padding::Valid,
            dilation: [1, 1],
            groups: 1,
            activation: None,
            bias: true,
            l2: 0.0,
        }
    }

    /// Returns the layer with an activation of its output.
    pub fn with(self, activation: Function) -> Self {
        Conv2d {
            activation: Some(activation),
            ..self
        }
    }

    /// Returns the layer with this padding.
    pub fn padded(self, padding: Padding) -> Self {
        Conv2d { padding, ..self }
    }
}

/// `BatchNorm`: `[c, ..]`, unchanged. In training, each channel is normalised by its mean and variance over the batch,
/// and running means of both are updated; in inference, by the running ones. These are saved as `running_mean` and
/// `running_var`, but are not trainable and not counted as parameters. A batch needs at least two values per channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BatchNorm {
    /// Small number added to the variance.
    #[serde(default = "eps")]
    pub eps: f64,
    /// Momentum of the running statistics, in [0, 1]: weight of the new batch (Keras' 0.99 is 0.01 here).
    #[serde(default = "momentum")]
    pub momentum: f64,
    /// Whether each channel has a trainable weight and bias.
    #[serde(default = "yes")]
    pub affine: bool,
}

impl Default for BatchNorm {
    /// Returns PyTorch's defaults.
    fn default() -> Self {
        BatchNorm {
            eps: eps(),
            momentum: momentum(),
            affine: true,
        }
    }
}

/// `LocalResponseNorm`: `[c, ..]`, unchanged: `x / (k + alpha / size · Σ x²)^beta`, summed over `size` neighbouring
/// channels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LocalResponseNorm {
    /// Number of channels in each sum.
    pub size: usize,
    /// Factor of their mean square.
    #[serde(default = "alpha")]
    pub alpha: f64,
    /// Exponent.
    #[serde(default = "beta")]
    pub beta: f64,
    /// Constant added to the sum.
    #[serde(default = "k")]
    pub k: f64,
}

impl LocalResponseNorm {
    /// Returns the layer with PyTorch's defaults.
    pub fn new(size: usize) -> Self {
        LocalResponseNorm {
            size,
            alpha: alpha(),
            beta: beta(),
            k: k(),
        }
    }
}

/// `Activation`: any shape, unchanged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Activation {
    /// Activation function.
    pub function: Function,
}

/// `Linear`: `[.., in]` to `[.., out_features]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Linear {
    /// Number of outputs, or `"classes"` for the number of labels.
    pub out_features: Units,
    /// Activation applied to the output; the same as an `Activation` layer after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activation: Option<Function>,
    /// Whether there is a bias.
    #[serde(default = "yes")]
    pub bias: bool,
    /// Keras' `l2`: adds `l2 · Σ w²` of the weight (not the bias) to the loss that is minimised.
    #[serde(default)]
    pub l2: f32,
}

impl Linear {
    /// Returns a Linear layer with PyTorch's defaults.
    pub fn new(out_features: usize) -> Self {
        Linear {
            out_features: Units::Number(out_features),
            activation: None,
            bias: true,
            l2: 0.0,
        }
    }

    /// Returns a layer with one output per label.
    pub fn classes() -> Self {
        Linear {
            out_features: Units::Classes,
            ..Linear::new(0)
        }
    }

    /// Returns the layer with an activation of its output.
    pub fn with(self, activation: Function) -> Self {
        Linear {
            activation: Some(activation),
            ..self
        }
    }
}

/// `Flatten`: `[c, h, w]` to `[c·h·w]`; with `start = 1` to `[c, h·w]`: a sequence, where the first axis is time.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Flatten {
    /// First axis to join with those after it, counted from 0 without the batch.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub start: usize,
}

/// `Dropout`: any shape, unchanged. In training, each element is 0 with probability `p`, else scaled by `1 / (1 - p)`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dropout {
    /// Probability of zero, in `[0, 1)`.
    pub p: f32,
}

/// `Sequential`: layers in sequence; their paths start with its name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sequential {
    /// The layers.
    pub layers: Vec<Layer>,
}

/// Activation function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Function {
    /// `max(x, 0)`
    Relu,
    /// `x`, or `0.01·x` below zero.
    LeakyRelu,
    /// `x`, or `eˣ - 1` below zero.
    Elu,
    /// Hyperbolic tangent.
    Tanh,
    /// `1 / (1 + e⁻ˣ)`
    Sigmoid,
    /// `x·Φ(x)`, with the normal distribution Φ.
    Gelu,
}

impl Function {
    /// Returns the fused activation of the kernels; `None` if they cannot fuse it.
    pub fn fused(self) -> Option<Fused> {
        Some(match self {
            Function::Relu => Fused::Relu,
            Function::LeakyRelu => Fused::LeakyRelu,
            Function::Elu => Fused::Elu,
            Function::Tanh => Fused::Tanh,
            Function::Sigmoid => Fused::Sigmoid,
            Function::Gelu => return None,
        })
    }
}

fn is_zero(start: &usize) -> bool {
    *start == 0
}

fn eps() -> f64 {
    1e-5
}

fn momentum() -> f64 {
    0.1
}

fn alpha() -> f64 {
    1e-4
}

fn beta() -> f64 {
    0.75
}

fn k() -> f64 {
    1.0
}

fn ones() -> [usize; 2] {
    [1, 1]
}

pub(super) fn one() -> usize {
    1
}

pub(super) fn yes() -> bool {
    true
}
