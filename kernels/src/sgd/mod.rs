//! One step of stochastic gradient descent over one buffer of parameters, in a single pass over memory.
//!
//! | buffer | shape | |
//! | --- | --- | --- |
//! | `gradient` | `[len]` | in |
//! | `scale` | `[1]`: what the gradient is multiplied with | in |
//! | `penalty` | `[⌈len / 64⌉]`: L2 of every 64 words | in |
//! | `p` | `[len]`: the parameters | updated |
//! | `velocity` | `[len]`: where there is momentum | updated |
//!
//! ```text
//! g = clamp(scale·gradient, ±limit) + penalty·p
//! velocity = momentum·velocity + g                    (torch.optim.SGD without dampening)
//! p = p - lr·velocity                                 (Nesterov: p - lr·(g + momentum·velocity))
//! ```
//!
//! FLOPs: 8 an element. Five buffers move, without momentum three: memory decides.

pub mod cases;
mod cpu;
mod oracle;

use crate::error::Result;
use crate::gradient;
use crate::kernel::{Arg, Kernel, Limits, Plan, Rung};
use crate::rung;

/// One step of gradient descent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sgd {
    /// Number of parameters.
    pub len: usize,
    /// Learning rate.
    pub lr: f64,
    /// How much of the velocity stays, in [0, 1). With 0 there is none.
    pub momentum: f64,
    /// Whether the step looks ahead by one velocity.
    pub nesterov: bool,
    /// Gradients beyond it are cut to it.
    pub limit: f64,
}

impl Sgd {
    /// PyTorch's defaults: no momentum.
    pub fn new(len: usize, lr: f64) -> Self {
        Sgd {
            len,
            lr,
            momentum: 0.0,
            nesterov: false,
            limit: f64::INFINITY,
        }
    }

    /// With momentum.
    pub fn with_momentum(self, momentum: f64, nesterov: bool) -> Self {
        Sgd {
            momentum,
            nesterov,
            ..self
        }
    }
}

impl Kernel for Sgd {
    fn name(&self) -> &'static str {
        "sgd"
    }

    fn check(&self) -> Result<()> {
        let fractions = [("momentum", self.momentum)];
        gradient::check(self, self.len, self.limit, &fractions, &[("lr", self.lr)])?;
        if self.nesterov && self.momentum == 0.0 {
            return Err(self.error("Nesterov's step needs momentum, which is 0".into()));
        }
        Ok(())
    }

    fn inputs(&self) -> Vec<Arg> {
        gradient::inputs(self.len)
    }

    fn outputs(&self) -> Vec<Arg> {
        let names: &[_] = match self.momentum {
            0.0 => &["p"],
            _ => &["p", "velocity"],
        };
        let arg = |name: &&'static str| Arg::f32(name, self.len).updated();
        names.iter().map(arg).collect()
    }

    fn flops(&self) -> u64 {
        8 * self.len as u64
    }

    fn reduction(&self) -> usize {
        1
    }

    fn oracle(&self, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
        oracle::sgd(self, inputs, outputs);
    }

    fn cpu(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        cpu::sgd(self, inputs, outputs);
    }

    fn rungs(&self) -> &'static [Rung] {
        const { &[rung!("sgd_1_naive")] }
    }

    fn plan(&self, rung: &Rung, limits: &Limits) -> Option<Plan> {
        let factors = [self.lr, self.momentum, self.limit].map(|f| f as f32);
        let pass = gradient::pass(rung, limits, self.len, &factors);
        let constants = [
            ("MOMENTUM", f64::from(u8::from(self.momentum != 0.0))),
            ("NESTEROV", f64::from(u8::from(self.nesterov))),
        ];
        Some(Plan {
            // Without momentum something must still stand at the velocity's binding.
            scratch: vec![4; usize::from(self.momentum == 0.0)],
            passes: vec![pass.with(&constants).over(&[0, 1, 2, 3, 4])],
        })
    }

    fn sample(&self, input: &'static str, unit: f64) -> f64 {
        gradient::sample(input, unit)
    }
}
