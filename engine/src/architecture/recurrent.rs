//! Recurrent layers: their options, shape inference and memory.

use super::layer::{Function, yes};
use super::operation::{Inferred, Operation, ParameterSpec, Sizes, uniform};
use crate::error::{Error, Result};
use crate::ops::{Cell, RecurrentOptions};
use crate::shape::Shape;
use kernels::Kernel;
use kernels::gru::Gru as GruKernel;
use kernels::lstm::Lstm as LstmKernel;
use kernels::recurrence::Recurrence;
use serde::{Deserialize, Serialize};

/// Both kinds have the same options.
macro_rules! recurrent {
    ($($(#[$doc:meta])* $name:ident: $cell:ident, $gates:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        pub struct $name {
            /// Size of the hidden state of one direction.
            pub hidden: usize,
            /// Whether a second direction runs backwards in time; its outputs follow those of the first.
            #[serde(default)]
            pub bidirectional: bool,
            /// Whether to return only the final state (Keras' `return_sequences=False`).
            #[serde(default)]
            pub last: bool,
            /// Activation of the candidate; any but `gelu`.
            #[serde(default = "tanh")]
            pub activation: Function,
            /// Whether there are biases (both of PyTorch's).
            #[serde(default = "yes")]
            pub bias: bool,
            /// Keras' `l2` of the kernel: adds `l2 · Σ w²` of `weight_ih_l0` to the loss that is minimised.
            #[serde(default)]
            pub l2: f32,
        }

        impl $name {
            #[doc = concat!("With PyTorch's defaults; ", $gates, " gates.")]
            pub fn new(hidden: usize) -> Self {
                $name {
                    hidden,
                    bidirectional: false,
                    last: false,
                    activation: tanh(),
                    bias: true,
                    l2: 0.0,
                }
            }

            /// Returns the layer with only the final state as output.
            pub fn last(self) -> Self {
                $name { last: true, ..self }
            }

            /// Returns the layer with both directions.
            pub fn bidirectional(self) -> Self {
                $name { bidirectional: true, ..self }
            }

            pub(super) fn infer(&self, input: &Shape) -> Result<Inferred> {
                let directions = if self.bidirectional { 2 } else { 1 };
                let sizes = Sizes { cell: Cell::$cell, hidden: self.hidden, directions };
                infer(sizes, self.activation, self.last, self.bias, self.l2, input)
            }
        }
    )*};
}

recurrent! {
    /// `Gru`: `[t, features]` to `[t, hidden]`, or `[hidden]` where `last`; twice as many where `bidirectional`.
    Gru: Gru, "three";
    /// `Lstm`: shapes as for [`Gru`]. The activation replaces both tanh, the candidate's and the cell's.
    Lstm: Lstm, "four";
}

fn tanh() -> Function {
    Function::Tanh
}

/// Memory per example beside input and output, in words.
pub(super) struct Words {
    /// Input projections of one direction's gates, in the forward pass.
    pub share: u64,
    /// Saved for the backward pass: states, cells and gates of every time step.
    pub kept: u64,
    /// Gradients of one direction's gates, in the backward pass.
    pub gradients: u64,
    /// Largest single buffer.
    pub largest: u64,
}

impl Sizes {
    /// Returns the memory for `t` steps.
    pub(super) fn words(self, t: usize) -> Words {
        let state = (t as u64).saturating_mul(self.hidden as u64);
        let gates = self.cell.gates() as u64 * state;
        let (kept, gradients) = match self.cell {
            Cell::Gru => (5, 2),
            Cell::Lstm => (6, 1),
        };
        Words {
            share: gates,
            kept: self.directions as u64 * kept * state,
            gradients: gradients * gates,
            largest: 4 * state,
        }
    }
}

/// Infers shapes and parameters: PyTorch's, with PyTorch's names, all initialised uniformly within `1 / √hidden`.
fn infer(
    sizes: Sizes,
    activation: Function,
    last: bool,
    bias: bool,
    l2: f32,
    input: &Shape,
) -> Result<Inferred> {
    let Sizes {
        cell,
        hidden,
        directions,
    } = sizes;
    let name = cell.name();
    let Ok([t, features]) = <[usize; 2]>::try_from(&input[..]) else {
        return Err(Error::shape(name, input, "is not [t, features]"));
    };
    let Some(activation) = activation.fused() else {
        let problem = "gelu cannot be the activation: its gradient does not read off its output";
        return Err(Error::option(name, problem));
    };
    let shape = Recurrence {
        columns: hidden.saturating_mul(directions),
        ..Recurrence::new([1, t, hidden])
    };
    let kernel: &dyn Kernel = match cell {
        Cell::Gru => &GruKernel(shape),
        Cell::Lstm => &LstmKernel(shape),
    };
    kernel.check()?;
    let gates = cell.gates() * hidden;
    let bound = 1.0 / (hidden as f32).sqrt();
    let mut parameters: Vec<ParameterSpec> = Vec::new();
    for suffix in &["", "_reverse"][..directions] {
        let mut add = |name: &str, shape: Shape, l2: f32| {
            uniform(&format!("{name}{suffix}"), shape, bound, l2).map(|p| parameters.push(p))
        };
        add("weight_ih_l0", [gates, features].into(), l2)?;
        add("weight_hh_l0", [gates, hidden].into(), 0.0)?;
        if bias {
            add("bias_ih_l0", [gates].into(), 0.0)?;
            add("bias_hh_l0", [gates].into(), 0.0)?;
        }
    }
    let columns = directions * hidden;
    Ok(Inferred {
        operation: Operation::Recurrent(sizes, RecurrentOptions { activation, last }),
        output: match last {
            true => [columns].into(),
            false => [t, columns].into(),
        },
        multiply_adds: (directions * t) as u64 * gates as u64 * (features + hidden) as u64,
        parameters,
    })
}
