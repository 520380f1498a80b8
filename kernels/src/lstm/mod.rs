//! Long short-term memory (PyTorch's `LSTM`) along time, and its gradient.
//!
//! ```text
//! a  = x + W_hh·h + b_hh              for the four gates, from the state before the step
//! i  = σ(a_i)                         how much of the candidate comes in
//! f  = σ(a_f)                         how much of the cell stays
//! g  = act(a_g)                       the candidate; act is tanh unless said otherwise
//! o  = σ(a_o)                         how much of the cell shows
//! c' = f·c + i·g
//! h' = o·act(c')
//! ```
//!
//! with `x = W_ih·input + b_ih` worked out before for all times. Another activation takes tanh's place in both lines, as
//! in Keras. Shapes and options are those of [`Recurrence`] with four gates in the order i, f, g, o; beside `y` and
//! `before` there comes out what the way back needs:
//!
//! | buffer | shape | |
//! | --- | --- | --- |
//! | `cells` | `[n, t, h]`: the cell before each step | out |
//! | `gates` | `[n, t, 4, h]`: i, f, g, o | out |
//!
//! [`LstmGrad`] walks back through time. With `dh` the gradient of a step's `h'` (from `dy` and from the step behind),
//! and `dc` that of its `c'` (from the step behind):
//!
//! ```text
//! dc   = dc + dh·o·act'(c')           do = dh·act(c')·o·(1 - o)
//! di   = dc·g·i·(1 - i)               df = dc·c·f·(1 - f)         dg = dc·i·act'(g)
//! dc   = dc·f, dh = W_hhᵀ·dx          for the step before; dx = di, df, dg, do
//! ```
//!
//! | buffer | shape | |
//! | --- | --- | --- |
//! | `dy` | as `y` | in |
//! | `cells`, `gates`, `w_hh` | as above | in |
//! | `dx` | `[n, t, 4, h]`: the gradient of `x`, and of `W_hh·h + b_hh` | out |
//!
//! What is left are sums and products over all times at once: `dW_ih = dxᵀ·input`, `dW_hh = dxᵀ·before`,
//! `db_ih = db_hh = Σ dx`, `dinput = dx·W_ih`. FLOPs, either way: 2·4·n·t·h².

pub mod cases;
mod cpu;
mod oracle;

use crate::error::Result;
use crate::kernel::{Arg, Kernel, Limits, Plan, Rung};
use crate::recurrence::Recurrence;
use crate::rung;

const GATES: usize = 4;

/// The states of an LSTM along time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lstm(
    /// Shape and options.
    pub Recurrence,
);

impl Kernel for Lstm {
    fn name(&self) -> &'static str {
        "lstm"
    }

    fn smaller(&self) -> Option<Box<dyn Kernel>> {
        Some(Box::new(Lstm(self.0.halved()?)))
    }

    fn check(&self) -> Result<()> {
        self.0.check(self, GATES)
    }

    fn inputs(&self) -> Vec<Arg> {
        self.0.forward_inputs(GATES)
    }

    fn outputs(&self) -> Vec<Arg> {
        let s = &self.0;
        vec![
            s.y(),
            s.series("before", 1),
            s.series("cells", 1),
            s.series("gates", GATES),
        ]
    }

    fn flops(&self) -> u64 {
        self.0.flops(GATES)
    }

    /// Errors of a step go into the next.
    fn reduction(&self) -> usize {
        self.0.h * self.0.t
    }

    fn oracle(&self, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
        oracle::lstm(&self.0, inputs, outputs);
    }

    fn cpu(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        cpu::lstm(&self.0, inputs, outputs);
    }

    fn rungs(&self) -> &'static [Rung] {
        const { &[rung!("lstm_1_naive"), rung!("lstm_2_sequence")] }
    }

    fn plan(&self, rung: &Rung, limits: &Limits) -> Option<Plan> {
        let s = &self.0;
        // Without a bias something must still stand at its binding: `x` does, and is not read.
        let (bias, y) = if s.bias { (2, 3) } else { (0, 2) };
        let sequence = rung.name.ends_with("sequence");
        let weights = if sequence { y + 4 } else { 1 };
        let bindings = [0, weights, bias, y, y + 1, y + 2, y + 3];
        let mut plan = s.passes(rung, limits, s.h, false, &bindings)?;
        if sequence {
            s.transpose_first(&mut plan, limits, GATES, weights);
        }
        Some(plan)
    }

    fn sample(&self, input: &'static str, unit: f64) -> f64 {
        self.0.sample(input, unit)
    }
}

/// `dx` from `dy`, back through time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LstmGrad(
    /// The forward kernel's shape and options.
    pub Recurrence,
);

impl Kernel for LstmGrad {
    fn name(&self) -> &'static str {
        "lstm_grad"
    }

    fn smaller(&self) -> Option<Box<dyn Kernel>> {
        Some(Box::new(LstmGrad(self.0.halved()?)))
    }

    fn check(&self) -> Result<()> {
        self.0.check(self, GATES)
    }

    fn inputs(&self) -> Vec<Arg> {
        let s = &self.0;
        vec![
            s.dy(),
            s.series("cells", 1),
            s.series("gates", GATES),
            Arg::f32("w_hh", GATES * s.h * s.h),
        ]
    }

    fn outputs(&self) -> Vec<Arg> {
        vec![self.0.series("dx", GATES)]
    }

    fn flops(&self) -> u64 {
        self.0.flops(GATES)
    }

    fn reduction(&self) -> usize {
        GATES * self.0.h * self.0.t
    }

    fn oracle(&self, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
        oracle::lstm_grad(&self.0, inputs, &mut outputs[0]);
    }

    fn cpu(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        cpu::lstm_grad(&self.0, inputs, outputs[0]);
    }

    fn rungs(&self) -> &'static [Rung] {
        const { &[rung!("lstm_grad_1_naive"), rung!("lstm_grad_2_sequence")] }
    }

    fn plan(&self, rung: &Rung, limits: &Limits) -> Option<Plan> {
        let s = &self.0;
        let sums = GATES * s.h;
        if rung.name.ends_with("sequence") {
            return s.passes(rung, limits, sums, true, &[0, 1, 2, 3, 4]);
        }
        // The cell's gradient on its way from a step to the one before it.
        let mut plan = s.passes(rung, limits, sums, true, &[0, 1, 2, 3, 4, 5])?;
        plan.scratch.push(s.n * s.h);
        Some(plan)
    }

    fn sample(&self, input: &'static str, unit: f64) -> f64 {
        self.0.sample(input, unit)
    }

    fn arrange(&self, inputs: &mut [Vec<f64>]) {
        self.0.arrange(&mut inputs[2], 2, 2);
    }
}
