//! One step of a network: operation, output shape, parameters, number of operations.

use super::layer::Function;
use crate::error::{Error, Result};
use crate::ops::{
    Cell, ConvOptions, LocalResponseNormOptions, PoolOptions, RecurrentOptions, ResizeMode,
};
use crate::shape::Shape;
use kernels::rearrange::MAX_AXES;

/// Operation of a step, with all sizes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Operation {
    Conv2d(ConvOptions, Option<Function>),
    MaxPool2d(PoolOptions),
    AvgPool2d(PoolOptions, bool),
    GlobalAvgPool,
    GlobalMaxPool,
    BatchNorm {
        eps: f64,
        momentum: f64,
    },
    LocalResponseNorm(LocalResponseNormOptions),
    Activation(Function),
    Linear(Option<Function>),
    Recurrent(Sizes, RecurrentOptions),
    Flatten,
    Dropout(f32),
    /// Order of all axes, including the batch; axes after the last are unchanged.
    Permute([usize; MAX_AXES]),
    /// Reshapes to the step's output shape.
    Reshape,
    /// Padding along height and width, before and after; its value.
    Pad2d([[i64; 2]; 2], f32),
    Resize([usize; 2], ResizeMode),
    Softmax,
    /// Concatenates all inputs along this axis of an example.
    Concat(usize),
    /// Adds all inputs.
    Add,
}

impl Operation {
    /// Whether the output is a view of the input with another shape.
    pub fn is_view(self) -> bool {
        matches!(self, Operation::Flatten | Operation::Reshape)
    }

    /// Whether its input, and whether its output, is saved for the backward pass.
    pub fn keeps(self) -> (bool, bool) {
        match self {
            Operation::Conv2d(_, own) | Operation::Linear(own) => (true, own.is_some()),
            Operation::Activation(function) => {
                let output = function.fused().is_some();
                (!output, output)
            }
            Operation::Softmax => (false, true),
            Operation::BatchNorm { .. }
            | Operation::LocalResponseNorm(_)
            | Operation::Recurrent(..) => (true, false),
            Operation::MaxPool2d(_)
            | Operation::AvgPool2d(..)
            | Operation::GlobalAvgPool
            | Operation::GlobalMaxPool
            | Operation::Flatten
            | Operation::Dropout(_)
            | Operation::Permute(_)
            | Operation::Reshape
            | Operation::Pad2d(..)
            | Operation::Resize(..)
            | Operation::Concat(_)
            | Operation::Add => (false, false),
        }
    }

    /// Whether it works on images; the input of a 1-D layer is an image of height 1.
    pub fn is_2d(self) -> bool {
        use Operation::{AvgPool2d, Conv2d, MaxPool2d};
        matches!(self, Conv2d(..) | MaxPool2d(_) | AvgPool2d(..))
    }
}

/// Specification of a parameter: its shape and initialisation.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ParameterSpec {
    pub name: String,
    pub shape: Shape,
    pub start: Start,
    pub l2: f32,
    /// Whether it is trainable. If not, it is state: the forward pass in training updates it and model files hold it,
    /// but optimizers and parameter counts ignore it.
    pub learned: bool,
}

/// Initialisation of a parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Start {
    /// Uniform in `[-bound, bound)`.
    Uniform(f32),
    /// Constant value.
    Constant(f32),
}

/// Kind of a recurrent step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sizes {
    pub cell: Cell,
    pub hidden: usize,
    pub directions: usize,
}

/// Result of a layer's shape inference: operation, output, parameters (named within the layer), number of operations.
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

/// Number of elements of a shape, if 32-bit indices can address them.
pub(super) fn elements(shape: &[usize]) -> Option<usize> {
    let product = shape
        .iter()
        .try_fold(1usize, |n, &axis| n.checked_mul(axis));
    product.filter(|&n| n < 1 << 31)
}

/// Returns a trainable parameter, initialised uniformly in `[-bound, bound)`.
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
