//! Softmax of each row, `y = e^(x - max) / Σ e^(x - max)`, or its logarithm, `y = x - max - ln Σ e^(x - max)`; and the
//! gradient.
//!
//! | buffer | shape | |
//! | --- | --- | --- |
//! | `x` | `[rows, columns]` | in |
//! | `y` | `[rows, columns]` | out |
//!
//! The row's maximum is subtracted first, so that no finite row overflows. A row that has no softmax (all −∞, or one
//! that holds +∞ or NaN) becomes NaN, as in PyTorch. FLOPs: 4 an element, the exponential counted as one.
//!
//! Every element of a row depends on all of them. [`SoftmaxGrad`] gives `dx = y · (dy - Σ y·dy)`, and of the logarithm
//! `dx = dy - e^y · Σ dy`; the output is all that it needs:
//!
//! | buffer | shape | |
//! | --- | --- | --- |
//! | `y`, `dy` | `[rows, columns]` | in |
//! | `dx` | `[rows, columns]` | out |

pub mod cases;
pub(crate) mod cpu;
mod oracle;

use crate::error::{Result, elements};
use crate::kernel::{Arg, Kernel, Limits, Pass, Plan, Rung, half};
use crate::rung;

/// Softmax of each row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Softmax {
    /// How many.
    pub rows: usize,
    /// Elements of a row.
    pub columns: usize,
    /// Its logarithm instead.
    pub log: bool,
}

impl Softmax {
    /// The same with half the batch.
    fn halved(&self) -> Option<Self> {
        let rows = half(self.rows)?;
        Some(Softmax { rows, ..*self })
    }

    fn check_as(&self, kernel: &dyn Kernel) -> Result<()> {
        if elements(kernel.name(), &[self.rows, self.columns])? == 0 {
            return Err(kernel.error(format!("{} × {} is empty", self.rows, self.columns)));
        }
        Ok(())
    }

    /// A rung over `args` buffers that walks `walks` times along each row.
    fn pass(&self, rung: &Rung, limits: &Limits, args: usize, walks: usize) -> Option<Plan> {
        let params = vec![self.rows as u32, self.columns as u32];
        let (groups, iterations) = match rung.name.ends_with("_1_naive") {
            true => (self.rows.div_ceil(64), walks * self.columns),
            // A workgroup for a short row would idle: rung 1 has a thread per row.
            false if self.columns < 64 => return None,
            false => (self.rows, walks * self.columns.div_ceil(256) + 16),
        };
        let pass = Pass::of(rung, args, params, limits.fold(groups))
            .with(&[("LOG", f64::from(u8::from(self.log)))])
            .looping(iterations);
        Some(pass.into())
    }
}

impl Kernel for Softmax {
    fn name(&self) -> &'static str {
        "softmax"
    }

    fn smaller(&self) -> Option<Box<dyn Kernel>> {
        Some(Box::new(self.halved()?))
    }

    fn check(&self) -> Result<()> {
        self.check_as(self)
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
        self.pass(rung, limits, 2, 3)
    }

    /// Wide enough that a version without the maximum would overflow.
    fn sample(&self, _input: &'static str, unit: f64) -> f64 {
        100.0 * unit
    }
}

/// `dx` from `y` and `dy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SoftmaxGrad(
    /// The forward kernel.
    pub Softmax,
);

impl Kernel for SoftmaxGrad {
    fn name(&self) -> &'static str {
        "softmax_grad"
    }

    fn smaller(&self) -> Option<Box<dyn Kernel>> {
        Some(Box::new(SoftmaxGrad(self.0.halved()?)))
    }

    fn check(&self) -> Result<()> {
        self.0.check_as(self)
    }

    fn inputs(&self) -> Vec<Arg> {
        let len = self.0.rows * self.0.columns;
        vec![Arg::f32("y", len), Arg::f32("dy", len)]
    }

    fn outputs(&self) -> Vec<Arg> {
        vec![Arg::f32("dx", self.0.rows * self.0.columns)]
    }

    fn flops(&self) -> u64 {
        4 * self.0.rows as u64 * self.0.columns as u64
    }

    fn reduction(&self) -> usize {
        self.0.columns
    }

    fn oracle(&self, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
        oracle::softmax_grad(&self.0, inputs[0], inputs[1], &mut outputs[0]);
    }

    fn cpu(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        cpu::softmax_grad(&self.0, inputs[0], inputs[1], outputs[0]);
    }

    fn rungs(&self) -> &'static [Rung] {
        const { &[rung!("softmax_grad_1_naive"), rung!("softmax_grad_2_tree")] }
    }

    fn plan(&self, rung: &Rung, limits: &Limits) -> Option<Plan> {
        self.0.pass(rung, limits, 3, 2)
    }

    /// Probabilities, or their logarithms.
    fn sample(&self, input: &'static str, unit: f64) -> f64 {
        match (input, self.0.log) {
            ("y", false) => 0.5 * (unit + 1.0),
            ("y", true) => 4.0 * (unit - 1.0),
            _ => unit,
        }
    }
}
