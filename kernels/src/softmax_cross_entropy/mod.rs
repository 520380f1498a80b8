//! Cross-entropy between softmax and labels, as one number; and its gradient.
//!
//! | buffer | shape | |
//! | --- | --- | --- |
//! | `logits` | `[rows, columns]` | in |
//! | `labels` | `[rows]`, u32; a row whose label is `columns` or more is ignored | in |
//! | `weights` | `[columns]`: what a class counts, when `weighted` | in |
//! | `loss` | `[1]` | out |
//!
//! `loss = Σ w·nll / Σ w` over the rows that count, with `w = weights[label]` (or 1) and
//! `nll = ln Σ e^(logits - max) - (logits[label] - max)`: PyTorch's weighted mean. Where Σ w is 0 the loss is 0.
//!
//! With `smoothing` s, the label is believed to 1 - s only, and the rest is spread over all classes. A row's `w·nll`
//! becomes `Σ_c t[c]·nll[c]`, with `t[c] = s / columns · weights[c]`, at the label `(1 - s)·w` more: PyTorch's
//! definition, in which the divisor stays Σ w.
//!
//! [`SoftmaxCrossEntropyGrad`] gives, for a gradient `upstream` of the loss,
//! `dlogits = upstream / Σ w · (Σ t · softmax - t)`, zero in ignored rows; without smoothing that is
//! `upstream · w / Σ w · (softmax - [column = label])`:
//!
//! | buffer | shape | |
//! | --- | --- | --- |
//! | `logits`, `labels`, `weights` | as above | in |
//! | `upstream` | `[1]` | in |
//! | `dlogits` | `[rows, columns]` | out |
//!
//! FLOPs: 4 an element, the exponential counted as one; the gradient 6.

pub mod cases;
mod cpu;
mod oracle;

use crate::error::{Result, elements};
use crate::kernel::{Arg, Kernel, Limits, Pass, Plan, Rung};
use crate::rung;

/// Weighted mean of the cross-entropy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SoftmaxCrossEntropy {
    /// Number of predictions.
    pub rows: usize,
    /// Number of classes.
    pub columns: usize,
    /// Whether each class has a weight.
    pub weighted: bool,
    /// How much of the belief is spread over all classes, from 0 to 1.
    pub smoothing: f32,
}

impl SoftmaxCrossEntropy {
    fn check_as(&self, kernel: &dyn Kernel) -> Result<()> {
        if elements(kernel.name(), &[self.rows, self.columns])? == 0 {
            return Err(kernel.error(format!("{} × {} is empty", self.rows, self.columns)));
        }
        if !(0.0..=1.0).contains(&self.smoothing) {
            return Err(kernel.error(format!(
                "smoothing must lie in [0, 1], not be {}",
                self.smoothing
            )));
        }
        Ok(())
    }

    fn args(&self) -> Vec<Arg> {
        let mut args = vec![
            Arg::f32("logits", self.rows * self.columns),
            Arg::u32("labels", self.rows),
        ];
        args.extend(self.weighted.then(|| Arg::f32("weights", self.columns)));
        args
    }

    /// What a class counts.
    fn weight<T: Copy>(&self, inputs: &[&[T]], label: usize, one: T) -> T {
        if self.weighted { inputs[2][label] } else { one }
    }

    /// Where a row goes to a workgroup of its own, each of its threads takes so many columns in turn.
    const WIDE: usize = 64;

    /// The two dispatches of the third rungs; `rows_stage` is the one with a workgroup to each row.
    fn wide(
        &self,
        rung: &Rung,
        scratch: usize,
        rows_stage: usize,
        last: &[usize],
        limits: &Limits,
    ) -> Plan {
        let mut groups = [[1, 1, 1]; 2];
        groups[rows_stage] = limits.fold(self.rows);
        let mut plan = self.passes(rung, &[scratch], &groups, last);
        for pass in &mut plan.passes {
            pass.iterations = 3 * self.columns.div_ceil(64) + self.rows.div_ceil(64) + 16;
        }
        plan
    }

    fn sample_of(&self, input: &'static str, unit: f64) -> f64 {
        match input {
            // Some are ignored.
            "labels" => (unit + 1.0) * 0.55 * self.columns as f64,
            "weights" => 1.0 + 0.9 * unit,
            _ => 4.0 * unit,
        }
    }

    /// `passes` dispatches of a rung, numbered by the constant STAGE where there are several. `last` are the arguments
    /// beside the common ones.
    fn passes(&self, rung: &Rung, scratch: &[usize], groups: &[[u32; 3]], last: &[usize]) -> Plan {
        let params = vec![
            self.rows as u32,
            self.columns as u32,
            self.smoothing.to_bits(),
        ];
        // Without weights something must still stand at their binding: the logits do, and are not read.
        let mut bindings = vec![0, 1, if self.weighted { 2 } else { 0 }];
        bindings.extend(last);
        let weighted = ("WEIGHTED", f64::from(u8::from(self.weighted)));
        // A thread walks four times along a row, or along its share of the rows; in a single dispatch it does both.
        let (row, rows) = (4 * self.columns, self.rows);
        let iterations = match scratch.len() {
            1 => row.max(rows.div_ceil(64) + 8),
            _ => rows.div_ceil(256) * (row + 1) + 8,
        };
        let pass = |(stage, &groups): (usize, &[u32; 3])| {
            let mut constants = vec![weighted];
            constants.extend((scratch.len() == 1).then_some(("STAGE", stage as f64)));
            Pass::of(rung, 0, params.clone(), groups)
                .with(&constants)
                .looping(iterations)
                .over(&bindings)
        };
        Plan {
            scratch: scratch.to_vec(),
            passes: groups.iter().enumerate().map(pass).collect(),
        }
    }
}

/// Rows that one workgroup takes in a single dispatch.
const SINGLE_ROWS: usize = 1024;

impl Kernel for SoftmaxCrossEntropy {
    fn name(&self) -> &'static str {
        "softmax_cross_entropy"
    }

    fn check(&self) -> Result<()> {
        self.check_as(self)
    }

    fn inputs(&self) -> Vec<Arg> {
        self.args()
    }

    fn outputs(&self) -> Vec<Arg> {
        vec![Arg::f32("loss", 1)]
    }

    fn flops(&self) -> u64 {
        4 * self.rows as u64 * self.columns as u64
    }

    fn reduction(&self) -> usize {
        self.columns + self.rows
    }

    fn oracle(&self, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
        oracle::loss(self, inputs, &mut outputs[0]);
    }

    fn cpu(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        cpu::loss(self, inputs, outputs[0]);
    }

    fn rungs(&self) -> &'static [Rung] {
        const {
            &[
                rung!("softmax_cross_entropy_1_naive"),
                rung!("softmax_cross_entropy_2_single"),
                rung!("softmax_cross_entropy_3_wide"),
            ]
        }
    }

    fn plan(&self, rung: &Rung, limits: &Limits) -> Option<Plan> {
        let loss = self.args().len();
        if rung.name == "softmax_cross_entropy_1_naive" {
            let groups = [limits.fold(self.rows.div_ceil(64)), [1, 1, 1]];
            return Some(self.passes(rung, &[2 * self.rows], &groups, &[loss + 1, loss]));
        }
        if rung.name == "softmax_cross_entropy_3_wide" {
            return (self.columns >= Self::WIDE)
                .then(|| self.wide(rung, 2 * self.rows, 0, &[loss + 1, loss], limits));
        }
        (self.rows <= SINGLE_ROWS).then(|| self.passes(rung, &[], &[[1, 1, 1]], &[loss]))
    }

    fn sample(&self, input: &'static str, unit: f64) -> f64 {
        self.sample_of(input, unit)
    }
}

/// The gradient of [`SoftmaxCrossEntropy`] by the logits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SoftmaxCrossEntropyGrad(pub SoftmaxCrossEntropy);

impl Kernel for SoftmaxCrossEntropyGrad {
    fn name(&self) -> &'static str {
        "softmax_cross_entropy_grad"
    }

    fn check(&self) -> Result<()> {
        self.0.check_as(self)
    }

    fn inputs(&self) -> Vec<Arg> {
        let mut args = self.0.args();
        args.push(Arg::f32("upstream", 1));
        args
    }

    fn outputs(&self) -> Vec<Arg> {
        vec![Arg::f32("dlogits", self.0.rows * self.0.columns)]
    }

    fn flops(&self) -> u64 {
        6 * self.0.rows as u64 * self.0.columns as u64
    }

    fn reduction(&self) -> usize {
        self.0.columns + self.0.rows
    }

    fn oracle(&self, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
        oracle::gradient(&self.0, inputs, &mut outputs[0]);
    }

    fn cpu(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        cpu::gradient(&self.0, inputs, outputs[0]);
    }

    fn rungs(&self) -> &'static [Rung] {
        const {
            &[
                rung!("softmax_cross_entropy_grad_1_naive"),
                rung!("softmax_cross_entropy_grad_2_single"),
                rung!("softmax_cross_entropy_grad_3_wide"),
            ]
        }
    }

    fn plan(&self, rung: &Rung, limits: &Limits) -> Option<Plan> {
        let upstream = self.0.args().len();
        if rung.name == "softmax_cross_entropy_grad_1_naive" {
            let groups = [[1, 1, 1], limits.fold(self.0.rows.div_ceil(64))];
            let last = [upstream, upstream + 2, upstream + 1];
            return Some(self.0.passes(rung, &[1], &groups, &last));
        }
        if rung.name == "softmax_cross_entropy_grad_3_wide" {
            let last = [upstream, upstream + 2, upstream + 1];
            return (self.0.columns >= SoftmaxCrossEntropy::WIDE)
                .then(|| self.0.wide(rung, 1, 1, &last, limits));
        }
        let groups = [[self.0.rows.div_ceil(256) as u32, 1, 1]];
        let last = [upstream, upstream + 1];
        (self.0.rows <= SINGLE_ROWS).then(|| self.0.passes(rung, &[], &groups, &last))
    }

    fn sample(&self, input: &'static str, unit: f64) -> f64 {
        self.0.sample_of(input, unit)
    }
}
