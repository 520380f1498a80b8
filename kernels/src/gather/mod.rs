//! Slices of an array picked by number, along one axis; and the gradient.
//!
//! | buffer | shape | |
//! | --- | --- | --- |
//! | `x` | `[outer, rows, inner]` | in |
//! | `index` | `[count]`, u32: positions along the axis of `rows` | in |
//! | `y` | `[outer, count, inner]`: `y[o, k, i] = x[o, index[k], i]` | out |
//!
//! An index of `rows` or more gives NaN, so that the mistake shows. With `outer = 1` these are the rows of a table (an
//! embedding); PyTorch calls it `index_select`.
//!
//! [`GatherGrad`] adds each gradient to the slice that it came from; an index out of range gets nothing:
//!
//! | buffer | shape | |
//! | --- | --- | --- |
//! | `dy` | `[outer, count, inner]` | in |
//! | `index` | `[count]`, u32 | in |
//! | `dx` | `[outer, rows, inner]`: the sum of `dy[o, k, i]` over the k with `index[k] = r`, in order | out |
//!
//! No two threads add to one place: each slice of `dx` looks through the whole of `index` for itself. That makes the sums
//! the same every time, and costs `rows · count` comparisons; for tables of many thousand rows a sorted index would pay.
//! FLOPs: the gradient's additions.

pub mod cases;
mod cpu;
mod oracle;

use crate::error::{Result, elements};
use crate::kernel::{Arg, Kernel, Limits, Pass, Plan, Rung};
use crate::rung;

/// `y[o, k, i] = x[o, index[k], i]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gather {
    /// Elements before the axis.
    pub outer: usize,
    /// Length of the axis in `x`.
    pub rows: usize,
    /// Number of elements after the axis (its stride).
    pub inner: usize,
    /// Number of indices: length of the axis in `y`.
    pub count: usize,
}

impl Gather {
    fn check_as(&self, kernel: &dyn Kernel) -> Result<()> {
        for axis in [self.rows, self.count] {
            let shape = [self.outer, axis, self.inner];
            if elements(kernel.name(), &shape)? == 0 {
                return Err(kernel.error(format!("{shape:?} is empty")));
            }
        }
        Ok(())
    }

    fn x_len(&self) -> usize {
        self.outer * self.rows * self.inner
    }

    fn y_len(&self) -> usize {
        self.outer * self.count * self.inner
    }

    fn params(&self) -> Vec<u32> {
        [self.outer, self.rows, self.inner, self.count]
            .map(|n| n as u32)
            .to_vec()
    }

    /// Some are out of range.
    fn sample_of(&self, input: &'static str, unit: f64) -> f64 {
        match input {
            "index" => (unit + 1.0) * 0.55 * self.rows as f64,
            _ => unit,
        }
    }
}

impl Kernel for Gather {
    fn name(&self) -> &'static str {
        "gather"
    }

    fn check(&self) -> Result<()> {
        self.check_as(self)
    }

    fn inputs(&self) -> Vec<Arg> {
        vec![Arg::f32("x", self.x_len()), Arg::u32("index", self.count)]
    }

    fn outputs(&self) -> Vec<Arg> {
        vec![Arg::f32("y", self.y_len())]
    }

    fn flops(&self) -> u64 {
        0
    }

    /// Of x, what is picked.
    fn bytes(&self) -> u64 {
        4 * (2 * self.y_len() + self.count) as u64
    }

    fn reduction(&self) -> usize {
        1
    }

    fn oracle(&self, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
        oracle::gather(self, inputs[0], inputs[1], &mut outputs[0]);
    }

    fn cpu(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        cpu::gather(self, inputs[0], inputs[1], outputs[0]);
    }

    fn rungs(&self) -> &'static [Rung] {
        const { &[rung!("gather_1_naive"), rung!("gather_2_vector")] }
    }

    fn plan(&self, rung: &Rung, limits: &Limits) -> Option<Plan> {
        let width = match rung.name {
            "gather_1_naive" => 1,
            _ if self.inner.is_multiple_of(4) => 4,
            _ => return None,
        };
        let groups = limits.fold((self.y_len() / width).div_ceil(64));
        Some(Pass::of(rung, 3, self.params(), groups).into())
    }

    fn sample(&self, input: &'static str, unit: f64) -> f64 {
        self.sample_of(input, unit)
    }
}

/// `dx` from `dy` and the same index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GatherGrad(
    /// The forward kernel.
    pub Gather,
);

impl Kernel for GatherGrad {
    fn name(&self) -> &'static str {
        "gather_grad"
    }

    fn check(&self) -> Result<()> {
        self.0.check_as(self)
    }

    fn inputs(&self) -> Vec<Arg> {
        vec![
            Arg::f32("dy", self.0.y_len()),
            Arg::u32("index", self.0.count),
        ]
    }

    fn outputs(&self) -> Vec<Arg> {
        vec![Arg::f32("dx", self.0.x_len())]
    }

    fn flops(&self) -> u64 {
        self.0.y_len() as u64
    }

    fn reduction(&self) -> usize {
        self.0.count
    }

    fn oracle(&self, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
        oracle::gather_grad(&self.0, inputs[0], inputs[1], &mut outputs[0]);
    }

    fn cpu(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        cpu::gather_grad(&self.0, inputs[0], inputs[1], outputs[0]);
    }

    fn rungs(&self) -> &'static [Rung] {
        const { &[rung!("gather_grad_1_naive"), rung!("gather_grad_2_masked")] }
    }

    fn plan(&self, rung: &Rung, limits: &Limits) -> Option<Plan> {
        let s = &self.0;
        let (groups, iterations) = match rung.name {
            "gather_grad_1_naive" => (s.x_len().div_ceil(64), s.count),
            // A workgroup would look for next to nothing.
            _ if s.count < 64 => return None,
            // Nine words of each 256 entries, and perhaps every entry.
            _ => (
                s.outer * s.rows * s.inner.div_ceil(256),
                s.count.div_ceil(256) * 9 + s.count,
            ),
        };
        let pass = Pass::of(rung, 3, s.params(), limits.fold(groups));
        Some(pass.looping(iterations).into())
    }

    fn sample(&self, input: &'static str, unit: f64) -> f64 {
        self.0.sample_of(input, unit)
    }
}
