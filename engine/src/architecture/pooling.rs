//! Pooling layers: their options and shape inference.

use super::layer::yes;
use super::operation::{Inferred, Operation, chw};
use super::size::{Padding, pair, some_pair};
use crate::error::Result;
use crate::ops::PoolOptions;
use crate::shape::Shape;
use kernels::Kernel;
use serde::{Deserialize, Serialize};

/// `MaxPool2d`: `[c, h, w]` to `[c, oh, ow]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MaxPool2d {
    /// Height and width of the window.
    #[serde(deserialize_with = "pair")]
    pub kernel: [usize; 2],
    /// Stride; by default the size of the window.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "some_pair"
    )]
    pub stride: Option<[usize; 2]>,
    /// Padding that is never the maximum (-∞); at most half the window.
    #[serde(default)]
    pub padding: Padding,
}

impl MaxPool2d {
    /// Returns pooling with adjacent windows.
    pub fn new(kernel: [usize; 2]) -> Self {
        MaxPool2d {
            kernel,
            stride: None,
            padding: Padding::Valid,
        }
    }
}

/// `AvgPool2d`: `[c, h, w]` to `[c, oh, ow]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AvgPool2d {
    /// Height and width of the window.
    #[serde(deserialize_with = "pair")]
    pub kernel: [usize; 2],
    /// Stride; by default the size of the window.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "some_pair"
    )]
    pub stride: Option<[usize; 2]>,
    /// Zero padding; at most half the window.
    #[serde(default)]
    pub padding: Padding,
    /// Whether the mean includes the padding: it does in PyTorch, not in Keras.
    #[serde(default = "yes")]
    pub count_include_pad: bool,
}

impl AvgPool2d {
    /// Returns pooling with adjacent windows.
    pub fn new(kernel: [usize; 2]) -> Self {
        AvgPool2d {
            kernel,
            stride: None,
            padding: Padding::Valid,
            count_include_pad: true,
        }
    }
}

/// `GlobalAvgPool`: `[c, h, w]` to `[c]`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct GlobalAvgPool {}

/// `GlobalMaxPool`: `[c, h, w]` to `[c]`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct GlobalMaxPool {}

pub(super) fn max_pool2d(layer: &MaxPool2d, input: &Shape) -> Result<Inferred> {
    let [c, h, w] = chw("max_pool2d", input)?;
    let options = options(layer.kernel, layer.stride, layer.padding, [h, w]);
    let kernel = kernels::max_pool2d::MaxPool2d {
        n: 1,
        c,
        h,
        w,
        kernel: options.kernel,
        stride: options.stride,
        pad: options.pad,
    };
    kernel.check()?;
    let [oh, ow] = kernel.output();
    Ok(Inferred::plain(
        Operation::MaxPool2d(options),
        [c, oh, ow].into(),
    ))
}

pub(super) fn avg_pool2d(layer: &AvgPool2d, input: &Shape) -> Result<Inferred> {
    let [c, h, w] = chw("avg_pool2d", input)?;
    let options = options(layer.kernel, layer.stride, layer.padding, [h, w]);
    let kernel = kernels::avg_pool2d::AvgPool2d::new([1, c, h, w], options.kernel)
        .with(options.stride, options.pad);
    kernel.check()?;
    let [oh, ow] = kernel.output();
    Ok(Inferred::plain(
        Operation::AvgPool2d(options, layer.count_include_pad),
        [c, oh, ow].into(),
    ))
}

/// Returns the layout of the windows on a plane.
fn options(
    kernel: [usize; 2],
    stride: Option<[usize; 2]>,
    padding: Padding,
    [h, w]: [usize; 2],
) -> PoolOptions {
    let stride = stride.unwrap_or(kernel);
    let axis = |i: usize, length: usize| padding.resolve(i, length, kernel[i], stride[i]);
    PoolOptions {
        kernel,
        stride,
        pad: [axis(0, h), axis(1, w)],
    }
}

/// Returns pooling over the whole plane: one value per channel.
pub(super) fn global(operation: Operation, input: &Shape) -> Result<Inferred> {
    let [c, _, _] = chw("global pooling", input)?;
    Ok(Inferred::plain(operation, [c].into()))
}
