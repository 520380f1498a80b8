//! Recurrent layers: what files say of them, what they make of an example's shape, and what they keep.

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
            /// Numbers in the state of one direction.
            pub hidden: usize,
            /// Whether a second direction walks from the last time to the first; its numbers stand behind the others.
            #[serde(default)]
            pub bidirectional: bool,
            /// Whether only the final state comes out (Keras' `return_sequences=False`).
            #[serde(default)]
            pub last: bool,
            /// What the candidate passes through; any but `gelu`.
            #[serde(default = "tanh")]
            pub activation: Function,
            /// Whether there are both biases.
            #[serde(default = "yes")]
            pub bias: bool,
            /// Keras' `l2` of its kernel: `l2 · Σ w²` of `weight_ih_l0` is added to what is minimised.
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

            /// Only the final state.
            pub fn last(self) -> Self {
                $name { last: true, ..self }
            }

            /// Both directions.
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
    /// `Lstm`: shapes as for [`Gru`]. The activation stands for both tanh, the candidate's and the cell's.
    Lstm: Lstm, "four";
}

fn tanh() -> Function {
    Function::Tanh
}

/// Words per example beside input and output.
pub(super) struct Words {
    /// The input's share of one direction's gates, while it walks.
    pub share: u64,
    /// What the way back needs: states, cells and gates at every time.
    pub kept: u64,
    /// Gradients of one direction's gates, on its way back.
    pub gradients: u64,
    /// The largest single buffer.
    pub largest: u64,
}

impl Sizes {
    /// For `t` steps.
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

/// PyTorch's parameters under PyTorch's names, all uniform within `1 / √hidden`.
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
