//! One step of the optimizer RMSprop over one buffer of parameters, in a single pass over memory.
//!
//! | buffer | shape | |
//! | --- | --- | --- |
//! | `gradient` | `[len]` | in |
//! | `scale` | `[1]`: what the gradient is multiplied with | in |
//! | `penalty` | `[⌈len / 64⌉]`: L2 of every 64 words | in |
//! | `p` | `[len]`: the parameters | updated |
//! | `square` | `[len]`: running mean of the gradient's square | updated |
//! | `mean` | `[len]`: running mean of the gradient, where `centered` | updated |
//! | `velocity` | `[len]`: where there is momentum | updated |
//!
//! ```text
//! g = clamp(scale·gradient, ±limit) + penalty·p
//! square = alpha·square + (1 - alpha)·g²
//! mean = alpha·mean + (1 - alpha)·g
//! step = g / (√square + eps)                          (centered: √(square - mean²), torch.optim.RMSprop)
//! velocity = momentum·velocity + step
//! p = p - lr·velocity                                 (without momentum: p - lr·step)
//! ```
//!
//! `square - mean²`, a variance, is taken as 0 where rounding makes it negative; PyTorch's step is NaN there.
//! FLOPs: 18 an element. Memory decides.

pub mod cases;
mod cpu;
mod oracle;

use crate::error::Result;
use crate::gradient;
use crate::kernel::{Arg, Kernel, Limits, Plan, Rung};
use crate::rung;

/// One step of RMSprop.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RmsProp {
    /// Number of parameters.
    pub len: usize,
    /// Learning rate.
    pub lr: f64,
    /// Decay of the mean square, in [0, 1).
    pub alpha: f64,
    /// Added to the denominator.
    pub eps: f64,
    /// How much of the velocity stays, in [0, 1). With 0 there is none.
    pub momentum: f64,
    /// Whether gradients are measured by their variance instead of their square.
    pub centered: bool,
    /// Gradients beyond it are cut to it.
    pub limit: f64,
}

impl RmsProp {
    /// PyTorch's defaults.
    pub fn new(len: usize, lr: f64) -> Self {
        RmsProp {
            len,
            lr,
            alpha: 0.99,
            eps: 1e-8,
            momentum: 0.0,
            centered: false,
            limit: f64::INFINITY,
        }
    }
}

impl Kernel for RmsProp {
    fn name(&self) -> &'static str {
        "rmsprop"
    }

    fn check(&self) -> Result<()> {
        let fractions = [("alpha", self.alpha), ("momentum", self.momentum)];
        let others = [("lr", self.lr), ("eps", self.eps)];
        gradient::check(self, self.len, self.limit, &fractions, &others)
    }

    fn inputs(&self) -> Vec<Arg> {
        gradient::inputs(self.len)
    }

    fn outputs(&self) -> Vec<Arg> {
        let mut names = vec!["p", "square"];
        names.extend(self.centered.then_some("mean"));
        names.extend((self.momentum != 0.0).then_some("velocity"));
        let arg = |name| Arg::f32(name, self.len).updated();
        names.into_iter().map(arg).collect()
    }

    fn flops(&self) -> u64 {
        18 * self.len as u64
    }

    fn reduction(&self) -> usize {
        1
    }

    fn oracle(&self, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
        oracle::rmsprop(self, inputs, outputs);
    }

    fn cpu(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        cpu::rmsprop(self, inputs, outputs);
    }

    fn rungs(&self) -> &'static [Rung] {
        const { &[rung!("rmsprop_1_naive")] }
    }

    fn plan(&self, rung: &Rung, limits: &Limits) -> Option<Plan> {
        let factors = [
            self.lr,
            self.alpha,
            1.0 - self.alpha,
            self.eps,
            self.momentum,
            self.limit,
        ];
        let pass = gradient::pass(rung, limits, self.len, &factors.map(|f| f as f32));
        // What there is not is words of scratch at its binding.
        let (mean, velocity) = (self.centered, self.momentum != 0.0);
        let bindings = match (mean, velocity) {
            (true, _) => [0, 1, 2, 3, 4, 5, 6],
            (false, true) => [0, 1, 2, 3, 4, 6, 5],
            (false, false) => [0, 1, 2, 3, 4, 5, 6],
        };
        let flag = |on| f64::from(u8::from(on));
        let constants = [("CENTERED", flag(mean)), ("MOMENTUM", flag(velocity))];
        Some(Plan {
            scratch: vec![4; 2 - usize::from(mean) - usize::from(velocity)],
            passes: vec![pass.with(&constants).over(&bindings)],
        })
    }

    /// A mean's square is never above the mean square.
    fn sample(&self, input: &'static str, unit: f64) -> f64 {
        match input {
            "square" => 1.5 + 0.5 * unit,
            "mean" => 0.5 * unit,
            _ => gradient::sample(input, unit),
        }
    }
}
