//! The two gradients of convolution and max-pooling as kernels.

use super::{Conv2dPool, cpu, oracle, plan};
use crate::error::Result;
use crate::kernel::{Arg, Kernel, Limits, Plan, Rung};
use crate::rung;

/// What both gradients read of the pooled output.
fn pooled(s: &Conv2dPool) -> [Arg; 3] {
    let len = s.y_len();
    [
        Arg::f32("dy", len),
        Arg::f32("y", len),
        Arg::u32("index", len),
    ]
}

/// Random numbers in [-1, 1) as places of a window.
fn sample(s: &Conv2dPool, input: &'static str, unit: f64) -> f64 {
    match input {
        "index" => (0.5 * (unit + 1.0) * s.places() as f64).min(s.places() as f64 - 1.0),
        _ => unit,
    }
}

/// `dw`, and `db` where there is a bias, from `x`, `dy`, `y` and `index`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conv2dPoolWeightGrad(
    /// The forward kernel.
    pub Conv2dPool,
);

impl Kernel for Conv2dPoolWeightGrad {
    fn name(&self) -> &'static str {
        "conv2d_pool_weight_grad"
    }

    fn smaller(&self) -> Option<Box<dyn Kernel>> {
        Some(Box::new(Conv2dPoolWeightGrad(self.0.halved()?)))
    }

    fn check(&self) -> Result<()> {
        self.0.check_shape(self.name())
    }

    fn inputs(&self) -> Vec<Arg> {
        let x = Arg::f32("x", self.0.conv.x_len());
        [x].into_iter().chain(pooled(&self.0)).collect()
    }

    fn outputs(&self) -> Vec<Arg> {
        let conv = &self.0.conv;
        let mut args = vec![Arg::f32("dw", conv.weight_len())];
        args.extend(conv.bias.then(|| Arg::f32("db", conv.out_channels)));
        args
    }

    fn flops(&self) -> u64 {
        2 * self.0.y_len() as u64 * self.0.conv.taps() as u64
    }

    fn reduction(&self) -> usize {
        self.0.y_len() / self.0.conv.out_channels
    }

    fn oracle(&self, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
        oracle::weight_grad(&self.0, inputs, outputs);
    }

    fn cpu(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        cpu::weight_grad(&self.0, inputs, outputs);
    }

    fn rungs(&self) -> &'static [Rung] {
        const {
            &[
                rung!("conv2d_pool_weight_grad_1_naive"),
                rung!("conv2d_pool_weight_grad_2_split"),
            ]
        }
    }

    fn plan(&self, rung: &Rung, limits: &Limits) -> Option<Plan> {
        plan::weight_grad(&self.0, rung, limits)
    }

    fn sample(&self, input: &'static str, unit: f64) -> f64 {
        sample(&self.0, input, unit)
    }
}

/// `dx` from `dy`, `y`, `index` and `weight`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conv2dPoolInputGrad(
    /// The forward kernel.
    pub Conv2dPool,
);

impl Kernel for Conv2dPoolInputGrad {
    fn name(&self) -> &'static str {
        "conv2d_pool_input_grad"
    }

    fn smaller(&self) -> Option<Box<dyn Kernel>> {
        Some(Box::new(Conv2dPoolInputGrad(self.0.halved()?)))
    }

    fn check(&self) -> Result<()> {
        self.0.check_shape(self.name())
    }

    fn inputs(&self) -> Vec<Arg> {
        let weight = Arg::f32("weight", self.0.conv.weight_len());
        pooled(&self.0).into_iter().chain([weight]).collect()
    }

    fn outputs(&self) -> Vec<Arg> {
        vec![Arg::f32("dx", self.0.conv.x_len())]
    }

    fn flops(&self) -> u64 {
        2 * self.0.y_len() as u64 * self.0.conv.taps() as u64
    }

    fn reduction(&self) -> usize {
        let conv = &self.0.conv;
        conv.out_channels / conv.groups * conv.kernel[0] * conv.kernel[1]
    }

    fn oracle(&self, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
        oracle::input_grad(&self.0, inputs, &mut outputs[0]);
    }

    fn cpu(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        cpu::input_grad(&self.0, inputs, outputs[0]);
    }

    fn rungs(&self) -> &'static [Rung] {
        const {
            &[
                rung!("conv2d_pool_input_grad_1_naive"),
                rung!("conv2d_pool_input_grad_2_windows"),
            ]
        }
    }

    fn plan(&self, rung: &Rung, limits: &Limits) -> Option<Plan> {
        plan::input_grad(&self.0, rung, limits)
    }

    fn sample(&self, input: &'static str, unit: f64) -> f64 {
        sample(&self.0, input, unit)
    }
}
