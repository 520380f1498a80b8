//! Maximum over windows of an image, with the position it was found at, and its gradient.
//!
//! | buffer | shape | |
//! | --- | --- | --- |
//! | `x` | `[n, c, h, w]` | in |
//! | `y` | `[n, c, oh, ow]` | out |
//! | `index` | `[n, c, oh, ow]`, u32: position of the maximum in the `h × w` plane | out |
//!
//! with `oh = (h + pad_before + pad_after - kernel) / stride + 1`, rounded down, and likewise `ow`.
//! Window `(oy, ox)` begins at `(oy·stride - pad_before, ox·stride - pad_before)`; what lies outside the plane is not
//! looked at, so padding never wins. Ties go to the first maximum in reading order; a NaN beats every number, the last
//! of several NaN is the one whose position is kept (PyTorch's rules). FLOPs: one comparison for each window element.
//!
//! [`MaxPool2dGrad`] sends each gradient back to where its maximum stood:
//!
//! | buffer | shape | |
//! | --- | --- | --- |
//! | `dy` | `[n, c, oh, ow]` | in |
//! | `index` | `[n, c, oh, ow]`, u32: as [`MaxPool2d`] gave it | in |
//! | `dx` | `[n, c, h, w]`: the sum over the windows that chose this element | out |
//!
//! An index outside its own window is never followed out of the buffer; whether it counts is left open.

pub mod cases;
mod cpu;
mod oracle;

use crate::error::{Result, elements};
use crate::kernel::{Arg, Kernel, Limits, Pass, Plan, Rung, half};
use crate::rung;

/// `y`, `index` = maximum of each window of `x`, and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaxPool2d {
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
}

impl MaxPool2d {
    /// The same with half the batch.
    fn halved(&self) -> Option<Self> {
        let n = half(self.n)?;
        Some(MaxPool2d { n, ..*self })
    }

    /// Windows that touch without overlapping, no padding.
    pub fn new([n, c, h, w]: [usize; 4], kernel: [usize; 2]) -> Self {
        MaxPool2d {
            n,
            c,
            h,
            w,
            kernel,
            stride: kernel,
            pad: [[0; 2]; 2],
        }
    }

    /// With other steps and with padding.
    pub fn with(self, stride: [usize; 2], pad: [[usize; 2]; 2]) -> Self {
        MaxPool2d {
            stride,
            pad,
            ..self
        }
    }

    /// Height and width of `y`; for a shape that [`Kernel::check`] accepts.
    pub fn output(&self) -> [usize; 2] {
        [(self.h, 0), (self.w, 1)].map(|(size, axis)| {
            let [before, after] = self.pad[axis];
            (size + before + after - self.kernel[axis]) / self.stride[axis] + 1
        })
    }

    pub(crate) fn planes(&self) -> usize {
        self.n * self.c
    }

    pub(crate) fn inputs_len(&self) -> usize {
        self.planes() * self.h * self.w
    }

    pub(crate) fn outputs_len(&self) -> usize {
        let [oh, ow] = self.output();
        self.planes() * oh * ow
    }

    /// [`Kernel::check`] in the name of `kernel`: average pooling lays its windows in the same way.
    pub(crate) fn check_as(&self, kernel: &dyn Kernel) -> Result<()> {
        let shape = [self.n, self.c, self.h, self.w];
        elements(kernel.name(), &shape)?;
        if shape.contains(&0) {
            return Err(kernel.error(format!("x {shape:?} has an empty side")));
        }
        for (axis, size) in [(0, self.h), (1, self.w)] {
            let (window, stride, pad) = (self.kernel[axis], self.stride[axis], self.pad[axis]);
            if window == 0 || stride == 0 || stride >= 1 << 31 {
                return Err(kernel.error(format!(
                    "window {:?} and stride {:?} must be at least 1 and less than 2^31",
                    self.kernel, self.stride
                )));
            }
            if pad.iter().any(|&p| p > window / 2) {
                return Err(kernel.error(format!(
                    "padding {:?} is more than half of window {:?}",
                    self.pad, self.kernel
                )));
            }
            if window >= 1 << 31 || window > size + pad[0] + pad[1] {
                return Err(kernel.error(format!(
                    "window {:?} is larger than the padded plane of {} × {} and padding {:?}",
                    self.kernel, self.h, self.w, self.pad
                )));
            }
        }
        let [oh, ow] = self.output();
        elements(kernel.name(), &[self.n, self.c, oh, ow])?;
        Ok(())
    }

    /// What every shader of this folder reads as its shape.
    pub(crate) fn params(&self) -> Vec<u32> {
        let [oh, ow] = self.output();
        [self.planes(), self.h, self.w, oh, ow]
            .into_iter()
            .chain(self.kernel)
            .chain(self.stride)
            .chain(self.pad.map(|[before, _]| before))
            .map(|v| v as u32)
            .collect()
    }

    /// The window's sizes, which most rungs want to know when they are compiled.
    fn constants(&self) -> [(&'static str, f64); 4] {
        [
            ("KY", self.kernel[0] as f64),
            ("KX", self.kernel[1] as f64),
            ("SY", self.stride[0] as f64),
            ("SX", self.stride[1] as f64),
        ]
    }

    /// One pass of rung 1 or 2 that writes planes of `height × width`.
    fn pass(&self, rung: &Rung, limits: &Limits, height: usize, width: usize) -> Plan {
        let rows = self.planes() * height;
        let iterations = 2 * self.kernel[0] * self.kernel[1];
        if rung.name.ends_with("_1_naive") {
            let groups = limits.fold((rows * width).div_ceil(64));
            let pass = Pass::of(rung, 3, self.params(), groups);
            return pass.looping(iterations).into();
        }
        let groups = limits.fold(rows.div_ceil(8) * width.div_ceil(32));
        Pass::of(rung, 3, self.params(), groups)
            .with(&self.constants())
            .looping(iterations)
            .into()
    }
}

/// Words of workgroup memory in rung 3.
const TILE: usize = 2304;

/// Minimum number of elements of a window that gets a workgroup of its own.
const LARGE: usize = 64;

impl Kernel for MaxPool2d {
    fn name(&self) -> &'static str {
        "max_pool2d"
    }

    fn smaller(&self) -> Option<Box<dyn Kernel>> {
        Some(Box::new(self.halved()?))
    }

    fn check(&self) -> Result<()> {
        self.check_as(self)
    }

    fn inputs(&self) -> Vec<Arg> {
        vec![Arg::f32("x", self.inputs_len())]
    }

    fn outputs(&self) -> Vec<Arg> {
        let len = self.outputs_len();
        vec![Arg::f32("y", len), Arg::u32("index", len)]
    }

    fn flops(&self) -> u64 {
        let window = self.kernel.map(|k| k as u64);
        (self.outputs_len() as u64).saturating_mul(window[0] * window[1])
    }

    fn reduction(&self) -> usize {
        1
    }

    fn oracle(&self, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
        oracle::max_pool2d(self, inputs[0], outputs);
    }

    fn cpu(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        let [y, index] = outputs else { return };
        cpu::max_pool2d(self, inputs[0], y, index);
    }

    fn rungs(&self) -> &'static [Rung] {
        const {
            &[
                rung!("max_pool2d_1_naive"),
                rung!("max_pool2d_2_unrolled"),
                rung!("max_pool2d_3_tile"),
                rung!("max_pool2d_4_tree"),
            ]
        }
    }

    fn plan(&self, rung: &Rung, limits: &Limits) -> Option<Plan> {
        let [oh, ow] = self.output();
        let taps = self.kernel[0] * self.kernel[1];
        let (groups, constants, iterations) = match rung.name {
            "max_pool2d_3_tile" => {
                let side = |axis: usize, outputs: usize| {
                    let steps = self.stride[axis].saturating_mul(outputs - 1);
                    steps.saturating_add(self.kernel[axis])
                };
                let tile = side(0, 8).saturating_mul(side(1, 32));
                if tile > TILE {
                    return None;
                }
                let groups = self.planes() * oh.div_ceil(8) * ow.div_ceil(32);
                (groups, self.constants().to_vec(), 2 * taps + tile / 32)
            }
            "max_pool2d_4_tree" if taps < LARGE => return None,
            "max_pool2d_4_tree" => (self.outputs_len(), Vec::new(), taps.div_ceil(256) + 8),
            _ => return Some(self.pass(rung, limits, oh, ow)),
        };
        let pass = Pass::of(rung, 3, self.params(), limits.fold(groups));
        Some(pass.with(&constants).looping(iterations).into())
    }
}

/// `dx` from `dy` and the positions of the maxima.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaxPool2dGrad(
    /// The forward kernel.
    pub MaxPool2d,
);

impl Kernel for MaxPool2dGrad {
    fn name(&self) -> &'static str {
        "max_pool2d_grad"
    }

    fn smaller(&self) -> Option<Box<dyn Kernel>> {
        Some(Box::new(MaxPool2dGrad(self.0.halved()?)))
    }

    fn check(&self) -> Result<()> {
        self.0.check_as(self)
    }

    fn inputs(&self) -> Vec<Arg> {
        let len = self.0.outputs_len();
        vec![Arg::f32("dy", len), Arg::u32("index", len)]
    }

    fn outputs(&self) -> Vec<Arg> {
        vec![Arg::f32("dx", self.0.inputs_len())]
    }

    fn flops(&self) -> u64 {
        self.0.outputs_len() as u64
    }

    fn reduction(&self) -> usize {
        let overlap = |axis: usize| self.0.kernel[axis].div_ceil(self.0.stride[axis]);
        overlap(0) * overlap(1)
    }

    fn oracle(&self, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
        oracle::max_pool2d_grad(&self.0, inputs[0], inputs[1], &mut outputs[0]);
    }

    fn cpu(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        cpu::max_pool2d_grad(&self.0, inputs[0], inputs[1], outputs[0]);
    }

    fn rungs(&self) -> &'static [Rung] {
        const {
            &[
                rung!("max_pool2d_grad_1_naive"),
                rung!("max_pool2d_grad_2_unrolled"),
                rung!("max_pool2d_grad_3_vector"),
            ]
        }
    }

    fn plan(&self, rung: &Rung, limits: &Limits) -> Option<Plan> {
        let s = &self.0;
        if rung.name != "max_pool2d_grad_3_vector" {
            return Some(s.pass(rung, limits, s.h, s.w));
        }
        let apart = (0..2).all(|axis| s.stride[axis] >= s.kernel[axis]);
        let quads = s.inputs_len() / 4;
        if !apart || !s.inputs_len().is_multiple_of(4) {
            return None;
        }
        let pass = Pass::of(rung, 3, s.params(), limits.fold(quads.div_ceil(64)));
        Some(pass.with(&s.constants()).into())
    }

    /// Positions must lie in their windows: those of random numbers' maxima do.
    fn arrange(&self, inputs: &mut [Vec<f64>]) {
        let [_, index] = inputs else { return };
        let x: Vec<f64> = (0..self.0.inputs_len())
            .map(|i| (i as f64 * 12.9898 + index[0]).sin())
            .collect();
        let mut outputs = [vec![f64::NAN; index.len()], std::mem::take(index)];
        oracle::max_pool2d(&self.0, &x, &mut outputs);
        *index = std::mem::take(&mut outputs[1]);
    }
}
