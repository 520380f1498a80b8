//! Discrete cosine transform, type II, along one axis; and its gradient, the transposed product.
//!
//! | buffer | shape | |
//! | --- | --- | --- |
//! | `x` | `[outer, n, inner]` | in |
//! | `y` | `[outer, kept, inner]`: the first coefficients | out |
//!
//! ```text
//! y[k] = s[k] · Σ_j x[j]·cos(π·k·(2j + 1) / 2n)
//! ```
//!
//! with `s = 2`, or with `ortho` `√(1/n)` for `k = 0` and `√(2/n)` for the others: `scipy.fft.dct(x, type=2, norm=…)`,
//! which librosa's and HTK's MFCC take of the decibels of mel bands. What stands before the axis is `outer`, what stands
//! behind it `inner`: over the frames of a spectrogram `[clips, bands, frames]` the bands lie in the middle.
//!
//! [`DctGrad`] takes `dy [outer, kept, inner]` to `dx[j] = Σ_k s[k]·dy[k]·cos(π·k·(2j + 1) / 2n)`. With `ortho` and all
//! coefficients kept it is the inverse transform.
//!
//! FLOPs: 2·outer·inner·n·kept.

pub mod cases;
mod cpu;
mod oracle;

use crate::error::{Result, elements};
use crate::kernel::{Arg, Kernel, Limits, Pass, Plan, Rung, half};
use crate::rung;

/// The first coefficients of a DCT-II.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dct {
    /// Elements before the axis.
    pub outer: usize,
    /// Length of the axis.
    pub n: usize,
    /// Number of elements after the axis (its stride).
    pub inner: usize,
    /// Coefficients, at most `n`.
    pub kept: usize,
    /// Whether the coefficients are scaled to an orthogonal matrix.
    pub ortho: bool,
}

impl Dct {
    /// The same with half the batch.
    fn halved(&self) -> Option<Self> {
        let outer = half(self.outer)?;
        Some(Dct { outer, ..*self })
    }

    fn check_as(&self, kernel: &dyn Kernel) -> Result<()> {
        let Dct {
            outer,
            n,
            inner,
            kept,
            ..
        } = *self;
        if [outer, n, inner, kept].contains(&0) {
            return Err(kernel.error(format!(
                "{kept} coefficients of {outer}×{n}×{inner}: an empty side"
            )));
        }
        if kept > n {
            return Err(kernel.error(format!("{kept} coefficients of {n} numbers")));
        }
        // Longer ones want a fast transform: here the matrix is made.
        if n > 4096 {
            return Err(kernel.error(format!("an axis of {n} is longer than 4096")));
        }
        elements(kernel.name(), &[outer, n, inner])?;
        Ok(())
    }

    /// Returns the factor of the sum of coefficient `k`.
    fn scale(&self, k: usize) -> f64 {
        match (self.ortho, k) {
            (false, _) => 2.0,
            (true, 0) => (1.0 / self.n as f64).sqrt(),
            (true, _) => (2.0 / self.n as f64).sqrt(),
        }
    }

    /// `s[k]·cos(π·k·(2j + 1) / 2n)`
    fn factor(&self, k: usize, j: usize) -> f64 {
        // A turn is 4n; less of it keeps the cosine's digits.
        let turn = (k * (2 * j + 1)) % (4 * self.n);
        let angle = std::f64::consts::PI * turn as f64 / (2 * self.n) as f64;
        self.scale(k) * angle.cos()
    }

    fn flops_of(&self) -> u64 {
        2 * (self.outer * self.inner) as u64 * (self.n * self.kept) as u64
    }

    /// Rows of the result and terms of each sum, forward or back.
    fn plan_of(&self, rung: &Rung, limits: &Limits, back: bool) -> Plan {
        let (rows, depth) = match back {
            false => (self.kept, self.n),
            true => (self.n, self.kept),
        };
        let columns = self.outer * self.inner;
        let mut params = [rows, depth, self.inner, columns, self.n]
            .map(|v| v as u32)
            .to_vec();
        params.extend([self.scale(0), self.scale(1)].map(|s| (s as f32).to_bits()));
        let (groups, iterations) = match rung.name {
            "dct_1_naive" => ((rows * columns).div_ceil(64), depth),
            _ => (
                rows.div_ceil(16) * columns.div_ceil(16),
                depth.div_ceil(16) * 17,
            ),
        };
        Pass::of(rung, 2, params, limits.fold(groups))
            .with(&[("BACK", f64::from(u8::from(back)))])
            .looping(iterations)
            .into()
    }
}

const RUNGS: &[Rung] = &[rung!("dct_1_naive"), rung!("dct_2_tiled")];

impl Kernel for Dct {
    fn name(&self) -> &'static str {
        "dct"
    }

    fn smaller(&self) -> Option<Box<dyn Kernel>> {
        Some(Box::new(self.halved()?))
    }

    fn check(&self) -> Result<()> {
        self.check_as(self)
    }

    fn inputs(&self) -> Vec<Arg> {
        vec![Arg::f32("x", self.outer * self.n * self.inner)]
    }

    fn outputs(&self) -> Vec<Arg> {
        vec![Arg::f32("y", self.outer * self.kept * self.inner)]
    }

    fn flops(&self) -> u64 {
        self.flops_of()
    }

    fn reduction(&self) -> usize {
        self.n
    }

    fn oracle(&self, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
        oracle::dct(self, inputs[0], &mut outputs[0]);
    }

    fn cpu(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        cpu::dct(self, inputs[0], outputs[0]);
    }

    fn rungs(&self) -> &'static [Rung] {
        RUNGS
    }

    fn plan(&self, rung: &Rung, limits: &Limits) -> Option<Plan> {
        Some(self.plan_of(rung, limits, false))
    }
}

/// The gradient of [`Dct`] by `x`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DctGrad(pub Dct);

impl Kernel for DctGrad {
    fn name(&self) -> &'static str {
        "dct_grad"
    }

    fn smaller(&self) -> Option<Box<dyn Kernel>> {
        Some(Box::new(DctGrad(self.0.halved()?)))
    }

    fn check(&self) -> Result<()> {
        self.0.check_as(self)
    }

    fn inputs(&self) -> Vec<Arg> {
        vec![Arg::f32("dy", self.0.outer * self.0.kept * self.0.inner)]
    }

    fn outputs(&self) -> Vec<Arg> {
        vec![Arg::f32("dx", self.0.outer * self.0.n * self.0.inner)]
    }

    fn flops(&self) -> u64 {
        self.0.flops_of()
    }

    fn reduction(&self) -> usize {
        self.0.kept
    }

    fn oracle(&self, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
        oracle::gradient(&self.0, inputs[0], &mut outputs[0]);
    }

    fn cpu(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        cpu::gradient(&self.0, inputs[0], outputs[0]);
    }

    fn rungs(&self) -> &'static [Rung] {
        RUNGS
    }

    fn plan(&self, rung: &Rung, limits: &Limits) -> Option<Plan> {
        Some(self.0.plan_of(rung, limits, true))
    }
}
