//! The kinds of layers and their options, as a file spells them. Options that are left out take PyTorch's defaults.

pub use super::conv1d::{AvgPool1d, Conv1d, MaxPool1d};
pub use super::pooling::{AvgPool2d, GlobalAvgPool, GlobalMaxPool, MaxPool2d};
pub use super::recurrent::{Gru, Lstm};
pub use super::reshaping::{
    Combine, Interpolation, Pad2d, Parallel, Permute, Reshape, Resize, Softmax,
};

use super::size::{Padding, Units, pair};
use kernels::Activation as Fused;
use serde::{Deserialize, Serialize};

/// One layer: what it does, and perhaps a name. Without one it is called after its kind and number: `conv1`, `conv2`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Layer {
    /// Its name among its neighbours; part of its path and of its parameters' names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it does.
    #[serde(flatten)]
    pub kind: Kind,
}

impl Layer {
    /// The same layer under this name.
    pub fn named(self, name: &str) -> Self {
        Layer {
            name: Some(name.to_string()),
            ..self
        }
    }
}

/// Lists every kind once: the enum, the names that files use, and how each is read.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident => $stem:literal,)*) => {
        /// What a layer does.
        #[derive(Debug, Clone, PartialEq, Serialize)]
        #[serde(tag = "kind")]
        pub enum Kind {
            $($(#[$doc])* $kind($kind),)*
        }

        impl Kind {
            /// The names that files use for them.
            pub const NAMES: &[&str] = &[$(stringify!($kind)),*];

            /// The name that files use.
            pub fn name(&self) -> &'static str {
                match self { $(Kind::$kind(_) => stringify!($kind),)* }
            }

            /// What layers without a name are called, with a number.
            pub(crate) fn stem(&self) -> &'static str {
                match self { $(Kind::$kind(_) => $stem,)* }
            }

            /// The kind of this name with these fields; a text says what is wrong.
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
    /// A 2-D convolution.
    Conv2d => "conv",
    /// The largest number of each window.
    MaxPool2d => "pool",
    /// The mean of each window.
    AvgPool2d => "pool",
    /// The mean of each channel.
    GlobalAvgPool => "pool",
    /// The largest number of each channel.
    GlobalMaxPool => "pool",
    /// Each channel moved and scaled to mean 0 and variance 1.
    BatchNorm => "norm",
    /// Each number divided by a power of its neighbours' squares, across channels.
    LocalResponseNorm => "norm",
    /// A function of each number by itself.
    Activation => "activation",
    /// A fully connected layer along the last axis.
    Linear => "linear",
    /// All axes of an example into one.
    Flatten => "flatten",
    /// Numbers left out at random while training.
    Dropout => "dropout",
    /// Layers one after the other, under a name of their own.
    Sequential => "block",
    /// Branches side by side, put together at the end.
    Parallel => "parallel",
    /// The axes in another order.
    Permute => "permute",
    /// The same numbers under another shape.
    Reshape => "reshape",
    /// An image with more around it, or less.
    Pad2d => "pad",
    /// An image in another size.
    Resize => "resize",
    /// Probabilities along the last axis.
    Softmax => "softmax",
    /// A convolution along time.
    Conv1d => "conv",
    /// The largest number of each window along time.
    MaxPool1d => "pool",
    /// A gated recurrent unit along time.
    Gru => "gru",
    /// Long short-term memory along time.
    Lstm => "lstm",
    /// The mean of each window along time.
    AvgPool1d => "pool",
}

/// `Conv2d`: `[c, h, w]` to `[out_channels, oh, ow]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conv2d {
    /// Channels that come out.
    pub out_channels: usize,
    /// Height and width of the window: `3` or `[3, 5]`.
    #[serde(deserialize_with = "pair")]
    pub kernel: [usize; 2],
    /// Its step: `1`, `2` or `[1, 2]`.
    #[serde(default = "ones", deserialize_with = "pair")]
    pub stride: [usize; 2],
    /// Zeros around the input: `"valid"` (none), `"same"`, `1`, `[1, 2]` or `[[before, after], [before, after]]`.
    #[serde(default)]
    pub padding: Padding,
    /// Distance of the window's taps.
    #[serde(default = "ones", deserialize_with = "pair")]
    pub dilation: [usize; 2],
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

impl Conv2d {
    /// A convolution with PyTorch's defaults.
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

    /// With an activation on the way out.
    pub fn with(self, activation: Function) -> Self {
        Conv2d {
            activation: Some(activation),
            ..self
        }
    }

    /// With this padding.
    pub fn padded(self, padding: Padding) -> Self {
        Conv2d { padding, ..self }
    }
}

/// `BatchNorm`: `[c, ..]`, unchanged. While training each channel is normalised by its own mean and variance over the
/// batch, and running means of both follow; afterwards by these. They are saved as `running_mean` and `running_var`, but
/// not learned, and not counted among the parameters. A batch needs two numbers a channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BatchNorm {
    /// Added to the variance.
    #[serde(default = "eps")]
    pub eps: f64,
    /// How fast the running statistics follow the batches', in [0, 1] (Keras counts from the other end: its 0.99 is 0.01).
    #[serde(default = "momentum")]
    pub momentum: f64,
    /// Whether each channel has a weight and a bias behind that.
    #[serde(default = "yes")]
    pub affine: bool,
}

impl Default for BatchNorm {
    /// PyTorch's.
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
    /// Channels in a sum.
    pub size: usize,
    /// The weight of their mean square.
    #[serde(default = "alpha")]
    pub alpha: f64,
    /// The power.
    #[serde(default = "beta")]
    pub beta: f64,
    /// What the sum starts from.
    #[serde(default = "k")]
    pub k: f64,
}

impl LocalResponseNorm {
    /// PyTorch's defaults.
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
    /// Which function.
    pub function: Function,
}

/// `Linear`: `[.., in]` to `[.., out_features]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Linear {
    /// How many numbers come out: a number, or `"classes"` for as many as there are labels.
    pub out_features: Units,
    /// A function on the way out; the same as an `Activation` behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activation: Option<Function>,
    /// Whether there is a bias.
    #[serde(default = "yes")]
    pub bias: bool,
    /// Keras' `l2`: `l2 · Σ w²` of the weight (not the bias) is added to what is minimised.
    #[serde(default)]
    pub l2: f32,
}

impl Linear {
    /// A Linear layer with PyTorch's defaults.
    pub fn new(out_features: usize) -> Self {
        Linear {
            out_features: Units::Number(out_features),
            activation: None,
            bias: true,
            l2: 0.0,
        }
    }

    /// One output per label.
    pub fn classes() -> Self {
        Linear {
            out_features: Units::Classes,
            ..Linear::new(0)
        }
    }

    /// With an activation on the way out.
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
    /// The first axis that joins the others, counted from 0 without the batch.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub start: usize,
}

/// `Dropout`: any shape, unchanged. While training each number is 0 with probability `p`, else scaled by `1 / (1 - p)`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dropout {
    /// The probability of being left out, in `[0, 1)`.
    pub p: f32,
}

/// `Sequential`: layers one after the other; their paths start with this one's name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sequential {
    /// The layers.
    pub layers: Vec<Layer>,
}

/// A function of one number.
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
    /// The same as kernels apply it on the way out; `None` where they cannot.
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
