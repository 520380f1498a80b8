//! Activations.
//!
//! Those that kernels can apply on the way out have a derivative that reads off their output `y` alone, so `y` is all
//! that is kept: relu `1` where `y > 0`, else `0` (`0` at zero, as PyTorch has it); leaky relu `1` or the slope; elu `1`
//! or `y + 1`; tanh `1 - y²`; sigmoid `y·(1 - y)`. One pass: `dz = dy · act'(y)`. All others go through the elementwise
//! expression and keep their input.

use super::elementwise::elementwise;
use crate::architecture::Function;
use crate::error::Result;
use crate::tape::record;
use crate::tensor::Tensor;
use kernels::Activation;
use kernels::activation::LEAKY_SLOPE;
use kernels::elementwise::{Elementwise, Expr};

/// The gradient before an activation, from that behind it and the activation's output (kept where there is one).
pub(super) fn before_activation(
    activation: Activation,
    y: Option<Tensor>,
    dy: Tensor,
) -> Result<Tensor> {
    let Some(y) = y else {
        return Ok(dy);
    };
    let (y_i, dy_i) = (Expr::input(0), Expr::input(1));
    let positive = Expr::from(0.0).less(y_i.clone());
    let expr = match activation {
        Activation::None => return Ok(dy),
        Activation::Relu => positive.select(dy_i, 0.0),
        Activation::LeakyRelu => positive.select(dy_i.clone(), dy_i * LEAKY_SLOPE),
        Activation::Elu => positive.select(dy_i.clone(), dy_i * (y_i + 1.0)),
        Activation::Tanh => dy_i * (Expr::from(1.0) - y_i.clone() * y_i),
        Activation::Sigmoid => dy_i * (y_i.clone() * (Expr::from(1.0) - y_i)),
    };
    Tensor::launch(
        &Elementwise::new(expr, dy.elements(), 2),
        &[&y, &dy],
        dy.shape(),
    )
}

impl Tensor {
    /// A function of each number, by name.
    pub fn activation(&self, function: Function) -> Result<Tensor> {
        let x = Expr::input(0);
        let expr = match function {
            Function::Relu => x.relu(),
            Function::LeakyRelu => x.leaky_relu(LEAKY_SLOPE),
            Function::Elu => x.elu(),
            Function::Tanh => x.tanh(),
            Function::Sigmoid => x.sigmoid(),
            Function::Gelu => x.gelu(),
        };
        let Some(activation) = function.fused() else {
            return elementwise(&expr, &[self], &[]);
        };
        let y = Tensor::launch(
            &Elementwise::new(expr, self.elements(), 1),
            &[self],
            self.shape(),
        )?;
        let saved = y.detach();
        Ok(record(y, &[self], move |dy| {
            Ok(vec![Some(before_activation(activation, Some(saved), dy)?)])
        }))
    }

    /// `max(x, 0)`
    pub fn relu(&self) -> Result<Tensor> {
        self.activation(Function::Relu)
    }

    /// Hyperbolic tangent.
    pub fn tanh(&self) -> Result<Tensor> {
        self.activation(Function::Tanh)
    }

    /// `1 / (1 + e⁻ˣ)`
    pub fn sigmoid(&self) -> Result<Tensor> {
        self.activation(Function::Sigmoid)
    }

    /// `x·Φ(x)`, exactly.
    pub fn gelu(&self) -> Result<Tensor> {
        self.activation(Function::Gelu)
    }

    /// `x`, or `slope·x` at and below zero.
    pub fn leaky_relu(&self, slope: f32) -> Result<Tensor> {
        self.map(|x| Expr::from(0.0).less(x.clone()).select(x.clone(), x * slope))
    }

    /// `x`, or `alpha·(eˣ - 1)` at and below zero.
    pub fn elu(&self, alpha: f32) -> Result<Tensor> {
        self.map(|x| {
            Expr::from(0.0)
                .less(x.clone())
                .select(x.clone(), (x.exp() - 1.0) * alpha)
        })
    }
}
