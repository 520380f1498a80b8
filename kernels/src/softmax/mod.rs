//! Softmax of each row: `y = e^(x - max) / Σ e^(x - max)`.
//!
//! | buffer | shape | |
//! | --- | --- | --- |
//! | `x` | `[rows, columns]` | in |
//! | `y` | `[rows, columns]` | out |
//!
//! The row's maximum is subtracted first, so that no finite row overflows. A row that has no softmax (all −∞, or one
//! that holds +∞ or NaN) becomes NaN, as in PyTorch. FLOPs: 4 an element, the exponential counted as one.

pub mod cases;
pub(crate) mod cpu;
mod oracle;

use crate::error::{Result, elements};
use crate::kernel::{Arg, Kernel, Limits, Pass, Plan, Rung};
use crate::rung;

/// Softmax of each row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Softmax {
    /// How many.
    pub rows: usize,
    /// Elements of a row.
    pub columns: usize,
}

impl Kernel for Softmax {
    fn name(&self) -> &'static str {
        "softmax"
    }

    fn check(&self) -> Result<()> {
        if elements(self.name(), &[self.rows, self.columns])? == 0 {
            return Err(self.error(format!("{} × {} is empty", self.rows, self.columns)));
        }
        Ok(())
    }

    fn inputs(&self) -> Vec<Arg> {
        vec![Arg::f32("x", self.rows * self.columns)]
    }

    fn outputs(&self) -> Vec<Arg> {
        vec![Arg::f32("y", self.rows * self.columns)]
    }

    fn flops(&self) -> u64 {
        4 * self.rows as u64 * self.columns as u64
    }

    fn reduction(&self) -> usize {
        self.columns
    }

    fn oracle(&self, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
        oracle::softmax(self, inputs[0], &mut outputs[0]);
    }

    fn cpu(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        cpu::softmax(self, inputs[0], outputs[0]);
    }

    fn rungs(&self) -> &'static [Rung] {
        const {
            &[
                rung!("softmax_1_naive"),
                rung!("softmax_2_tree"),
                rung!("softmax_3_online"),
            ]
        }
    }

    fn plan(&self, rung: &Rung, limits: &Limits) -> Option<Plan> {
        let params = vec![self.rows as u32, self.columns as u32];
        let (groups, iterations) = match rung.name {
            "softmax_1_naive" => (self.rows.div_ceil(64), 3 * self.columns),
            // A workgroup for a short row would idle: rung 1 has a thread per row.
            _ if self.columns < 64 => return None,
            _ => (self.rows, 3 * self.columns.div_ceil(256) + 16),
        };
        let pass = Pass::of(rung, 2, params, limits.fold(groups));
        Some(pass.looping(iterations).into())
    }

    /// Wide enough that a version without the maximum would overflow.
    fn sample(&self, _input: &'static str, unit: f64) -> f64 {
        100.0 * unit
    }
}
