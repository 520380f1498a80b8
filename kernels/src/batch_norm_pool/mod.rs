//! Batch normalisation, activation and max-pooling as one kernel, and its gradient; the normalised map is never written.
//!
//! ```text
//! z     = act((x - mean) / √(var + eps) · weight + bias)           as in batch_norm, training
//! y     = max over each window of z                                as in max_pool2d, windows side by side
//! ```
//!
//! A channel is scaled by one number and the activation never falls, so the order of a window's numbers is known before
//! the statistics are: the largest `x` wins, or the smallest where `weight` is negative. So `x` is read once, for the
//! statistics and the winners, and only winners are normalised.
//!
//! | buffer | shape | |
//! | --- | --- | --- |
//! | `x` | `[n, c, h, w]` | in |
//! | `weight`, `bias` | `[c]`, only if `affine` | in |
//! | `y` | `[n, c, h / window_h, w / window_w]`: rows and columns left over count in the statistics alone | out |
//! | `index` | as `y`, u32 in `0..window_h·window_w`: which place of its window has won | out |
//! | `won` | as `y`: `x` at the winner, for the way back | out |
//! | `stats` | `[2, c]`: `mean` and `1 / √(var + eps)` | out |
//! | `running_mean`, `running_var` | `[c]` | updated |
//!
//! Ties go to the first place in reading order, a NaN beats every number and the last of several is kept: the rules of
//! max_pool2d, on `x`. Where rounding, a saturated activation or a weight of 0 makes different `x` the same `z`, it is `x`
//! that decides. FLOPs: 5 for each `x`, 3 for each `y`.
//!
//! [`BatchNormPoolGrad`], with `x̂ = (x - mean) / √(var + eps)` and `N = n·h·w`, where `dz` is `dy` at the winners and 0
//! elsewhere:
//!
//! ```text
//! dbias   = Σ dy
//! dweight = Σ dy·x̂ at the winner
//! dx      = weight / √(var + eps) · (dz - dbias / N - x̂ · dweight / N) · before'(x)
//! ```
//!
//! The sums are over winners alone. `before` is the activation that `x` came out of, if it did: its derivative is taken
//! from `x` on the way out, so that what stands before it needs no pass of its own. `dx` takes the place of `x`, which
//! nobody needs afterwards: there is no second map of its size.
//!
//! | buffer | shape | |
//! | --- | --- | --- |
//! | `dy` | as `y`: the gradient before the activation | in |
//! | `index`, `won`, `stats` | from the way forward | in |
//! | `weight` | `[c]`, only if `affine` | in |
//! | `x` | `[n, c, h, w]`: leaves as `dx` | updated |
//! | `dweight`, `dbias` | `[c]` | out |

pub mod cases;
mod cpu;
mod oracle;
mod plan;

use crate::activation::Activation;
use crate::batch_norm::{self, BatchNorm};
use crate::error::Result;
use crate::kernel::{Arg, Kernel, Limits, Plan, Rung};
use crate::max_pool2d::MaxPool2d;
use crate::rung;

/// Shape and options of batch normalisation followed by max-pooling, and the forward kernel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatchNormPool {
    /// The normalisation, of planes of `size`.
    pub norm: BatchNorm,
    /// Height and width of a plane.
    pub size: [usize; 2],
    /// Height and width of the pooling's window.
    pub window: [usize; 2],
}

impl BatchNormPool {
    /// The same with half the batch.
    fn halved(&self) -> Option<Self> {
        let norm = self.norm.halved()?;
        Some(BatchNormPool { norm, ..*self })
    }

    /// PyTorch's defaults on `[n, c, h, w]`.
    pub fn new([n, c, h, w]: [usize; 4], window: [usize; 2]) -> Self {
        BatchNormPool {
            norm: BatchNorm::new([n, c, h.saturating_mul(w)]),
            size: [h, w],
            window,
        }
    }

    /// With an activation between the two.
    pub fn with(self, activation: Activation) -> Self {
        let norm = self.norm.with(activation);
        BatchNormPool { norm, ..self }
    }

    /// Without weight and bias.
    pub fn plain(self) -> Self {
        let norm = self.norm.plain();
        BatchNormPool { norm, ..self }
    }

    /// Height and width of `y`. Call [`Kernel::check`] first: a window of nothing panics here.
    pub fn out(&self) -> [usize; 2] {
        [0, 1].map(|axis| self.size[axis] / self.window[axis])
    }

    /// Elements of `y`.
    pub fn y_len(&self) -> usize {
        let [oh, ow] = self.out();
        self.norm.n * self.norm.c * oh * ow
    }

    /// Places in a window.
    fn places(&self) -> usize {
        self.window[0] * self.window[1]
    }

    /// The pooling alone.
    fn pool(&self) -> MaxPool2d {
        let [h, w] = self.size;
        MaxPool2d::new([self.norm.n, self.norm.c, h, w], self.window)
    }

    fn check_as(&self, kernel: &dyn Kernel) -> Result<()> {
        self.norm.check_batch(kernel)?;
        if self.size[0].checked_mul(self.size[1]) != Some(self.norm.plane) {
            return Err(kernel.error(format!(
                "planes of {:?} do not have {} numbers",
                self.size, self.norm.plane
            )));
        }
        let fits = |axis: usize| (1..=self.size[axis]).contains(&self.window[axis]);
        if !(fits(0) && fits(1)) {
            return Err(kernel.error(format!(
                "window {:?} does not fit into planes of {:?}",
                self.window, self.size
            )));
        }
        Ok(())
    }

    /// What lies as `y` does.
    fn pooled(&self, name: &'static str) -> Arg {
        Arg::f32(name, self.y_len())
    }

    fn index(&self) -> Arg {
        Arg::u32("index", self.y_len())
    }
}

impl Kernel for BatchNormPool {
    fn name(&self) -> &'static str {
        "batch_norm_pool"
    }

    fn smaller(&self) -> Option<Box<dyn Kernel>> {
        Some(Box::new(self.halved()?))
    }

    fn check(&self) -> Result<()> {
        self.check_as(self)
    }

    fn inputs(&self) -> Vec<Arg> {
        self.norm.inputs()
    }

    fn outputs(&self) -> Vec<Arg> {
        let norm = self.norm.outputs();
        let mut outputs = vec![self.pooled("y"), self.index(), self.pooled("won")];
        outputs.extend(&norm[1..]);
        outputs
    }

    fn flops(&self) -> u64 {
        (5 * self.norm.len() + 3 * self.y_len()) as u64
    }

    fn reduction(&self) -> usize {
        self.norm.reduction()
    }

    fn oracle(&self, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
        oracle::forward(self, inputs, outputs);
    }

    fn cpu(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        cpu::forward(self, inputs, outputs);
    }

    fn rungs(&self) -> &'static [Rung] {
        const { &[rung!("batch_norm_pool_1_naive")] }
    }

    fn plan(&self, rung: &Rung, limits: &Limits) -> Option<Plan> {
        Some(plan::forward(self, rung, limits))
    }

    /// Few bits: there are many ties.
    fn sample(&self, input: &'static str, unit: f64) -> f64 {
        match input {
            "x" => 2.0 + (5.0 * unit).round() / 8.0,
            _ => batch_norm::sample(input, unit),
        }
    }
}

/// `dx` in place of `x`, `dweight` and `dbias` from `dy`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatchNormPoolGrad {
    /// Shape and options; `eps` is already in `stats`, and the activation is computed elsewhere.
    pub forward: BatchNormPool,
    /// The activation that `x` came out of.
    pub before: Activation,
}

impl Kernel for BatchNormPoolGrad {
    fn name(&self) -> &'static str {
        "batch_norm_pool_grad"
    }

    fn smaller(&self) -> Option<Box<dyn Kernel>> {
        let forward = self.forward.halved()?;
        Some(Box::new(BatchNormPoolGrad { forward, ..*self }))
    }

    fn check(&self) -> Result<()> {
        self.forward.check_as(self)
    }

    fn inputs(&self) -> Vec<Arg> {
        let s = &self.forward;
        let mut inputs = vec![s.pooled("dy"), s.index(), s.pooled("won"), s.norm.stats()];
        inputs.extend(s.norm.affine.then(|| s.norm.small("weight")));
        inputs
    }

    fn outputs(&self) -> Vec<Arg> {
        let norm = &self.forward.norm;
        vec![
            norm.big("x").updated(),
            norm.small("dweight"),
            norm.small("dbias"),
        ]
    }

    fn flops(&self) -> u64 {
        (5 * self.forward.norm.len() + 4 * self.forward.y_len()) as u64
    }

    fn reduction(&self) -> usize {
        self.forward.norm.reduction()
    }

    fn oracle(&self, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
        oracle::grad(self, inputs, outputs);
    }

    fn cpu(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        cpu::grad(self, inputs, outputs);
    }

    fn rungs(&self) -> &'static [Rung] {
        const { &[rung!("batch_norm_pool_grad_1_naive")] }
    }

    fn plan(&self, rung: &Rung, limits: &Limits) -> Option<Plan> {
        Some(plan::grad(self, rung, limits))
    }

    fn sample(&self, input: &'static str, unit: f64) -> f64 {
        let places = self.forward.places() as f64;
        match input {
            "index" => (0.5 * (unit + 1.0) * places).min(places - 1.0),
            _ => batch_norm::sample(input, unit),
        }
    }
}
