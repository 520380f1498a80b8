//! Activations that kernels apply to their output, to avoid a separate pass over memory.
//!
//! Only activations whose derivative is a function of their output: the backward pass then needs `y` alone.
//! Others (gelu, swish, leaky relu with another slope) use the elementwise expression.

use crate::cpu::math;
use crate::vectorized;

/// Activation applied to each element of an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Activation {
    /// `x`
    #[default]
    None,
    /// `max(x, 0)`
    Relu,
    /// `x` or `0.01·x` below zero (PyTorch's default slope).
    LeakyRelu,
    /// `x` or `e^x - 1` below zero.
    Elu,
    /// Hyperbolic tangent.
    Tanh,
    /// `1 / (1 + e^-x)`
    Sigmoid,
}

/// Slope of [`Activation::LeakyRelu`] below zero.
pub const LEAKY_SLOPE: f32 = 0.01;

impl Activation {
    /// All activations.
    pub const ALL: [Activation; 6] = [
        Activation::None,
        Activation::Relu,
        Activation::LeakyRelu,
        Activation::Elu,
        Activation::Tanh,
        Activation::Sigmoid,
    ];

    /// Returns the value of `override ACTIVATION` in WGSL.
    pub fn code(self) -> f64 {
        Activation::ALL.iter().position(|a| *a == self).unwrap_or(0) as f64
    }

    /// Computes the activation: the definition.
    pub fn oracle(self, x: f64) -> f64 {
        match self {
            Activation::None => x,
            Activation::Relu => {
                if x < 0.0 {
                    0.0
                } else {
                    x
                }
            }
            Activation::LeakyRelu => {
                if x < 0.0 {
                    f64::from(LEAKY_SLOPE) * x
                } else {
                    x
                }
            }
            Activation::Elu => {
                if x < 0.0 {
                    x.exp_m1()
                } else {
                    x
                }
            }
            Activation::Tanh => x.tanh(),
            Activation::Sigmoid => 1.0 / (1.0 + (-x).exp()),
        }
    }

    /// Applies it in place.
    pub fn apply(self, x: &mut [f32]) {
        match self {
            Activation::None => {}
            Activation::Relu => relu(x),
            Activation::LeakyRelu => leaky_relu(x),
            Activation::Elu => elu(x),
            Activation::Tanh => tanh(x),
            Activation::Sigmoid => sigmoid(x),
        }
    }

    /// Returns the gradient before the activation, from its output and the gradient after it: the definition. Zero at
    /// zero for relu, as in PyTorch.
    pub fn oracle_grad(self, y: f64, dy: f64) -> f64 {
        let positive = y > 0.0;
        match self {
            Activation::Relu if !positive => 0.0,
            Activation::LeakyRelu if !positive => f64::from(LEAKY_SLOPE) * dy,
            Activation::Elu if !positive => dy * (y + 1.0),
            Activation::Tanh => dy * (1.0 - y * y),
            Activation::Sigmoid => dy * (y * (1.0 - y)),
            _ => dy,
        }
    }

    /// Turns the gradient after the activation into the gradient before it, in place.
    pub fn apply_grad(self, y: &[f32], dy: &mut [f32]) {
        match self {
            Activation::None => {}
            Activation::Relu => relu_grad(y, dy),
            Activation::LeakyRelu => leaky_relu_grad(y, dy),
            Activation::Elu => elu_grad(y, dy),
            Activation::Tanh => tanh_grad(y, dy),
            Activation::Sigmoid => sigmoid_grad(y, dy),
        }
    }
}

vectorized! {
    fn relu(x: &mut [f32]) {
        x.iter_mut().for_each(|v| *v = if *v < 0.0 { 0.0 } else { *v });
    }

    fn leaky_relu(x: &mut [f32]) {
        x.iter_mut().for_each(|v| *v = if *v < 0.0 { LEAKY_SLOPE * *v } else { *v });
    }

    fn elu(x: &mut [f32]) {
        x.iter_mut().for_each(|v| *v = math::elu(*v));
    }

    fn tanh(x: &mut [f32]) {
        x.iter_mut().for_each(|v| *v = math::tanh(*v));
    }

    fn sigmoid(x: &mut [f32]) {
        x.iter_mut().for_each(|v| *v = math::sigmoid(*v));
    }

    fn relu_grad(y: &[f32], dy: &mut [f32]) {
        dy.iter_mut().zip(y).for_each(|(d, y)| *d = if *y > 0.0 { *d } else { 0.0 });
    }

    fn leaky_relu_grad(y: &[f32], dy: &mut [f32]) {
        dy.iter_mut().zip(y).for_each(|(d, y)| *d = if *y > 0.0 { *d } else { LEAKY_SLOPE * *d });
    }

    fn elu_grad(y: &[f32], dy: &mut [f32]) {
        dy.iter_mut().zip(y).for_each(|(d, y)| *d = if *y > 0.0 { *d } else { *d * (y + 1.0) });
    }

    fn tanh_grad(y: &[f32], dy: &mut [f32]) {
        dy.iter_mut().zip(y).for_each(|(d, y)| *d *= 1.0 - y * y);
    }

    fn sigmoid_grad(y: &[f32], dy: &mut [f32]) {
        dy.iter_mut().zip(y).for_each(|(d, y)| *d *= y * (1.0 - y));
    }
}
