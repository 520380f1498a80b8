//! Mean over windows of an image, and its gradient.
//!
//! | buffer | shape | |
//! | --- | --- | --- |
//! | `x` | `[n, c, h, w]` | in |
//! | `y` | `[n, c, oh, ow]` | out |
//!
//! with `oh = (h + pad_before + pad_after - kernel) / stride + 1`, rounded down, and likewise `ow`. Window `(oy, ox)`
//! begins at `(oy·stride - pad_before, ox·stride - pad_before)`; what lies outside the plane counts as zeros. `y` is the
//! window's sum divided by its places: all of them, or, without [`count_include_pad`](AvgPool2d::count_include_pad),
//! those inside the plane (PyTorch's rules). A window as large as the plane is global average pooling.
//! FLOPs: one addition for each window element.
//!
//! [`AvgPool2dGrad`] sends each gradient back to the places it was the mean of:
//!
//! | buffer | shape | |
//! | --- | --- | --- |
//! | `dy` | `[n, c, oh, ow]` | in |
//! | `dx` | `[n, c, h, w]`: the sum of `dy / places` over the windows that hold this element | out |

pub mod cases;
mod cpu;
mod oracle;

use crate::error::Result;
use crate::kernel::{Arg, Kernel, Limits, Pass, Plan, Rung, half};
use crate::max_pool2d::MaxPool2d;
use crate::rung;

/// `y` = mean of each window of `x`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AvgPool2d {
    /// Images.
    pub n: usize,
    /// Channels.
    pub c: usize,
    /// Height.
    pub h: usize,
    /// Width.
    pub w: usize,
    /// Window: height, width.
    pub kernel: [usize; 2],
    /// Steps between windows: down, across.
    pub stride: [usize; 2],
    /// Padding, at most half a window: [above, below], [left, right].
    pub pad: [[usize; 2]; 2],
    /// Whether a window's padding counts among the places that its sum is divided by.
    pub count_include_pad: bool,
}

impl AvgPool2d {
    /// The same with half the batch.
    fn halved(&self) -> Option<Self> {
        let n = half(self.n)?;
        Some(AvgPool2d { n, ..*self })
    }

    /// Windows that touch without overlapping, no padding.
    pub fn new([n, c, h, w]: [usize; 4], kernel: [usize; 2]) -> Self {
        AvgPool2d {
            n,
            c,
            h,
            w,
            kernel,
            stride: kernel,
            pad: [[0; 2]; 2],
            count_include_pad: true,
        }
    }

    /// With other steps and with padding.
    pub fn with(self, stride: [usize; 2], pad: [[usize; 2]; 2]) -> Self {
        AvgPool2d {
            stride,
            pad,
            ..self
        }
    }

    /// With padding that does not count.
    pub fn inside(self) -> Self {
        AvgPool2d {
            count_include_pad: false,
            ..self
        }
    }

    /// Height and width of `y`; for a shape that [`Kernel::check`] accepts.
    pub fn output(&self) -> [usize; 2] {
        self.windows().output()
    }

    /// The same windows, which max-pooling lays alike.
    fn windows(&self) -> MaxPool2d {
        MaxPool2d::new([self.n, self.c, self.h, self.w], self.kernel).with(self.stride, self.pad)
    }

    /// Returns the part of window `o` along an axis that is inside the plane; never empty.
    fn inside_of(&self, axis: usize, o: usize) -> std::ops::Range<usize> {
        let start = o * self.stride[axis];
        let before = self.pad[axis][0];
        let end = start + self.kernel[axis] - before;
        start.saturating_sub(before)..end.min([self.h, self.w][axis])
    }

    /// The places of window `o` along an axis. Those of a window are the product of both axes'.
    fn places(&self, axis: usize, o: usize) -> usize {
        match self.count_include_pad {
            true => self.kernel[axis],
            false => self.inside_of(axis, o).len(),
        }
    }

    fn params(&self) -> Vec<u32> {
        let mut params = self.windows().params();
        params.push(u32::from(self.count_include_pad));
        params
    }

    /// The window's sizes, which rung 2 wants to know when it is compiled.
    fn constants(&self) -> [(&'static str, f64); 4] {
        [
            ("KY", self.kernel[0] as f64),
            ("KX", self.kernel[1] as f64),
            ("SY", self.stride[0] as f64),
            ("SX", self.stride[1] as f64),
        ]
    }

    /// One pass of rung 1 or 2 that writes planes of `height × width` and looks at `terms` elements for each.
    fn pass(
        &self,
        rung: &Rung,
        limits: &Limits,
        [height, width]: [usize; 2],
        terms: usize,
    ) -> Pass {
        let rows = self.windows().planes() * height;
        let pass = match rung.name.ends_with("_1_naive") {
            true => {
                let groups = limits.fold((rows * width).div_ceil(64));
                Pass::of(rung, 2, self.params(), groups)
            }
            false => {
                let groups = limits.fold(rows.div_ceil(8) * width.div_ceil(32));
                Pass::of(rung, 2, self.params(), groups).with(&self.constants())
            }
        };
        pass.looping(2 * terms)
    }
}

/// Minimum number of elements of a window that gets a workgroup of its own.
const LARGE: usize = 64;

impl Kernel for AvgPool2d {
    fn name(&self) -> &'static str {
        "avg_pool2d"
    }

    fn smaller(&self) -> Option<Box<dyn Kernel>> {
        Some(Box::new(self.halved()?))
    }

    fn check(&self) -> Result<()> {
        self.windows().check_as(self)
    }

    fn inputs(&self) -> Vec<Arg> {
        vec![Arg::f32("x", self.windows().inputs_len())]
    }

    fn outputs(&self) -> Vec<Arg> {
        vec![Arg::f32("y", self.windows().outputs_len())]
    }

    fn flops(&self) -> u64 {
        self.windows().flops()
    }

    fn reduction(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    fn oracle(&self, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
        oracle::avg_pool2d(self, inputs[0], &mut outputs[0]);
    }

    fn cpu(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        cpu::avg_pool2d(self, inputs[0], outputs[0]);
    }

    fn rungs(&self) -> &'static [Rung] {
        const {
            &[
                rung!("avg_pool2d_1_naive"),
                rung!("avg_pool2d_2_unrolled"),
                rung!("avg_pool2d_3_tree"),
            ]
        }
    }

    fn plan(&self, rung: &Rung, limits: &Limits) -> Option<Plan> {
        let taps = self.kernel[0] * self.kernel[1];
        if rung.name != "avg_pool2d_3_tree" {
            return Some(self.pass(rung, limits, self.output(), taps).into());
        }
        if taps < LARGE {
            return None;
        }
        let groups = limits.fold(self.windows().outputs_len());
        let pass = Pass::of(rung, 2, self.params(), groups);
        Some(pass.looping(taps.div_ceil(256) + 8).into())
    }
}

/// `dx` from `dy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AvgPool2dGrad(
    /// The forward kernel.
    pub AvgPool2d,
);

impl AvgPool2dGrad {
    /// The most windows that hold one element.
    fn overlap(&self) -> usize {
        let along = |axis: usize| self.0.kernel[axis].div_ceil(self.0.stride[axis]);
        along(0) * along(1)
    }
}

impl Kernel for AvgPool2dGrad {
    fn name(&self) -> &'static str {
        "avg_pool2d_grad"
    }

    fn smaller(&self) -> Option<Box<dyn Kernel>> {
        Some(Box::new(AvgPool2dGrad(self.0.halved()?)))
    }

    fn check(&self) -> Result<()> {
        self.0.windows().check_as(self)
    }

    fn inputs(&self) -> Vec<Arg> {
        vec![Arg::f32("dy", self.0.windows().outputs_len())]
    }

    fn outputs(&self) -> Vec<Arg> {
        vec![Arg::f32("dx", self.0.windows().inputs_len())]
    }

    fn flops(&self) -> u64 {
        self.0.windows().inputs_len() as u64 * self.overlap() as u64
    }

    fn reduction(&self) -> usize {
        self.overlap()
    }

    fn oracle(&self, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
        oracle::avg_pool2d_grad(&self.0, inputs[0], &mut outputs[0]);
    }

    fn cpu(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        cpu::avg_pool2d_grad(&self.0, inputs[0], outputs[0]);
    }

    fn rungs(&self) -> &'static [Rung] {
        const {
            &[
                rung!("avg_pool2d_grad_1_naive"),
                rung!("avg_pool2d_grad_2_unrolled"),
            ]
        }
    }

    fn plan(&self, rung: &Rung, limits: &Limits) -> Option<Plan> {
        let s = &self.0;
        Some(s.pass(rung, limits, [s.h, s.w], self.overlap()).into())
    }
}
