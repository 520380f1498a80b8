//! What one step of a network does: operation, output shape, parameters, work.

use super::layer::Function;
use crate::error::{Error, Result};
use crate::ops::{
    Cell, ConvOptions, LocalResponseNormOptions, PoolOptions, RecurrentOptions, ResizeMode,
};
use crate::shape::Shape;
use kernels::rearrange::MAX_AXES;

/// What a step does, with all sizes worked out.
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
    /// The order of all axes, the batch among them; what is behind the last stays.
    Permute([usize; MAX_AXES]),
    /// To the step's output shape.
    Reshape,
    /// Along height and width, before and after; the value.
    Pad2d([[i64; 2]; 2], f32),
    Resize([usize; 2], ResizeMode),
    Softmax,
    /// Of all inputs, along this axis of an example.
    Concat(usize),
    /// Of all inputs.
    Add,
}

impl Operation {
    /// Whether it only shows its input's numbers under another shape.
    pub fn is_view(self) -> bool {
        matches!(self, Operation::Flatten | Operation::Reshape)
    }

    /// Whether it keeps its input for the way back, and whether its output.
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

    /// Whether it works on images; a 1-D layer's input is one of height 1.
    pub fn is_2d(self) -> bool {
        use Operation::{AvgPool2d, Conv2d, MaxPool2d};
        matches!(self, Conv2d(..) | MaxPool2d(_) | AvgPool2d(..))
    }
}

/// A parameter before it has numbers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ParameterSpec {
    pub name: String,
    pub shape: Shape,
    pub start: Start,
    pub l2: f32,
    /// Whether it is learned. What is not is state: training forward keeps it, model files carry it, optimizers and
    /// counts leave it out.
    pub learned: bool,
}

/// What a parameter starts from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Start {
    /// Uniform in `[-bound, bound)`.
    Uniform(f32),
    /// The same number everywhere.
    Constant(f32),
}

/// What a recurrent step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sizes {
    pub cell: Cell,
    pub hidden: usize,
    pub directions: usize,
}

/// What a layer makes of its input: operation, output, parameters (named within the layer) and work.
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

/// Elements of a shape, where 32-bit indices reach them.
pub(super) fn elements(shape: &[usize]) -> Option<usize> {
    let product = shape
        .iter()
        .try_fold(1usize, |n, &axis| n.checked_mul(axis));
    product.filter(|&n| n < 1 << 31)
}

/// A parameter that starts uniform in `[-bound, bound)` and is learned.
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
