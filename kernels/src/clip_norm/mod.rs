//! The scale that brings gradients to a norm of at most `max_norm`, without leaving the device.
//!
//! | buffer | shape | |
//! | --- | --- | --- |
//! | `gradient`, … | `[lens[i]]` each | in |
//! | `scale` | `[1]`: what every gradient is to be multiplied with | out |
//! | `norm` | `[1]`: the norm of all gradients together | out |
//!
//! `norm = √(Σ g²)` over all elements of all gradients, `scale = min(1, max_norm / (norm + 1e-6))`, as
//! `torch.nn.utils.clip_grad_norm_` has it. A norm that is NaN makes a NaN scale, an infinite one the scale 0.
//! The optimizers' kernels take the scale as it lies on the device: nothing waits for it.
//!
//! FLOPs: 2 an element.

pub mod cases;
mod cpu;
mod oracle;

use crate::error::{Result, elements};
use crate::kernel::{Arg, Kernel, Limits, Pass, Plan, Rung};
use crate::rung;

/// The global norm of gradients, and the scale that clips it.
#[derive(Debug, Clone, PartialEq)]
pub struct ClipNorm {
    /// The gradients' lengths.
    pub lens: Vec<usize>,
    /// The largest norm that is left as it is.
    pub max_norm: f64,
}

/// Elements in one piece of a sum, at least.
const PIECE: usize = 4096;

/// Keeps the quotient finite: PyTorch's.
const EPS: f64 = 1e-6;

impl ClipNorm {
    /// Elements in a piece: so many that a workgroup can take the pieces' sums in a few turns.
    fn piece(&self) -> usize {
        let total: usize = self.lens.iter().sum();
        total.div_ceil(PIECE).next_multiple_of(4).max(PIECE)
    }
}

impl Kernel for ClipNorm {
    fn name(&self) -> &'static str {
        "clip_norm"
    }

    fn check(&self) -> Result<()> {
        if self.lens.is_empty() || self.lens.contains(&0) {
            return Err(self.error(format!("gradients {:?}: one is empty", self.lens)));
        }
        for &len in &self.lens {
            elements(self.name(), &[len])?;
        }
        let max_norm = self.max_norm;
        if !(max_norm > 0.0 && max_norm.is_finite()) {
            return Err(self.error(format!("max_norm must be above 0, not {max_norm}")));
        }
        Ok(())
    }

    fn inputs(&self) -> Vec<Arg> {
        let arg = |&len: &usize| Arg::f32("gradient", len);
        self.lens.iter().map(arg).collect()
    }

    fn outputs(&self) -> Vec<Arg> {
        vec![Arg::f32("scale", 1), Arg::f32("norm", 1)]
    }

    fn flops(&self) -> u64 {
        2 * self.lens.iter().sum::<usize>() as u64
    }

    fn reduction(&self) -> usize {
        self.lens.iter().sum()
    }

    fn oracle(&self, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
        oracle::clip_norm(self, inputs, outputs);
    }

    fn cpu(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        cpu::clip_norm(self, inputs, outputs);
    }

    fn rungs(&self) -> &'static [Rung] {
        const { &[rung!("clip_norm_1_naive"), rung!("clip_norm_2_tree")] }
    }

    /// STAGE 0 of every gradient leaves a sum for each piece, STAGE 1 joins them.
    fn plan(&self, rung: &Rung, limits: &Limits) -> Option<Plan> {
        let piece = self.piece();
        let counts: Vec<usize> = self.lens.iter().map(|len| len.div_ceil(piece)).collect();
        let pieces: usize = counts.iter().sum();
        let n = self.lens.len();
        let (scale, norm, sums) = (n, n + 1, n + 2);
        let threads = if rung.name == "clip_norm_1_naive" {
            1
        } else {
            256
        };
        let pass = |stage: usize, gradient: usize, first: usize, groups: usize| {
            let params = [self.lens[gradient], piece, first, pieces].map(|v| v as u32);
            let mut params = params.to_vec();
            params.push((self.max_norm as f32).to_bits());
            let work = if stage == 0 { piece } else { pieces };
            Pass::of(rung, 0, params, limits.fold(groups))
                .with(&[("STAGE", stage as f64)])
                .looping(work.div_ceil(threads) + 8)
                .over(&[gradient, sums, scale, norm])
        };
        let mut passes = Vec::with_capacity(n + 1);
        let mut first = 0;
        for (gradient, count) in counts.iter().enumerate() {
            let groups = if threads == 1 {
                count.div_ceil(64)
            } else {
                *count
            };
            passes.push(pass(0, gradient, first, groups));
            first += count;
        }
        passes.push(pass(1, 0, 0, 1));
        Some(Plan {
            scratch: vec![pieces],
            passes,
        })
    }
}
