//! Gated recurrent unit (PyTorch's `GRU`) along time, and its gradient.
//!
//! ```text
//! u  = W_hh·h + b_hh                  for the three gates, from the state before the step
//! r  = σ(x_r + u_r)                   how much of the state the candidate sees
//! z  = σ(x_z + u_z)                   how much of the state stays
//! n  = act(x_n + r·u_n)               the candidate; act is tanh unless said otherwise
//! h' = n + z·(h - n)
//! ```
//!
//! with `x = W_ih·input + b_ih` worked out before for all times. Shapes and options are those of [`Recurrence`] with
//! three gates in the order r, z, n; beside `y` and `before` there comes out what the way back needs:
//!
//! | buffer | shape | |
//! | --- | --- | --- |
//! | `gates` | `[n, t, 4, h]`: r, z, n, u_n | out |
//!
//! [`GruGrad`] walks back through time. With `dh` the gradient of a step's `h'` (from `dy` and from the step behind):
//!
//! ```text
//! dx_n = dh·(1 - z)·act'(n)           du_n = dx_n·r
//! dx_z = dh·(h - n)·z·(1 - z)         du_z = dx_z
//! dx_r = dx_n·u_n·r·(1 - r)           du_r = dx_r
//! dh   = dh·z + W_hhᵀ·du              for the step before
//! ```
//!
//! | buffer | shape | |
//! | --- | --- | --- |
//! | `dy` | as `y` | in |
//! | `before`, `gates`, `w_hh` | as above | in |
//! | `dx`, `du` | `[n, t, 3, h]`: gradients of `x` and of `u` | out |
//!
//! What is left are sums and products over all times at once: `dW_ih = dxᵀ·input`, `db_ih = Σ dx`,
//! `dW_hh = duᵀ·before`, `db_hh = Σ du`, `dinput = dx·W_ih`. FLOPs, either way: 2·3·n·t·h².

pub mod cases;
mod cpu;
mod oracle;

use crate::error::Result;
use crate::kernel::{Arg, Kernel, Limits, Plan, Rung};
use crate::recurrence::Recurrence;
use crate::rung;

const GATES: usize = 3;

/// The states of a GRU along time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gru(
    /// Shape and options.
    pub Recurrence,
);

impl Kernel for Gru {
    fn name(&self) -> &'static str {
        "gru"
    }

    fn smaller(&self) -> Option<Box<dyn Kernel>> {
        Some(Box::new(Gru(self.0.halved()?)))
    }

    fn check(&self) -> Result<()> {
        self.0.check(self, GATES)
    }

    fn inputs(&self) -> Vec<Arg> {
        self.0.forward_inputs(GATES)
    }

    fn outputs(&self) -> Vec<Arg> {
        let s = &self.0;
        vec![s.y(), s.series("before", 1), s.series("gates", 4)]
    }

    fn flops(&self) -> u64 {
        self.0.flops(GATES)
    }

    /// Errors of a step go into the next.
    fn reduction(&self) -> usize {
        self.0.h * self.0.t
    }

    fn oracle(&self, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
        oracle::gru(&self.0, inputs, outputs);
    }

    fn cpu(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        cpu::gru(&self.0, inputs, outputs);
    }

    fn rungs(&self) -> &'static [Rung] {
        const {
            &[
                rung!("gru_1_naive"),
                rung!("gru_2_tiled"),
                rung!("gru_3_sequence"),
            ]
        }
    }

    fn plan(&self, rung: &Rung, limits: &Limits) -> Option<Plan> {
        let s = &self.0;
        // Without a bias something must still stand at its binding: `x` does, and is not read.
        let (bias, y) = if s.bias { (2, 3) } else { (0, 2) };
        let sequence = rung.name.ends_with("sequence");
        let weights = if sequence { y + 3 } else { 1 };
        let bindings = [0, weights, bias, y, y + 1, y + 2];
        let mut plan = s.passes(rung, limits, s.h, false, &bindings)?;
        if sequence {
            s.transpose_first(&mut plan, limits, GATES, weights);
        }
        Some(plan)
    }

    fn sample(&self, input: &'static str, unit: f64) -> f64 {
        self.0.sample(input, unit)
    }
}

/// `dx` and `du` from `dy`, back through time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GruGrad(
    /// The forward kernel's shape and options.
    pub Recurrence,
);

impl Kernel for GruGrad {
    fn name(&self) -> &'static str {
        "gru_grad"
    }

    fn smaller(&self) -> Option<Box<dyn Kernel>> {
        Some(Box::new(GruGrad(self.0.halved()?)))
    }

    fn check(&self) -> Result<()> {
        self.0.check(self, GATES)
    }

    fn inputs(&self) -> Vec<Arg> {
        let s = &self.0;
        vec![
            s.dy(),
            s.series("before", 1),
            s.series("gates", 4),
            Arg::f32("w_hh", GATES * s.h * s.h),
        ]
    }

    fn outputs(&self) -> Vec<Arg> {
        vec![self.0.series("dx", GATES), self.0.series("du", GATES)]
    }

    fn flops(&self) -> u64 {
        self.0.flops(GATES)
    }

    fn reduction(&self) -> usize {
        GATES * self.0.h * self.0.t
    }

    fn oracle(&self, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
        oracle::gru_grad(&self.0, inputs, outputs);
    }

    fn cpu(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        cpu::gru_grad(&self.0, inputs, outputs);
    }

    fn rungs(&self) -> &'static [Rung] {
        const {
            &[
                rung!("gru_grad_1_naive"),
                rung!("gru_grad_2_tiled"),
                rung!("gru_grad_3_sequence"),
            ]
        }
    }

    fn plan(&self, rung: &Rung, limits: &Limits) -> Option<Plan> {
        let s = &self.0;
        let sums = GATES * s.h;
        if rung.name.ends_with("sequence") {
            return s.passes(rung, limits, sums, true, &[0, 1, 2, 3, 4, 5]);
        }
        // What a step hands to the one before it, beside `du`.
        let mut plan = s.passes(rung, limits, sums, true, &[0, 1, 2, 3, 4, 5, 6])?;
        plan.scratch.push(s.n * s.h);
        Some(plan)
    }

    fn sample(&self, input: &'static str, unit: f64) -> f64 {
        self.0.sample(input, unit)
    }

    fn arrange(&self, inputs: &mut [Vec<f64>]) {
        self.0.arrange(&mut inputs[2], 2, 3);
    }
}
