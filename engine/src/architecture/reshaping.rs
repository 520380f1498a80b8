//! Layers that move elements: their options and shape inference.

use super::layer::Layer;
use super::operation::{Inferred, Operation, elements};
use crate::error::{Error, Result};
use crate::ops::ResizeMode;
use crate::ops::rearrange::{joined, padded};
use crate::shape::Shape;
use kernels::Kernel;
use kernels::rearrange::MAX_AXES;
use kernels::resize2d::Resize2d;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// `Permute`: permutes the axes of an example: `[1, 2, 0]` turns `[c, h, w]` into `[h, w, c]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Permute {
    /// For each output axis, its input axis; axes are counted from 0, without the batch.
    pub axes: Vec<usize>,
}

/// `Reshape`: changes the shape, not the elements.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reshape {
    /// Shape of an example; one length may be -1 and is then inferred.
    pub shape: Vec<i64>,
}

/// `Pad2d`: pads `[c, h, w]`, or crops it where the padding is negative.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pad2d {
    /// Padding: `1`, `[1, 2]` (height, width) or `[[before, after], [before, after]]`.
    #[serde(deserialize_with = "sides")]
    pub padding: [[i64; 2]; 2],
    /// Value of the padding.
    #[serde(default)]
    pub value: f32,
}

/// `Resize`: resizes `[c, h, w]` to another height and width.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Resize {
    /// Output height and width.
    #[serde(deserialize_with = "super::size::pair")]
    pub size: [usize; 2],
    /// Interpolation.
    #[serde(default)]
    pub mode: Interpolation,
}

/// Interpolation mode, as in PyTorch's `interpolate`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interpolation {
    /// Linear interpolation (`align_corners=False`, no antialiasing).
    #[default]
    Bilinear,
    /// Mean of all input pixels that an output pixel covers.
    Area,
}

/// `Softmax` along the last axis. Not before the loss: cross-entropy takes logits.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Softmax {}

/// `Parallel`: several branches with the same input, combined at the end. A branch without layers is the identity.
/// Paths are `parallel1/branch1/conv1`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Parallel {
    /// Layers of each branch.
    pub branches: Vec<Vec<Layer>>,
    /// How the outputs are combined.
    #[serde(default)]
    pub combine: Combine,
    /// Axis of [`Combine::Concat`], counted from 0 without the batch; by default the channels.
    #[serde(default)]
    pub axis: usize,
}

/// How branches are combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Combine {
    /// Concatenated along an axis, as in an inception module.
    #[default]
    Concat,
    /// Added: with an identity branch, a residual block.
    Add,
}

pub(super) fn permute(layer: &Permute, input: &Shape) -> Result<Inferred> {
    let (axes, rank) = (&layer.axes, input.len());
    // The batch is one more axis.
    if rank >= MAX_AXES || axes.len() != rank || (0..rank).any(|axis| !axes.contains(&axis)) {
        let problem = format!("does not have each of the axes {axes:?} once (five at most)");
        return Err(Error::shape("permute", input, problem));
    }
    let mut order: [usize; MAX_AXES] = std::array::from_fn(|k| k);
    for (place, axis) in order[1..].iter_mut().zip(axes) {
        *place = axis + 1;
    }
    let output: Vec<usize> = axes.iter().map(|&axis| input[axis]).collect();
    Ok(Inferred::plain(Operation::Permute(order), output.into()))
}

pub(super) fn reshape(layer: &Reshape, input: &Shape) -> Result<Inferred> {
    let shape = &layer.shape;
    let refused = || {
        let problem = format!("cannot become {shape:?}");
        Error::shape("reshape", input, problem)
    };
    let known = |&length: &i64| match length {
        -1 => Some(1),
        length => usize::try_from(length).ok().filter(|&n| n > 0),
    };
    let mut output: Vec<usize> = (shape.iter().map(known))
        .collect::<Option<_>>()
        .ok_or_else(refused)?;
    let open: Vec<usize> = (0..shape.len()).filter(|&k| shape[k] == -1).collect();
    let product = elements(&output).ok_or_else(refused)?;
    match open[..] {
        [] => {}
        [k] => output[k] = input.elements() / product,
        _ => return Err(refused()),
    }
    if output.is_empty() || elements(&output) != Some(input.elements()) {
        return Err(refused());
    }
    Ok(Inferred::plain(Operation::Reshape, output.into()))
}

pub(super) fn pad2d(layer: &Pad2d, input: &Shape) -> Result<Inferred> {
    let [h, w] = layer.padding;
    if input.len() != 3 {
        return Err(Error::shape("pad2d", input, "is not [c, h, w]"));
    }
    let output = padded("pad2d", input, &[[0, 0], h, w])?;
    if elements(&output).is_none() {
        let problem = "has more than 2^31 elements";
        return Err(Error::shape("pad2d", &output, problem));
    }
    let operation = Operation::Pad2d(layer.padding, layer.value);
    Ok(Inferred::plain(operation, output.into()))
}

pub(super) fn resize(layer: &Resize, input: &Shape) -> Result<Inferred> {
    let Ok([c, h, w]) = <[usize; 3]>::try_from(&input[..]) else {
        return Err(Error::shape("resize", input, "is not [c, h, w]"));
    };
    let mode = match layer.mode {
        Interpolation::Bilinear => ResizeMode::Bilinear,
        Interpolation::Area => ResizeMode::Area,
    };
    let kernel = Resize2d {
        planes: c,
        from: [h, w],
        to: layer.size,
        mode,
    };
    kernel.check()?;
    let [oh, ow] = layer.size;
    Ok(Inferred {
        multiply_adds: kernel.flops() / 2,
        ..Inferred::plain(Operation::Resize(layer.size, mode), [c, oh, ow].into())
    })
}

/// Infers the output of branches with these shapes.
pub(super) fn join(layer: &Parallel, shapes: &[&[usize]]) -> Result<Inferred> {
    let shape = match (layer.combine, shapes) {
        (Combine::Add, [first, others @ ..]) => {
            if let Some(other) = others.iter().find(|other| *other != first) {
                let problem = "branches that are added must agree";
                return Err(Error::shapes("parallel", first, other, problem));
            }
            first.to_vec()
        }
        _ => joined("parallel", shapes, layer.axis)?,
    };
    if elements(&shape).is_none() {
        let problem = "has more than 2^31 elements";
        return Err(Error::shape("parallel", &shape, problem));
    }
    let operation = match layer.combine {
        Combine::Concat => Operation::Concat(layer.axis),
        Combine::Add => Operation::Add,
    };
    Ok(Inferred::plain(operation, shape.into()))
}

/// Reads `1` as 1 on every side, `[1, 2]` as 1 above and below and 2 left and right, and pairs unchanged.
fn sides<'de, D: Deserializer<'de>>(d: D) -> Result<[[i64; 2]; 2], D::Error> {
    let value = Value::deserialize(d)?;
    let pair = |value: &Value| match value.as_i64() {
        Some(n) => Some([n, n]),
        None => serde_json::from_value::<[i64; 2]>(value.clone()).ok(),
    };
    let sides = match &value {
        Value::Array(axes) => match &axes[..] {
            [h, w] => pair(h).zip(pair(w)).map(|(h, w)| [h, w]),
            _ => None,
        },
        value => pair(value).map(|both| [both; 2]),
    };
    sides.ok_or_else(|| {
        let forms = "a number, [height, width] or [[before, after], [before, after]]";
        D::Error::custom(format!("padding {value} is not {forms}"))
    })
}
