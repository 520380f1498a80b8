//! 2-D convolution (cross-correlation, as PyTorch's `Conv2d`) with bias and activation, and its two gradients.
//!
//! ```text
//! y[n, o, i, j] = act(bias[o] + Σ_{c, p, q} w[o, c, p, q] · x[n, c', i·stride + p·dilation - pad, j·stride + q·dilation - pad])
//! dx = each y's gradient spread back over the inputs it saw, weighted by w
//! dw = each y's gradient times the inputs that the weight met, summed over n, i, j
//! ```
//!
//! | buffer | shape | |
//! | --- | --- | --- |
//! | `x`, `dx` | `[n, c, h, w]` | zero outside |
//! | `weight`, `dw` | `[out_channels, c / groups, kernel_h, kernel_w]` | |
//! | `bias` | `[out_channels]` | |
//! | `y`, `dy` | `[n, out_channels, out_h, out_w]` | `dy` is the gradient before the activation |
//!
//! `out = (in + pad_before + pad_after - dilation·(kernel - 1) - 1) / stride + 1`, rounded down. With `groups` g, the
//! i-th g-th of the outputs sees only the i-th g-th of the inputs. FLOPs, each direction: 2·|y|·(c / groups)·kh·kw.
//! The bias gradient is a [`Reduce`](crate::reduce::Reduce) of `dy`.
//!
//! | file | holds |
//! | --- | --- |
//! | `mod.rs` | the shape, the forward kernel |
//! | `grad.rs` | [`Conv2dInputGrad`], [`Conv2dWeightGrad`] |
//! | `plan.rs` | the dispatches of every rung |
//! | `oracle.rs` | the three definitions |
//! | `cpu.rs` | which way each direction goes on the CPU; all are matrix products over patches that are never written |
//! | `strips.rs`, `tasks.rs`, `cut.rs` | forward, and backward to the input: strips in the cache, with max-pooling behind where that is wanted |
//! | `weight_grad.rs`, `bands.rs` | backward to the weight: images with their channels innermost |
//! | `along_rows.rs` | the same for a single channel: vectors along rows |
//! | `patches.rs` | all other shapes: patches copied tap by tap |

#[cfg(target_arch = "x86_64")]
mod along_rows;
pub(crate) mod bands;
pub mod cases;
mod cpu;
mod cut;
mod grad;
mod oracle;
pub(crate) mod patches;
pub(crate) mod plan;
pub(crate) mod strips;
mod tasks;
pub(crate) mod weight_grad;

pub use grad::{Conv2dInputGrad, Conv2dWeightGrad};

use crate::activation::Activation;
use crate::error::{Error, Result, elements};
use crate::kernel::{Arg, Kernel, Limits, Plan, Rung, half};
use crate::rung;

/// Shape and options of a convolution, and its forward kernel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conv2d {
    /// Number of images.
    pub n: usize,
    /// Number of input channels.
    pub c: usize,
    /// Height of `x`.
    pub h: usize,
    /// Width of `x`.
    pub w: usize,
    /// Number of output channels.
    pub out_channels: usize,
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Stride.
    pub stride: [usize; 2],
    /// Zero padding before and after, for height and width.
    pub pad: [[usize; 2]; 2],
    /// Spacing between kernel elements (PyTorch's `dilation`).
    pub dilation: [usize; 2],
    /// Number of groups of channels.
    pub groups: usize,
    /// Whether a bias per output channel is added.
    pub bias: bool,
    /// Activation applied to each sum.
    pub activation: Activation,
}

impl Conv2d {
    /// Returns the kernel with half the batch.
    pub(crate) fn halved(&self) -> Option<Self> {
        let n = half(self.n)?;
        Some(Conv2d { n, ..*self })
    }

    /// Returns a plain convolution of `x[n, c, h, w]`: stride 1, no padding, no bias.
    pub fn new(x: [usize; 4], out_channels: usize, kernel: [usize; 2]) -> Self {
        let [n, c, h, w] = x;
        Conv2d {
            n,
            c,
            h,
            w,
            out_channels,
            kernel,
            stride: [1, 1],
            pad: [[0; 2]; 2],
            dilation: [1, 1],
            groups: 1,
            bias: false,
            activation: Activation::None,
        }
    }

    /// Returns it with `pad` zeros on all four sides.
    pub fn padded(self, pad: usize) -> Self {
        Conv2d {
            pad: [[pad; 2]; 2],
            ..self
        }
    }

    /// Returns it with a bias per output channel and an activation.
    pub fn with(self, bias: bool, activation: Activation) -> Self {
        Conv2d {
            bias,
            activation,
            ..self
        }
    }

    /// Returns height and width of `y`. Call [`Kernel::check`] first: this panics for an invalid kernel.
    pub fn out(&self) -> [usize; 2] {
        let size = |axis: usize, length: usize| {
            let padded = length + self.pad[axis][0] + self.pad[axis][1];
            (padded - self.dilation[axis] * (self.kernel[axis] - 1) - 1) / self.stride[axis] + 1
        };
        [size(0, self.h), size(1, self.w)]
    }

    /// Returns the number of elements of `x`.
    pub fn x_len(&self) -> usize {
        self.n * self.c * self.h * self.w
    }

    /// Returns the number of elements of `y`.
    pub fn y_len(&self) -> usize {
        let [oh, ow] = self.out();
        self.n * self.out_channels * oh * ow
    }

    /// Returns the number of elements of `weight`.
    pub fn weight_len(&self) -> usize {
        self.out_channels * self.taps()
    }

    /// Returns the number of terms in one element of `y`.
    pub fn taps(&self) -> usize {
        self.c / self.groups * self.kernel[0] * self.kernel[1]
    }

    fn macs(&self) -> u64 {
        self.y_len() as u64 * self.taps() as u64
    }

    /// [`Kernel::check`] of the convolution and both gradients.
    pub(crate) fn check_shape(&self, name: &'static str) -> Result<()> {
        let refuse = |message: String| {
            Err(Error::Shape {
                kernel: name,
                message,
            })
        };
        let x = [self.n, self.c, self.h, self.w];
        if x.contains(&0) || self.out_channels == 0 {
            return refuse(format!(
                "x {x:?} with {} outputs has an empty axis",
                self.out_channels
            ));
        }
        if self.kernel.contains(&0) || self.stride.contains(&0) || self.dilation.contains(&0) {
            return refuse(format!(
                "kernel {:?}, stride {:?} and dilation {:?} must be at least 1",
                self.kernel, self.stride, self.dilation
            ));
        }
        let divides = |channels: usize| channels.is_multiple_of(self.groups);
        if self.groups == 0 || !divides(self.c) || !divides(self.out_channels) {
            return refuse(format!(
                "{} groups do not divide {} input and {} output channels",
                self.groups, self.c, self.out_channels
            ));
        }
        for (axis, length) in [self.h, self.w].into_iter().enumerate() {
            let [before, after] = self.pad[axis];
            // Everything small, so that no sum below overflows.
            elements(name, &[self.dilation[axis], self.kernel[axis]])?;
            elements(name, &[length.max(1), before.max(after).saturating_add(1)])?;
            let reach = self.dilation[axis] * (self.kernel[axis] - 1) + 1;
            if reach > length + before + after {
                return refuse(format!(
                    "kernel {:?} with dilation {:?} is larger than input {}×{} with padding {:?}",
                    self.kernel, self.dilation, self.h, self.w, self.pad
                ));
            }
        }
        let [oh, ow] = self.out();
        // The CPU cuts strips out of the padded image.
        let [height, width] = [0, 1].map(|axis| {
            let length = [self.h, self.w][axis] + self.pad[axis][0] + self.pad[axis][1];
            length.saturating_add(self.stride[axis])
        });
        elements(name, &[self.c, height, width])?;
        elements(name, &x)?;
        elements(name, &[self.n, self.out_channels, oh, ow])?;
        elements(
            name,
            &[
                self.out_channels,
                self.c / self.groups,
                self.kernel[0],
                self.kernel[1],
            ],
        )?;
        Ok(())
    }
}

impl Kernel for Conv2d {
    fn name(&self) -> &'static str {
        "conv2d"
    }

    fn smaller(&self) -> Option<Box<dyn Kernel>> {
        Some(Box::new(self.halved()?))
    }

    fn check(&self) -> Result<()> {
        self.check_shape(self.name())
    }

    fn inputs(&self) -> Vec<Arg> {
        let mut args = vec![
            Arg::f32("x", self.x_len()),
            Arg::f32("weight", self.weight_len()),
        ];
        args.extend(self.bias.then(|| Arg::f32("bias", self.out_channels)));
        args
    }

    fn outputs(&self) -> Vec<Arg> {
        vec![Arg::f32("y", self.y_len())]
    }

    fn flops(&self) -> u64 {
        2 * self.macs()
    }

    fn reduction(&self) -> usize {
        self.taps()
    }

    fn oracle(&self, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
        oracle::forward(self, inputs, &mut outputs[0]);
    }

    fn cpu(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        cpu::forward(self, inputs, outputs[0]);
    }

    fn rungs(&self) -> &'static [Rung] {
        const {
            &[
                rung!("conv2d_1_naive"),
                rung!("conv2d_2_tiled"),
                rung!("conv2d_3_implicit_gemm"),
                rung!("conv2d_4_cooperative"),
            ]
        }
    }

    fn plan(&self, rung: &Rung, limits: &Limits) -> Option<Plan> {
        plan::forward(self, rung, limits)
    }
}
