//! The two gradients of a convolution as kernels.

use super::{Conv2d, cpu, oracle, plan};
use crate::error::Result;
use crate::kernel::{Arg, Kernel, Limits, Plan, Rung};
use crate::rung;

/// `dx` from `dy` and `weight`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conv2dInputGrad(pub Conv2d);

impl Kernel for Conv2dInputGrad {
    fn name(&self) -> &'static str {
        "conv2d_input_grad"
    }

    fn smaller(&self) -> Option<Box<dyn Kernel>> {
        Some(Box::new(Conv2dInputGrad(self.0.halved()?)))
    }

    fn check(&self) -> Result<()> {
        self.0.check_shape(self.name())
    }

    fn inputs(&self) -> Vec<Arg> {
        vec![
            Arg::f32("dy", self.0.y_len()),
            Arg::f32("weight", self.0.weight_len()),
        ]
    }

    fn outputs(&self) -> Vec<Arg> {
        vec![Arg::f32("dx", self.0.x_len())]
    }

    fn flops(&self) -> u64 {
        2 * self.0.macs()
    }

    fn reduction(&self) -> usize {
        self.0.out_channels / self.0.groups * self.0.kernel[0] * self.0.kernel[1]
    }

    fn oracle(&self, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
        oracle::input_grad(&self.0, inputs, &mut outputs[0]);
    }

    fn cpu(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        cpu::input_grad(&self.0, inputs[0], inputs[1], outputs[0]);
    }

    fn rungs(&self) -> &'static [Rung] {
        const {
            &[
                rung!("conv2d_input_grad_1_naive"),
                rung!("conv2d_input_grad_2_tiled"),
                rung!("conv2d_input_grad_3_implicit_gemm"),
            ]
        }
    }

    fn plan(&self, rung: &Rung, limits: &Limits) -> Option<Plan> {
        plan::input_grad(&self.0, rung, limits)
    }
}

/// `dw` from `x` and `dy`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conv2dWeightGrad(pub Conv2d);

impl Kernel for Conv2dWeightGrad {
    fn name(&self) -> &'static str {
        "conv2d_weight_grad"
    }

    fn smaller(&self) -> Option<Box<dyn Kernel>> {
        Some(Box::new(Conv2dWeightGrad(self.0.halved()?)))
    }

    fn check(&self) -> Result<()> {
        self.0.check_shape(self.name())
    }

    fn inputs(&self) -> Vec<Arg> {
        vec![
            Arg::f32("x", self.0.x_len()),
            Arg::f32("dy", self.0.y_len()),
        ]
    }

    fn outputs(&self) -> Vec<Arg> {
        vec![Arg::f32("dw", self.0.weight_len())]
    }

    fn flops(&self) -> u64 {
        2 * self.0.macs()
    }

    fn reduction(&self) -> usize {
        let [oh, ow] = self.0.out();
        self.0.n * oh * ow
    }

    fn oracle(&self, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
        oracle::weight_grad(&self.0, inputs, &mut outputs[0]);
    }

    fn cpu(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        cpu::weight_grad(&self.0, inputs[0], inputs[1], outputs[0]);
    }

    fn rungs(&self) -> &'static [Rung] {
        const {
            &[
                rung!("conv2d_weight_grad_1_naive"),
                rung!("conv2d_weight_grad_2_tiled"),
                rung!("conv2d_weight_grad_3_implicit_gemm"),
            ]
        }
    }

    fn plan(&self, rung: &Rung, limits: &Limits) -> Option<Plan> {
        plan::weight_grad(&self.0, rung, limits)
    }
}
