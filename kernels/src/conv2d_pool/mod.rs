//! Convolution, bias, activation and max-pooling as one kernel, and its two gradients; the un-pooled map is never written.
//!
//! ```text
//! z[n, o, i, j] = act(bias[o] + (weight ⋆ x)[n, o, i, j])                              as in conv2d
//! y[n, o, a, b] = max over p, q of z[n, o, a·window_h + p, b·window_w + q]             as in max_pool2d
//! index         = p·window_w + q of the maximum: which place of its window has won
//! ```
//!
//! | buffer | shape | |
//! | --- | --- | --- |
//! | `x`, `dx` | `[n, c, h, w]` | zero outside |
//! | `weight`, `dw` | `[out_channels, c / groups, kernel_h, kernel_w]` | |
//! | `bias`, `db` | `[out_channels]` | |
//! | `y`, `dy` | `[n, out_channels, out_h / window_h, out_w / window_w]` | rows and columns left over are not computed |
//! | `index` | as `y`, u32 in `0..window_h·window_w` | |
//!
//! The windows stand side by side, without padding. Ties go to the first place in reading order, a NaN beats every
//! number and the last of several is kept (PyTorch's rules). Where an activation other than relu saturates, so that
//! rounding makes different sums equal, the largest sum has won; the gradient is zero there.
//!
//! **On the way back** each `dy` goes to the one place that has won: of `window_h·window_w` gradients before the pooling
//! all but one are zero, and `dz = dy·act'(y)` can be taken at the pooled map. So both gradients are sums over the winners
//! alone, with that many times less arithmetic than the convolution:
//!
//! ```text
//! dw[o, c, p, q] = Σ_{n, a, b} dz[n, o, a, b] · x[n, c, what tap (p, q) sees at the winner of (n, o, a, b)]
//! db[o]          = Σ_{n, a, b} dz[n, o, a, b]
//! dx             = each winner's dz spread back over the inputs it saw, weighted by weight
//! ```
//!
//! FLOPs: forward 2·|y|·window_h·window_w·(c / groups)·kh·kw, each gradient 2·|y|·(c / groups)·kh·kw.
//!
//! | file | holds |
//! | --- | --- |
//! | `mod.rs` | the shape, the forward kernel |
//! | `grad.rs` | [`Conv2dPoolWeightGrad`], [`Conv2dPoolInputGrad`] |
//! | `plan.rs` | the dispatches of every rung |
//! | `oracle.rs` | the three definitions: compositions of conv2d's and max_pool2d's |
//! | `cpu.rs` | the three on the CPU; the way forward is [`conv2d`](crate::conv2d)'s, strip by strip |
//! | `sparse.rs`, `winners.rs` | the gradients as sums over winners; the innermost loops |

pub mod cases;
mod cpu;
mod grad;
mod oracle;
mod plan;
mod pooled;
mod sparse;
mod winners;

pub use grad::{Conv2dPoolInputGrad, Conv2dPoolWeightGrad};

use crate::conv2d::Conv2d;
use crate::error::{Error, Result};
use crate::kernel::{Arg, Kernel, Limits, Plan, Rung};
use crate::max_pool2d::MaxPool2d;
use crate::rung;

/// Shape and options of a convolution followed by max-pooling, and its forward kernel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conv2dPool {
    /// The convolution.
    pub conv: Conv2d,
    /// Height and width of the pooling's window.
    pub window: [usize; 2],
}

impl Conv2dPool {
    /// The same with half the batch.
    fn halved(&self) -> Option<Self> {
        let conv = self.conv.halved()?;
        Some(Conv2dPool { conv, ..*self })
    }

    /// Height and width of `y`. Call [`Kernel::check`] first: a kernel that does not fit panics here.
    pub fn out(&self) -> [usize; 2] {
        let [oh, ow] = self.conv.out();
        [oh / self.window[0], ow / self.window[1]]
    }

    /// Places in a window.
    pub fn places(&self) -> usize {
        self.window[0] * self.window[1]
    }

    /// Elements of `y`.
    pub fn y_len(&self) -> usize {
        let [oh, ow] = self.out();
        self.conv.n * self.conv.out_channels * oh * ow
    }

    /// The pooling alone.
    fn pool(&self) -> MaxPool2d {
        let [oh, ow] = self.conv.out();
        MaxPool2d::new([self.conv.n, self.conv.out_channels, oh, ow], self.window)
    }

    /// [`Kernel::check`] of the forward kernel and both gradients.
    fn check_shape(&self, name: &'static str) -> Result<()> {
        self.conv.check_shape(name)?;
        let out = self.conv.out();
        if self.window.contains(&0) || self.window[0] > out[0] || self.window[1] > out[1] {
            return Err(Error::Shape {
                kernel: name,
                message: format!(
                    "window {:?} does not fit into the {} × {} outputs of the convolution",
                    self.window, out[0], out[1]
                ),
            });
        }
        Ok(())
    }
}

impl Kernel for Conv2dPool {
    fn name(&self) -> &'static str {
        "conv2d_pool"
    }

    fn smaller(&self) -> Option<Box<dyn Kernel>> {
        Some(Box::new(self.halved()?))
    }

    fn check(&self) -> Result<()> {
        self.check_shape(self.name())
    }

    fn inputs(&self) -> Vec<Arg> {
        self.conv.inputs()
    }

    fn outputs(&self) -> Vec<Arg> {
        let len = self.y_len();
        vec![Arg::f32("y", len), Arg::u32("index", len)]
    }

    fn flops(&self) -> u64 {
        2 * (self.y_len() * self.places()) as u64 * self.conv.taps() as u64
    }

    fn reduction(&self) -> usize {
        self.conv.taps()
    }

    fn oracle(&self, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
        oracle::forward(self, inputs, outputs);
    }

    fn cpu(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        let [y, index] = outputs else { return };
        cpu::forward(self, inputs, y, index);
    }

    fn rungs(&self) -> &'static [Rung] {
        const {
            &[
                rung!("conv2d_pool_1_naive"),
                rung!("conv2d_pool_2_implicit_gemm"),
            ]
        }
    }

    fn plan(&self, rung: &Rung, limits: &Limits) -> Option<Plan> {
        plan::forward(self, rung, limits)
    }

    /// Few bits, so that sums are exact in any order: ties are ties for everybody, and there are many of them.
    fn sample(&self, _input: &'static str, unit: f64) -> f64 {
        (3.0 * unit).round() / 4.0
    }
}
