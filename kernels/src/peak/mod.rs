//! What a device can do at most: multiply-adds in registers, and a copy of memory.
//!
//! | kernel | computes | |
//! | --- | --- | --- |
//! | [`PeakFma`] | `y = x`, then `steps` times `y = 0.75·y + 0.25` | nothing but arithmetic |
//! | [`PeakCopy`] | `y = x` | nothing but memory |
//!
//! `x` and `y` are `[len]`. Every other kernel is measured against these two: it can be no faster than its FLOPs at the
//! one's rate and its bytes at the other's. The recurrence comes to rest at 1, so that numbers stay ordinary ones.
//! FLOPs: 2·len·steps, and none.

pub mod cases;
mod cpu;

use crate::error::{Result, elements};
use crate::kernel::{Arg, Kernel, Limits, Pass, Plan, Rung};
use crate::rung;

/// The factor and the summand of the recurrence.
const A: f32 = 0.75;
const B: f32 = 0.25;

/// Multiply-adds in registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeakFma {
    /// Number of elements.
    pub len: usize,
    /// Multiply-adds on each.
    pub steps: usize,
}

/// A copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeakCopy {
    /// Number of elements.
    pub len: usize,
}

/// Numbers that one thread of the second FMA rung works on.
const CHAINS: usize = 16;

impl Kernel for PeakFma {
    fn name(&self) -> &'static str {
        "peak_fma"
    }

    fn check(&self) -> Result<()> {
        if self.len == 0 {
            return Err(self.error("0 numbers are empty".into()));
        }
        if self.steps > 1 << 16 {
            return Err(self.error(format!("{} steps are more than 65536", self.steps)));
        }
        elements(self.name(), &[self.len]).map(|_| ())
    }

    fn inputs(&self) -> Vec<Arg> {
        vec![Arg::f32("x", self.len)]
    }

    fn outputs(&self) -> Vec<Arg> {
        vec![Arg::f32("y", self.len)]
    }

    fn flops(&self) -> u64 {
        2 * self.len as u64 * self.steps as u64
    }

    fn reduction(&self) -> usize {
        1
    }

    fn oracle(&self, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
        let (a, b) = (f64::from(A), f64::from(B));
        for (y, x) in outputs[0].iter_mut().zip(inputs[0]) {
            *y = (0..self.steps).fold(*x, |y, _| a * y + b);
        }
    }

    fn cpu(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        cpu::fma(inputs[0], outputs[0], self.steps);
    }

    fn rungs(&self) -> &'static [Rung] {
        const { &[rung!("peak_fma_1_chain"), rung!("peak_fma_2_chains")] }
    }

    fn plan(&self, rung: &Rung, limits: &Limits) -> Option<Plan> {
        let each = match rung.name {
            "peak_fma_1_chain" => 1,
            _ => CHAINS,
        };
        // The second rung works on whole vectors.
        if !self.len.is_multiple_of(each) {
            return None;
        }
        let threads = self.len / each;
        let groups = limits.fold(threads.div_ceil(256));
        let params = vec![threads as u32, self.steps as u32];
        let pass = Pass::of(rung, 2, params, groups);
        Some(pass.looping(self.steps).into())
    }
}

impl Kernel for PeakCopy {
    fn name(&self) -> &'static str {
        "peak_copy"
    }

    fn check(&self) -> Result<()> {
        if self.len == 0 {
            return Err(self.error("0 numbers are empty".into()));
        }
        elements(self.name(), &[self.len]).map(|_| ())
    }

    fn inputs(&self) -> Vec<Arg> {
        vec![Arg::f32("x", self.len)]
    }

    fn outputs(&self) -> Vec<Arg> {
        vec![Arg::f32("y", self.len)]
    }

    fn flops(&self) -> u64 {
        0
    }

    fn reduction(&self) -> usize {
        1
    }

    fn oracle(&self, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
        outputs[0].copy_from_slice(inputs[0]);
    }

    fn cpu(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        cpu::copy(inputs[0], outputs[0]);
    }

    fn rungs(&self) -> &'static [Rung] {
        const { &[rung!("peak_copy_1_scalar"), rung!("peak_copy_2_vector")] }
    }

    fn plan(&self, rung: &Rung, limits: &Limits) -> Option<Plan> {
        let each = match rung.name {
            "peak_copy_1_scalar" => 1,
            _ => 4,
        };
        // The second rung copies whole vectors.
        if !self.len.is_multiple_of(each) {
            return None;
        }
        let threads = self.len / each;
        let groups = limits.fold(threads.div_ceil(256));
        Some(Pass::of(rung, 2, vec![threads as u32], groups).into())
    }
}
