//! Local response normalisation: each number divided by a power of the squares of its neighbours across channels.
//!
//! ```text
//! s[c] = k + alpha / size · Σ x[i]²       over the channels i from c - size / 2 to c + (size - 1) / 2 that there are
//! y[c] = x[c] / s[c]^beta
//! ```
//!
//! at every place of every image, as PyTorch has it: channels that are missing at either end count as zeros, and `alpha`
//! is divided by `size` all the same.
//!
//! | buffer | shape | |
//! | --- | --- | --- |
//! | `x` | `[n, c, plane]`: images `[n, c, h, w]` with `plane = h·w` | in |
//! | `y` | `[n, c, plane]` | out |
//!
//! FLOPs: `2·size + 8` an element, a power counted as 4.
//!
//! [`LocalResponseNormGrad`]: `x[j]` divides its own `y`, and takes part in the `s` of every channel that it is a
//! neighbour of, those from `j - (size - 1) / 2` to `j + size / 2`:
//!
//! ```text
//! dx[j] = dy[j] / s[j]^beta - 2·alpha·beta / size · x[j] · Σ dy[c]·x[c] / s[c]^(beta + 1)
//! ```
//!
//! | buffer | shape | |
//! | --- | --- | --- |
//! | `x`, `dy` | `[n, c, plane]` | in |
//! | `dx` | `[n, c, plane]` | out |
//!
//! `s` is computed again rather than kept: it costs `size` products, keeping it a third map of memory.

pub mod cases;
mod cpu;
mod oracle;

use crate::error::{Result, elements};
use crate::kernel::{Arg, Kernel, Limits, Pass, Plan, Rung, half};
use crate::rung;
use std::ops::Range;

/// `y = x / (k + alpha / size · Σ x²)^beta`, the sum over neighbouring channels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LocalResponseNorm {
    /// Images.
    pub n: usize,
    /// Channels.
    pub c: usize,
    /// Places of a channel in one image: `h·w`.
    pub plane: usize,
    /// Channels in a sum.
    pub size: usize,
    /// The weight of their mean square.
    pub alpha: f64,
    /// The power.
    pub beta: f64,
    /// Constant added to the sum.
    pub k: f64,
}

impl LocalResponseNorm {
    /// The same with half the batch.
    fn halved(&self) -> Option<Self> {
        let n = half(self.n)?;
        Some(LocalResponseNorm { n, ..*self })
    }

    /// PyTorch's defaults.
    pub fn new([n, c, plane]: [usize; 3], size: usize) -> Self {
        LocalResponseNorm {
            n,
            c,
            plane,
            size,
            alpha: 1e-4,
            beta: 0.75,
            k: 1.0,
        }
    }

    /// With other factors.
    pub fn with(self, alpha: f64, beta: f64, k: f64) -> Self {
        LocalResponseNorm {
            alpha,
            beta,
            k,
            ..self
        }
    }

    fn len(&self) -> usize {
        self.n * self.c * self.plane
    }

    /// The channels in the sum of `channel`.
    fn neighbours(&self, channel: usize) -> Range<usize> {
        let end = channel + self.size.div_ceil(2);
        channel.saturating_sub(self.size / 2)..end.min(self.c)
    }

    /// The channels that `channel` is a neighbour of.
    fn holders(&self, channel: usize) -> Range<usize> {
        let end = channel + self.size / 2 + 1;
        channel.saturating_sub((self.size - 1) / 2)..end.min(self.c)
    }

    fn check_as(&self, kernel: &dyn Kernel) -> Result<()> {
        let shape = [self.n, self.c, self.plane];
        if elements(kernel.name(), &shape)? == 0 {
            return Err(kernel.error(format!("x {shape:?} has an empty side")));
        }
        if self.size == 0 || self.size >= 1 << 31 {
            return Err(kernel.error(format!("a sum over {} channels", self.size)));
        }
        let Self { alpha, beta, k, .. } = *self;
        if !(alpha >= 0.0 && alpha.is_finite() && beta.is_finite() && k > 0.0 && k.is_finite()) {
            let problem = format!(
                "alpha must be 0 or more, k above 0, beta a number, not alpha {alpha}, k {k}, beta {beta}"
            );
            return Err(kernel.error(problem));
        }
        Ok(())
    }

    /// The words of `struct Shape` in every shader of this folder.
    fn params(&self) -> Vec<u32> {
        let factors = [self.alpha / self.size as f64, self.beta, self.k];
        [self.n, self.c, self.plane, self.size]
            .into_iter()
            .map(|v| v as u32)
            .chain(factors.map(|f| (f as f32).to_bits()))
            .collect()
    }

    /// The pass of either direction over `args` buffers. Rung 2 keeps up to `widest` channels of a sum in its tile.
    fn pass(
        &self,
        rung: &Rung,
        limits: &Limits,
        args: usize,
        widest: usize,
        iterations: usize,
    ) -> Option<Plan> {
        let groups = match rung.name.ends_with("_1_naive") {
            true => self.len().div_ceil(64),
            // A tile is 32 channels of 32 places: rows of fewer would idle.
            false if self.size > widest || self.plane < 8 => return None,
            false => self.n * self.c.div_ceil(32) * self.plane.div_ceil(32),
        };
        let pass = Pass::of(rung, args, self.params(), limits.fold(groups));
        Some(pass.looping(iterations).into())
    }
}

impl Kernel for LocalResponseNorm {
    fn name(&self) -> &'static str {
        "local_response_norm"
    }

    fn smaller(&self) -> Option<Box<dyn Kernel>> {
        Some(Box::new(self.halved()?))
    }

    fn check(&self) -> Result<()> {
        self.check_as(self)
    }

    fn inputs(&self) -> Vec<Arg> {
        vec![Arg::f32("x", self.len())]
    }

    fn outputs(&self) -> Vec<Arg> {
        vec![Arg::f32("y", self.len())]
    }

    fn flops(&self) -> u64 {
        (2 * self.size.min(self.c) as u64 + 8) * self.len() as u64
    }

    fn reduction(&self) -> usize {
        self.size.min(self.c)
    }

    fn oracle(&self, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
        oracle::local_response_norm(self, inputs[0], &mut outputs[0]);
    }

    fn cpu(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        cpu::local_response_norm(self, inputs[0], outputs[0]);
    }

    fn rungs(&self) -> &'static [Rung] {
        const {
            &[
                rung!("local_response_norm_1_naive"),
                rung!("local_response_norm_2_tiled"),
            ]
        }
    }

    fn plan(&self, rung: &Rung, limits: &Limits) -> Option<Plan> {
        self.pass(rung, limits, 2, 33, 2 * self.size.min(self.c) + 16)
    }

    fn sample(&self, _input: &'static str, unit: f64) -> f64 {
        2.0 * unit
    }
}

/// `dx` from `x` and `dy`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LocalResponseNormGrad(
    /// The forward kernel.
    pub LocalResponseNorm,
);

impl Kernel for LocalResponseNormGrad {
    fn name(&self) -> &'static str {
        "local_response_norm_grad"
    }

    fn smaller(&self) -> Option<Box<dyn Kernel>> {
        Some(Box::new(LocalResponseNormGrad(self.0.halved()?)))
    }

    fn check(&self) -> Result<()> {
        self.0.check_as(self)
    }

    fn inputs(&self) -> Vec<Arg> {
        ["x", "dy"].map(|name| Arg::f32(name, self.0.len())).into()
    }

    fn outputs(&self) -> Vec<Arg> {
        vec![Arg::f32("dx", self.0.len())]
    }

    fn flops(&self) -> u64 {
        (3 * self.0.size.min(self.0.c) as u64 + 14) * self.0.len() as u64
    }

    fn reduction(&self) -> usize {
        2 * self.0.size.min(self.0.c)
    }

    fn oracle(&self, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
        oracle::local_response_norm_grad(&self.0, inputs[0], inputs[1], &mut outputs[0]);
    }

    fn cpu(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        cpu::local_response_norm_grad(&self.0, inputs[0], inputs[1], outputs[0]);
    }

    fn rungs(&self) -> &'static [Rung] {
        const {
            &[
                rung!("local_response_norm_grad_1_naive"),
                rung!("local_response_norm_grad_2_tiled"),
            ]
        }
    }

    fn plan(&self, rung: &Rung, limits: &Limits) -> Option<Plan> {
        let terms = self.0.size.min(self.0.c);
        let iterations = match rung.name.ends_with("_1_naive") {
            true => 2 * terms * (terms + 1),
            false => 16 * terms + 64,
        };
        self.0.pass(rung, limits, 3, 17, iterations)
    }

    fn sample(&self, _input: &'static str, unit: f64) -> f64 {
        2.0 * unit
    }
}
