//! What [`gru`](crate::gru) and [`lstm`](crate::lstm) share: a state `h` that walks along time.
//!
//! Every step computes `u = W_hh·h + b_hh` for all its gates, joins it with the input's share `x = W_ih·input + b_ih`
//! (one [`matmul`](crate::matmul) over all times, done before), and makes the next state of the two. The first state is
//! zero. Both directions of time and both sides of a bidirectional output are options:
//!
//! | buffer | shape | |
//! | --- | --- | --- |
//! | `x` | `[n, t, gates, h]` | in |
//! | `w_hh` | `[gates, h, h]`: PyTorch's `weight_hh_l0` | in |
//! | `b_hh` | `[gates, h]`: PyTorch's `bias_hh_l0`, when `bias` | in |
//! | `y` | `[n, t, columns]`, or `[n, columns]` with the final state where `last`; columns `column..column + h` | out |
//! | `before` | `[n, t, h]`: the state before each step | out |
//!
//! The columns of `y` that are not ours keep what they hold, so that two directions write side by side. `before` lies
//! as `x` does, so that the weights' gradients are plain matrix products: `dW_hh = duᵀ·before`.
//!
//! | file | holds |
//! | --- | --- |
//! | `mod.rs` | shape, options, checks; the dispatches of every rung |
//! | `cpu.rs` | the walk along time on the CPU, either way |
//! | `cases.rs` | the shapes of the papers' layers, odd ones, bad ones |
//! | `recurrence_transpose.wgsl` | the weights as the rungs that walk in one dispatch read them |

pub mod cpu;
pub mod shapes;

use crate::activation::Activation;
use crate::error::{Result, elements};
use crate::kernel::{Arg, Kernel, Limits, Pass, Plan, Rung, half};
use crate::rung;

/// The shape and options of a walk along time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recurrence {
    /// Examples.
    pub n: usize,
    /// Steps of time.
    pub t: usize,
    /// Numbers in the state.
    pub h: usize,
    /// Whether there is a `b_hh`.
    pub bias: bool,
    /// Activation of the candidate for the next state.
    pub activation: Activation,
    /// Whether it walks from the last time to the first.
    pub reverse: bool,
    /// Whether only the final state is wanted.
    pub last: bool,
    /// Columns of `y`: `h`, or more where another direction stands beside.
    pub columns: usize,
    /// The first of them that is ours.
    pub column: usize,
}

/// The longest state that one workgroup walks with: a thread for each number.
const UNITS: usize = 256;

impl Recurrence {
    /// The same with half the batch.
    pub(crate) fn halved(&self) -> Option<Self> {
        let n = half(self.n)?;
        Some(Recurrence { n, ..*self })
    }

    /// PyTorch's layer of one direction: both biases, tanh, the whole sequence.
    pub fn new([n, t, h]: [usize; 3]) -> Self {
        Recurrence {
            n,
            t,
            h,
            bias: true,
            activation: Activation::Tanh,
            reverse: false,
            last: false,
            columns: h,
            column: 0,
        }
    }

    /// The second direction of two that stand side by side.
    pub fn backward(self) -> Self {
        Recurrence {
            reverse: true,
            columns: 2 * self.h,
            column: self.h,
            ..self
        }
    }

    /// Only the final state.
    pub fn last(self) -> Self {
        Recurrence { last: true, ..self }
    }

    /// With another activation of the candidate.
    pub fn with(self, activation: Activation) -> Self {
        Recurrence { activation, ..self }
    }

    /// Without `b_hh`.
    pub fn without_bias(self) -> Self {
        Recurrence {
            bias: false,
            ..self
        }
    }

    /// The time of the step that comes as number `step`.
    pub(crate) fn time(&self, step: usize) -> usize {
        match self.reverse {
            false => step,
            true => self.t - 1 - step,
        }
    }

    /// Rows of everything that has one for each example and time.
    pub(crate) fn rows(&self) -> usize {
        self.n * self.t
    }

    /// Where in `y` (and `dy`) an example's state after a step begins, if it stands there.
    pub(crate) fn output(&self, example: usize, step: usize) -> Option<usize> {
        let row = match self.last {
            false => example * self.t + self.time(step),
            true if step + 1 == self.t => example,
            true => return None,
        };
        Some(row * self.columns + self.column)
    }

    fn y_len(&self) -> usize {
        match self.last {
            false => self.rows() * self.columns,
            true => self.n * self.columns,
        }
    }

    pub(crate) fn check(&self, kernel: &dyn Kernel, gates: usize) -> Result<()> {
        let Recurrence { n, t, h, .. } = *self;
        if n == 0 || t == 0 || h == 0 {
            let message = format!("{n} examples × {t} steps × {h} hidden has an empty side");
            return Err(kernel.error(message));
        }
        if self
            .column
            .checked_add(h)
            .is_none_or(|end| end > self.columns)
        {
            return Err(kernel.error(format!(
                "{h} columns from {} on do not fit into {}",
                self.column, self.columns
            )));
        }
        elements(kernel.name(), &[n, t, gates.max(4), h])?;
        elements(kernel.name(), &[gates, h, h])?;
        elements(kernel.name(), &[n, t, self.columns])?;
        Ok(())
    }

    pub(crate) fn forward_inputs(&self, gates: usize) -> Vec<Arg> {
        let mut args = vec![
            Arg::f32("x", self.rows() * gates * self.h),
            Arg::f32("w_hh", gates * self.h * self.h),
        ];
        args.extend(self.bias.then(|| Arg::f32("b_hh", gates * self.h)));
        args
    }

    pub(crate) fn y(&self) -> Arg {
        let y = Arg::f32("y", self.y_len());
        match self.columns == self.h {
            true => y,
            false => y.updated(),
        }
    }

    pub(crate) fn dy(&self) -> Arg {
        Arg::f32("dy", self.y_len())
    }

    /// `width` numbers for each number of every example's state at every time.
    pub(crate) fn series(&self, name: &'static str, width: usize) -> Arg {
        Arg::f32(name, self.rows() * width * self.h)
    }

    /// FLOPs of the products with `w_hh`: nearly all there are.
    pub(crate) fn flops(&self, gates: usize) -> u64 {
        2 * self.rows() as u64 * (gates * self.h) as u64 * self.h as u64
    }

    /// Weights as PyTorch starts them, so that states neither die nor explode; gates between 0 and 1.
    pub(crate) fn sample(&self, input: &'static str, unit: f64) -> f64 {
        match input {
            "w_hh" => unit / (self.h as f64).sqrt(),
            "gates" => 0.5 + 0.5 * unit,
            _ => unit,
        }
    }

    /// Lets the gates from number `first` on take either sign: they are no sigmoids.
    pub(crate) fn arrange(&self, gates: &mut [f64], first: usize, last: usize) {
        for row in gates.chunks_exact_mut(4 * self.h) {
            for gate in &mut row[first * self.h..=last * self.h + self.h - 1] {
                *gate = f64::from((2.0 * *gate - 1.0) as f32);
            }
        }
    }

    /// The passes of a rung: one for each step, or one for all where its name ends in `sequence`. `sums` is how many
    /// terms a unit's sums have, `bindings` and `constants` are those of the shader; `backward` walks the steps from
    /// the last to the first.
    pub(crate) fn passes(
        &self,
        rung: &Rung,
        limits: &Limits,
        sums: usize,
        backward: bool,
        bindings: &[usize],
    ) -> Option<Plan> {
        let mut constants = vec![
            ("REVERSE", f64::from(u8::from(self.reverse))),
            ("LAST", f64::from(u8::from(self.last))),
            ("ACTIVATION", self.activation.code()),
        ];
        if !backward {
            constants.push(("BIAS", f64::from(u8::from(self.bias))));
        }
        let (groups, iterations, steps) = if rung.name.ends_with("naive") {
            ((self.n * self.h).div_ceil(64), sums, self.t)
        } else if rung.name.ends_with("tiled") {
            let tiles = self.n.div_ceil(16) * self.h.div_ceil(16);
            (tiles, sums.div_ceil(16) * 17, self.t)
        } else if self.h > UNITS {
            return None;
        } else {
            let units = self.h.next_power_of_two().max(32);
            constants.push(("UNITS", units as f64));
            let slices = UNITS / units;
            (self.n, self.t * (sums.div_ceil(slices) + slices + 1), 1)
        };
        let pass = |step: usize| {
            let params = [self.n, self.t, self.h, self.columns, self.column, step];
            let params = params.map(|v| v as u32).to_vec();
            Pass::of(rung, 0, params, limits.fold(groups))
                .over(bindings)
                .with(&constants)
                .looping(iterations)
        };
        let mut plan = Plan {
            scratch: Vec::new(),
            passes: (0..steps).map(pass).collect(),
        };
        if backward {
            plan.passes.reverse();
        }
        Some(plan)
    }

    /// Puts `w_hh` (binding 1) into scratch `position` as `[h, gates, h]`, before a plan's passes.
    pub(crate) fn transpose_first(
        &self,
        plan: &mut Plan,
        limits: &Limits,
        gates: usize,
        position: usize,
    ) {
        let len = gates * self.h * self.h;
        let params = vec![(gates * self.h) as u32, self.h as u32];
        let pass = Pass::of(&TRANSPOSE, 0, params, limits.fold(len.div_ceil(64)));
        plan.passes.insert(0, pass.over(&[1, position]));
        plan.scratch.push(len);
    }
}

const TRANSPOSE: Rung = rung!("recurrence_transpose");
