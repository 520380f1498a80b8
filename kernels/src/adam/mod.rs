//! One step of the Adam optimizer over one parameter buffer, in a single pass over memory.
//!
//! | buffer | shape | |
//! | --- | --- | --- |
//! | `gradient` | `[len]` | in |
//! | `p` | `[len]`: the parameters | updated |
//! | `m` | `[len]`: running mean of the gradient | updated |
//! | `v` | `[len]`: running mean of its square | updated |
//!
//! ```text
//! g = gradient + weight_decay·p                       (L2, as torch.optim.Adam has it; not AdamW)
//! m = beta1·m + (1 - beta1)·g
//! v = beta2·v + (1 - beta2)·g²
//! p = p - lr / (1 - beta1^step) · m / (√(v / (1 - beta2^step)) + eps)
//! ```
//!
//! The corrections for the start from zero are computed on the host in f64; hyper-parameters are parameters of the
//! pipeline, never part of its key. FLOPs: 14 an element. Seven buffers move: memory decides.

pub mod cases;
mod cpu;
mod oracle;

use crate::error::{Result, elements};
use crate::kernel::{Arg, Kernel, Limits, Pass, Plan, Rung};
use crate::rung;

/// One step of Adam.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adam {
    /// How many parameters.
    pub len: usize,
    /// Learning rate.
    pub lr: f64,
    /// Decay of the mean, in [0, 1).
    pub beta1: f64,
    /// Decay of the mean square, in [0, 1).
    pub beta2: f64,
    /// Added to the denominator.
    pub eps: f64,
    /// L2 penalty, added to the gradient.
    pub weight_decay: f64,
    /// Which step this is: the first is 1.
    pub step: u32,
}

impl Adam {
    /// PyTorch's defaults.
    pub fn new(len: usize, lr: f64, step: u32) -> Self {
        Adam {
            len,
            lr,
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-8,
            weight_decay: 0.0,
            step,
        }
    }

    /// With an L2 penalty.
    pub fn with_weight_decay(self, weight_decay: f64) -> Self {
        Adam {
            weight_decay,
            ..self
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
            weight_decay: self.weight_decay as f32,
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
    weight_decay: f32,
}

impl Kernel for Adam {
    fn name(&self) -> &'static str {
        "adam"
    }

    fn check(&self) -> Result<()> {
        elements(self.name(), &[self.len])?;
        if self.len == 0 {
            return Err(self.error("no parameters".into()));
        }
        if self.step == 0 {
            return Err(self.error("steps count from 1, this one is 0".into()));
        }
        for (name, beta) in [("beta1", self.beta1), ("beta2", self.beta2)] {
            if !(0.0..1.0).contains(&beta) {
                return Err(self.error(format!("{name} must lie in [0, 1), not be {beta}")));
            }
        }
        for (name, value) in [
            ("lr", self.lr),
            ("eps", self.eps),
            ("weight_decay", self.weight_decay),
        ] {
            if !(value >= 0.0 && value.is_finite()) {
                return Err(self.error(format!("{name} must be 0 or more, not {value}")));
            }
        }
        Ok(())
    }

    fn inputs(&self) -> Vec<Arg> {
        vec![Arg::f32("gradient", self.len)]
    }

    fn outputs(&self) -> Vec<Arg> {
        ["p", "m", "v"]
            .map(|name| Arg::f32(name, self.len).updated())
            .to_vec()
    }

    fn flops(&self) -> u64 {
        14 * self.len as u64
    }

    fn reduction(&self) -> usize {
        1
    }

    fn oracle(&self, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
        oracle::adam(self, inputs[0], outputs);
    }

    fn cpu(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        let [p, m, v] = outputs else { return };
        cpu::adam(&self.factors(), inputs[0], p, m, v);
    }

    fn rungs(&self) -> &'static [Rung] {
        const { &[rung!("adam_1_naive"), rung!("adam_2_vector")] }
    }

    fn plan(&self, rung: &Rung, limits: &Limits) -> Option<Plan> {
        let vector = if rung.name == "adam_2_vector" { 4 } else { 1 };
        if !self.len.is_multiple_of(vector) {
            return None;
        }
        let f = self.factors();
        let mut params = vec![(self.len / vector) as u32];
        params.extend(
            [
                f.rate,
                f.beta1,
                f.rest1,
                f.beta2,
                f.rest2,
                f.scale2,
                f.eps,
                f.weight_decay,
            ]
            .map(f32::to_bits),
        );
        let groups = limits.fold((self.len / vector).div_ceil(64));
        Some(Pass::of(rung, 4, params, groups).into())
    }

    fn sample(&self, input: &'static str, unit: f64) -> f64 {
        if input == "v" { unit.abs() } else { unit }
    }
}
