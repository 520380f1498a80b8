//! One step of the optimizers Adam and AdamW over one buffer of parameters, in a single pass over memory.
//!
//! | buffer | shape | |
//! | --- | --- | --- |
//! | `gradient` | `[len]` | in |
//! | `scale` | `[1]`: what the gradient is multiplied with | in |
//! | `penalty` | `[⌈len / 64⌉]`: L2 of every 64 words | in |
//! | `p` | `[len]`: the parameters | updated |
//! | `m` | `[len]`: running mean of the gradient | updated |
//! | `v` | `[len]`: running mean of its square | updated |
//!
//! ```text
//! g = clamp(scale·gradient, ±limit) + penalty·p       (L2 in the gradient: torch.optim.Adam's weight_decay)
//! m = beta1·m + (1 - beta1)·g
//! v = beta2·v + (1 - beta2)·g²
//! p = p - lr·weight_decay·p                           (decoupled: torch.optim.AdamW's weight_decay)
//!       - lr / (1 - beta1^step) · m / (√(v / (1 - beta2^step)) + eps)
//! ```
//!
//! The corrections for the start from zero are computed on the host in f64; hyper-parameters are parameters of the
//! pipeline, never part of its key. FLOPs: 18 an element. Seven buffers move: memory decides.

pub mod cases;
mod cpu;
mod oracle;

use crate::error::Result;
use crate::gradient;
use crate::kernel::{Arg, Kernel, Limits, Plan, Rung};
use crate::rung;

/// One step of Adam, or with `weight_decay` of AdamW.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adam {
    /// Number of parameters.
    pub len: usize,
    /// Learning rate.
    pub lr: f64,
    /// Decay of the mean, in [0, 1).
    pub beta1: f64,
    /// Decay of the mean square, in [0, 1).
    pub beta2: f64,
    /// Added to the denominator.
    pub eps: f64,
    /// AdamW's: the part of each parameter, times `lr`, that is taken away beside the gradient.
    pub weight_decay: f64,
    /// Gradients beyond it are cut to it.
    pub limit: f64,
    /// Which step this is: the first is 1.
    pub step: u32,
}

impl Adam {
    /// PyTorch's defaults for Adam.
    pub fn new(len: usize, lr: f64, step: u32) -> Self {
        Adam {
            len,
            lr,
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-8,
            weight_decay: 0.0,
            limit: f64::INFINITY,
            step,
        }
    }

    /// The factors of one step: all that the inner loop needs.
    fn factors(&self) -> Factors {
        let correction = |beta: f64| 1.0 - beta.powf(f64::from(self.step));
        Factors {
            rate: (self.lr / correction(self.beta1)) as f32,
            beta1: self.beta1 as f32,
            rest1: (1.0 - self.beta1) as f32,
            beta2: self.beta2 as f32,
            rest2: (1.0 - self.beta2) as f32,
            scale2: correction(self.beta2).sqrt().recip() as f32,
            eps: self.eps as f32,
            keep: (1.0 - self.lr * self.weight_decay) as f32,
            limit: self.limit as f32,
        }
    }
}

/// [`Adam`] as the inner loop reads it.
#[derive(Clone, Copy)]
struct Factors {
    rate: f32,
    beta1: f32,
    rest1: f32,
    beta2: f32,
    rest2: f32,
    scale2: f32,
    eps: f32,
    keep: f32,
    limit: f32,
}

impl Kernel for Adam {
    fn name(&self) -> &'static str {
        "adam"
    }

    fn check(&self) -> Result<()> {
        let fractions = [("beta1", self.beta1), ("beta2", self.beta2)];
        let others = [
            ("lr", self.lr),
            ("eps", self.eps),
            ("weight_decay", self.weight_decay),
        ];
        gradient::check(self, self.len, self.limit, &fractions, &others)?;
        if self.step == 0 {
            return Err(self.error("steps count from 1, this one is 0".into()));
        }
        Ok(())
    }

    fn inputs(&self) -> Vec<Arg> {
        gradient::inputs(self.len)
    }

    fn outputs(&self) -> Vec<Arg> {
        ["p", "m", "v"]
            .map(|name| Arg::f32(name, self.len).updated())
            .to_vec()
    }

    fn flops(&self) -> u64 {
        18 * self.len as u64
    }

    fn reduction(&self) -> usize {
        1
    }

    fn oracle(&self, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
        oracle::adam(self, inputs, outputs);
    }

    fn cpu(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        let [p, m, v] = outputs else { return };
        cpu::adam(&self.factors(), inputs, p, m, v);
    }

    fn rungs(&self) -> &'static [Rung] {
        const { &[rung!("adam_1_naive")] }
    }

    fn plan(&self, rung: &Rung, limits: &Limits) -> Option<Plan> {
        let f = self.factors();
        let factors = [
            f.rate, f.beta1, f.rest1, f.beta2, f.rest2, f.scale2, f.eps, f.keep, f.limit,
        ];
        Some(gradient::pass(rung, limits, self.len, &factors).into())
    }

    fn sample(&self, input: &'static str, unit: f64) -> f64 {
        match input {
            "v" => unit.abs(),
            _ => gradient::sample(input, unit),
        }
    }
}
