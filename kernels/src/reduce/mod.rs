//! Sum, mean, maximum or position of the maximum along one axis.
//!
//! | buffer | shape | |
//! | --- | --- | --- |
//! | `x` | `[outer, axis, inner]` | in |
//! | `y` | `[outer, inner]`; u32 positions along the axis for [`ReduceOp::ArgMax`] | out |
//!
//! Any axis of any tensor is such a one: what stands before it is `outer`, what stands behind it `inner`.
//! A NaN is greater than every number, as in PyTorch; of equals the first is the maximum.
//! FLOPs: one for each element of `x`.

pub mod cases;
mod cpu;
mod oracle;

use crate::error::{Result, elements};
use crate::kernel::{Arg, Kernel, Limits, Pass, Plan, Rung};
use crate::rung;

/// What a reduction computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReduceOp {
    /// `Σ x`
    Sum,
    /// `Σ x / axis`
    Mean,
    /// The greatest.
    Max,
    /// Where the greatest stands.
    ArgMax,
}

impl ReduceOp {
    /// Every one of them.
    pub const ALL: [ReduceOp; 4] = [
        ReduceOp::Sum,
        ReduceOp::Mean,
        ReduceOp::Max,
        ReduceOp::ArgMax,
    ];

    /// The value of `override OP` in WGSL.
    fn code(self) -> f64 {
        ReduceOp::ALL.iter().position(|op| *op == self).unwrap_or(0) as f64
    }
}

/// `y[outer, inner] = op over axis of x[outer, axis, inner]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reduce {
    /// What.
    pub op: ReduceOp,
    /// Elements before the axis.
    pub outer: usize,
    /// Length of the axis.
    pub axis: usize,
    /// Number of elements after the axis (its stride).
    pub inner: usize,
}

impl Reduce {
    /// A reduction of the middle of three axes.
    pub fn new(op: ReduceOp, [outer, axis, inner]: [usize; 3]) -> Self {
        Reduce {
            op,
            outer,
            axis,
            inner,
        }
    }

    fn params(&self) -> Vec<u32> {
        [self.outer, self.axis, self.inner]
            .map(|v| v as u32)
            .to_vec()
    }
}

impl Kernel for Reduce {
    fn name(&self) -> &'static str {
        "reduce"
    }

    fn check(&self) -> Result<()> {
        let shape = [self.outer, self.axis, self.inner];
        if elements(self.name(), &shape)? == 0 {
            return Err(self.error(format!("x {shape:?} has an empty side")));
        }
        Ok(())
    }

    fn inputs(&self) -> Vec<Arg> {
        vec![Arg::f32("x", self.outer * self.axis * self.inner)]
    }

    fn outputs(&self) -> Vec<Arg> {
        let len = self.outer * self.inner;
        vec![match self.op {
            ReduceOp::ArgMax => Arg::u32("y", len),
            _ => Arg::f32("y", len),
        }]
    }

    fn flops(&self) -> u64 {
        self.outer as u64 * self.axis as u64 * self.inner as u64
    }

    fn reduction(&self) -> usize {
        match self.op {
            ReduceOp::Sum | ReduceOp::Mean => self.axis,
            ReduceOp::Max | ReduceOp::ArgMax => 1,
        }
    }

    fn oracle(&self, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
        oracle::reduce(self, inputs[0], &mut outputs[0]);
    }

    fn cpu(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        cpu::reduce(self, inputs[0], outputs[0]);
    }

    fn rungs(&self) -> &'static [Rung] {
        const {
            &[
                rung!("reduce_1_naive"),
                rung!("reduce_2_tree"),
                rung!("reduce_3_two_stage"),
            ]
        }
    }

    fn plan(&self, rung: &Rung, limits: &Limits) -> Option<Plan> {
        let op = ("OP", self.op.code());
        if rung.name == "reduce_1_naive" {
            let groups = limits.fold((self.outer * self.inner).div_ceil(64));
            let pass = Pass::of(rung, 2, self.params(), groups).with(&[op]);
            return Some(pass.looping(self.axis).into());
        }
        // A workgroup for less than this would idle: rung 1 has a thread per output.
        if self.axis < 64 {
            return None;
        }
        let columns = self.inner.next_power_of_two().min(32);
        let blocks = self.outer * self.inner.div_ceil(columns);
        let constants = [op, ("COLUMNS", columns as f64)];
        let lanes = 256 / columns;
        let iterations = |length: usize| length.div_ceil(lanes) + 8;
        if rung.name == "reduce_2_tree" {
            let pass = Pass::of(rung, 2, self.params(), limits.fold(blocks)).with(&constants);
            return Some(pass.looping(iterations(self.axis)).into());
        }
        // Enough pieces to fill a card, each long enough for a workgroup.
        let wanted = (512 / blocks).min(self.axis / (4 * lanes));
        if wanted < 2 {
            return None;
        }
        let piece = self.axis.div_ceil(wanted);
        let pieces = self.axis.div_ceil(piece);
        let mut params = self.params();
        params.extend([pieces as u32, piece as u32]);
        let part = self.outer * pieces * self.inner;
        let pass = |stage: usize, groups: usize| {
            let constants = [constants[0], constants[1], ("STAGE", stage as f64)];
            Pass::of(rung, 4, params.clone(), limits.fold(groups))
                .with(&constants)
                .looping(iterations(piece.max(pieces)))
        };
        Some(Plan {
            scratch: vec![part, if self.op == ReduceOp::ArgMax { part } else { 1 }],
            passes: vec![pass(0, blocks * pieces), pass(1, blocks)],
        })
    }

    /// Sums stay well away from zero, where a relative error would say nothing; maxima meet ties.
    fn sample(&self, _input: &'static str, unit: f64) -> f64 {
        match self.op {
            ReduceOp::Sum | ReduceOp::Mean => 0.75 + 0.5 * unit,
            ReduceOp::Max | ReduceOp::ArgMax => (unit * 64.0).round(),
        }
    }
}
