//! Batch normalisation: each channel moved to mean 0 and scaled to variance 1, then by a weight and a bias of its own.
//!
//! `y = act((x - mean) / √(var + eps) · weight + bias)`, channel by channel, where `mean` and `var` are
//!
//! - [`BatchNorm`], training: those of the batch, over images and places. `var` is the mean squared deviation (over `N`
//!   numbers), and the running statistics follow: `running = (1 - momentum)·running + momentum·value`, with the
//!   unbiased variance (over `N - 1`) as the value, as PyTorch has it.
//! - [`BatchNormInference`]: the running ones, which stay as they are.
//!
//! | buffer | shape | |
//! | --- | --- | --- |
//! | `x` | `[n, c, plane]`: images `[n, c, h, w]` with `plane = h·w`, rows `[n, c]` with `plane = 1` | in |
//! | `running_mean`, `running_var` | `[c]` | inference: in; training: updated |
//! | `weight`, `bias` | `[c]`, only if `affine` | in |
//! | `y` | `[n, c, plane]` | out |
//! | `stats` | `[2, c]`: `mean` and `1 / √(var + eps)` that `y` was made with, for the way back | out |
//!
//! The variance is the mean of squared deviations from a mean that is already known, never `E[x²] - E[x]²`, which loses
//! all digits where a mean is large. Blocks of a channel each have their mean and squares; they are joined in the same
//! way. A channel with a NaN or an infinity becomes NaN. FLOPs: 7 an element.
//!
//! [`BatchNormGrad`], with `x̂ = (x - mean) / √(var + eps)` and `N = n·plane`:
//!
//! ```text
//! dbias   = Σ dy
//! dweight = Σ dy·x̂
//! dx      = weight / √(var + eps) · (dy - dbias / N - x̂ · dweight / N)      training: mean and var depend on x too
//! dx      = weight / √(var + eps) · dy                                      inference
//! ```
//!
//! | buffer | shape | |
//! | --- | --- | --- |
//! | `x`, `dy` | `[n, c, plane]`; `dy` is the gradient before the activation | in |
//! | `stats` | `[2, c]`: from the way forward | in |
//! | `weight` | `[c]`, only if `affine` | in |
//! | `dx` | `[n, c, plane]` | out |
//! | `dweight`, `dbias` | `[c]` | out |

pub mod cases;
pub(crate) mod cpu;
mod oracle;
pub(crate) mod plan;

use crate::activation::Activation;
use crate::error::{Result, elements};
use crate::kernel::{Arg, Kernel, Limits, Plan, Rung, half};
use crate::rung;

/// Training: `y` by the statistics of the batch, which the running ones follow.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatchNorm {
    /// Images, or rows.
    pub n: usize,
    /// Channels.
    pub c: usize,
    /// Places of a channel in one image: `h·w`.
    pub plane: usize,
    /// Whether there are weight and bias; 1 and 0 otherwise.
    pub affine: bool,
    /// Added to the variance.
    pub eps: f64,
    /// How fast the running statistics follow, in [0, 1].
    pub momentum: f64,
    /// Activation applied to the normalised values.
    pub activation: Activation,
}

impl BatchNorm {
    /// The same with half the batch.
    pub(crate) fn halved(&self) -> Option<Self> {
        let n = half(self.n)?;
        Some(BatchNorm { n, ..*self })
    }

    /// PyTorch's defaults.
    pub fn new([n, c, plane]: [usize; 3]) -> Self {
        BatchNorm {
            n,
            c,
            plane,
            affine: true,
            eps: 1e-5,
            momentum: 0.1,
            activation: Activation::None,
        }
    }

    /// Without weight and bias.
    pub fn plain(self) -> Self {
        BatchNorm {
            affine: false,
            ..self
        }
    }

    /// With an activation on the way out.
    pub fn with(self, activation: Activation) -> Self {
        BatchNorm { activation, ..self }
    }

    /// Numbers in a channel.
    fn count(&self) -> usize {
        self.n * self.plane
    }

    pub(crate) fn len(&self) -> usize {
        self.count() * self.c
    }

    fn check_as(&self, kernel: &dyn Kernel) -> Result<()> {
        let shape = [self.n, self.c, self.plane];
        if elements(kernel.name(), &shape)? == 0 {
            return Err(kernel.error(format!("x {shape:?} has an empty side")));
        }
        if !(self.eps > 0.0 && self.eps.is_finite()) {
            return Err(kernel.error(format!("eps must be above 0, not {}", self.eps)));
        }
        if !(0.0..=1.0).contains(&self.momentum) {
            let problem = format!("momentum must lie in [0, 1], not be {}", self.momentum);
            return Err(kernel.error(problem));
        }
        Ok(())
    }

    /// [`BatchNorm::check_as`], where statistics of the batch are needed.
    pub(crate) fn check_batch(&self, kernel: &dyn Kernel) -> Result<()> {
        self.check_as(kernel)?;
        if self.count() < 2 {
            let shape = [self.n, self.c, self.plane];
            let problem = format!("x {shape:?} has one number a channel: no variance to train on");
            return Err(kernel.error(problem));
        }
        Ok(())
    }

    /// `weight` and `bias`, where there are any.
    fn affine_args(&self) -> Vec<Arg> {
        match self.affine {
            true => vec![Arg::f32("weight", self.c), Arg::f32("bias", self.c)],
            false => Vec::new(),
        }
    }

    pub(crate) fn big(&self, name: &'static str) -> Arg {
        Arg::f32(name, self.len())
    }

    pub(crate) fn small(&self, name: &'static str) -> Arg {
        Arg::f32(name, self.c)
    }

    pub(crate) fn stats(&self) -> Arg {
        Arg::f32("stats", 2 * self.c)
    }
}

/// Sums stay away from zero, variances above it.
pub(crate) fn sample(input: &'static str, unit: f64) -> f64 {
    match input {
        "x" => 2.0 + 0.5 * unit,
        "weight" | "bias" => unit,
        _ => 0.75 + 0.5 * unit,
    }
}

impl Kernel for BatchNorm {
    fn name(&self) -> &'static str {
        "batch_norm"
    }

    fn smaller(&self) -> Option<Box<dyn Kernel>> {
        Some(Box::new(self.halved()?))
    }

    fn check(&self) -> Result<()> {
        self.check_batch(self)
    }

    fn inputs(&self) -> Vec<Arg> {
        [vec![self.big("x")], self.affine_args()].concat()
    }

    fn outputs(&self) -> Vec<Arg> {
        vec![
            self.big("y"),
            self.stats(),
            self.small("running_mean").updated(),
            self.small("running_var").updated(),
        ]
    }

    fn flops(&self) -> u64 {
        7 * self.len() as u64
    }

    fn reduction(&self) -> usize {
        self.count()
    }

    fn oracle(&self, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
        oracle::batch_norm(self, inputs, outputs);
    }

    fn cpu(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        cpu::batch_norm(self, inputs, outputs);
    }

    fn rungs(&self) -> &'static [Rung] {
        const { &[rung!("batch_norm_1_naive"), rung!("batch_norm_2_split")] }
    }

    fn plan(&self, rung: &Rung, limits: &Limits) -> Option<Plan> {
        Some(plan::batch_norm(self, rung, limits))
    }

    fn sample(&self, input: &'static str, unit: f64) -> f64 {
        sample(input, unit)
    }
}

/// `y` by the running statistics.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatchNormInference(
    /// The shape and options; `momentum` does nothing.
    pub BatchNorm,
);

impl Kernel for BatchNormInference {
    fn name(&self) -> &'static str {
        "batch_norm_inference"
    }

    fn smaller(&self) -> Option<Box<dyn Kernel>> {
        Some(Box::new(BatchNormInference(self.0.halved()?)))
    }

    fn check(&self) -> Result<()> {
        self.0.check_as(self)
    }

    fn inputs(&self) -> Vec<Arg> {
        let running = ["running_mean", "running_var"].map(|name| self.0.small(name));
        [
            vec![self.0.big("x")],
            running.to_vec(),
            self.0.affine_args(),
        ]
        .concat()
    }

    fn outputs(&self) -> Vec<Arg> {
        vec![self.0.big("y"), self.0.stats()]
    }

    fn flops(&self) -> u64 {
        3 * self.0.len() as u64
    }

    fn reduction(&self) -> usize {
        1
    }

    fn oracle(&self, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
        oracle::inference(&self.0, inputs, outputs);
    }

    fn cpu(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        cpu::inference(&self.0, inputs, outputs);
    }

    fn rungs(&self) -> &'static [Rung] {
        const {
            &[
                rung!("batch_norm_inference_1_naive"),
                rung!("batch_norm_inference_2_vector"),
            ]
        }
    }

    fn plan(&self, rung: &Rung, limits: &Limits) -> Option<Plan> {
        plan::inference(&self.0, rung, limits)
    }

    fn sample(&self, input: &'static str, unit: f64) -> f64 {
        sample(input, unit)
    }
}

/// `dx`, `dweight` and `dbias` from `dy`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatchNormGrad {
    /// Shape and options; `eps` is already in `stats`, and the activation is computed elsewhere.
    pub forward: BatchNorm,
    /// Whether the statistics were those of the batch.
    pub training: bool,
}

impl Kernel for BatchNormGrad {
    fn name(&self) -> &'static str {
        "batch_norm_grad"
    }

    fn smaller(&self) -> Option<Box<dyn Kernel>> {
        let forward = self.forward.halved()?;
        Some(Box::new(BatchNormGrad { forward, ..*self }))
    }

    fn check(&self) -> Result<()> {
        match self.training {
            true => self.forward.check_batch(self),
            false => self.forward.check_as(self),
        }
    }

    fn inputs(&self) -> Vec<Arg> {
        let s = &self.forward;
        let mut inputs = vec![s.big("x"), s.big("dy"), s.stats()];
        inputs.extend(s.affine.then(|| s.small("weight")));
        inputs
    }

    fn outputs(&self) -> Vec<Arg> {
        let s = &self.forward;
        vec![s.big("dx"), s.small("dweight"), s.small("dbias")]
    }

    fn flops(&self) -> u64 {
        9 * self.forward.len() as u64
    }

    fn reduction(&self) -> usize {
        self.forward.count()
    }

    fn oracle(&self, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
        oracle::grad(self, inputs, outputs);
    }

    fn cpu(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        cpu::grad(self, inputs, outputs);
    }

    fn rungs(&self) -> &'static [Rung] {
        const {
            &[
                rung!("batch_norm_grad_1_naive"),
                rung!("batch_norm_grad_2_split"),
            ]
        }
    }

    fn plan(&self, rung: &Rung, limits: &Limits) -> Option<Plan> {
        Some(plan::grad(self, rung, limits))
    }

    fn sample(&self, input: &'static str, unit: f64) -> f64 {
        sample(input, unit)
    }
}
