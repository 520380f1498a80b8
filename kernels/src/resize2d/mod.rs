//! Images brought to another height and width, and the gradient.
//!
//! | buffer | shape | |
//! | --- | --- | --- |
//! | `x` | `[planes, h, w]` | in |
//! | `y` | `[planes, oh, ow]` | out |
//!
//! `y[oy, ox] = Σ weight(oy, iy) · weight(ox, ix) · x[iy, ix]`, each axis for itself. Along an axis of `from` elements that
//! becomes one of `to`, output o lies over the inputs from `o·from/to` to `(o + 1)·from/to`, and reads (PyTorch's
//! `interpolate`, without antialiasing):
//!
//! * [`Mode::Bilinear`], `align_corners=False`: the two inputs about the middle `p = (o + ½)·from/to - ½`, each with the
//!   weight `1 - |p - i|`; a middle beyond the outermost input counts as that input.
//! * [`Mode::Area`]: every input that it touches, with equal weights: adaptive average pooling.
//!
//! An input of weight 0 is not read. Positions are worked out in integers, so that weights are exact on every device.
//!
//! [`Resize2dGrad`] sums for each input what the outputs that read it hand back, with the same weights:
//!
//! | buffer | shape | |
//! | --- | --- | --- |
//! | `dy` | `[planes, oh, ow]` | in |
//! | `dx` | `[planes, h, w]`: `dx[iy, ix] = Σ weight(oy, iy) · weight(ox, ix) · dy[oy, ox]` | out |
//!
//! FLOPs: a multiply-add for each input that an output reads.

mod axis;
pub mod cases;
mod cpu;
mod oracle;

use crate::error::{Result, elements};
use crate::kernel::{Arg, Kernel, Limits, Pass, Plan, Rung, half};
use crate::rung;
use axis::Axis;

/// How outputs are made from the inputs under them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A straight line between the two nearest.
    Bilinear,
    /// The mean of all.
    Area,
}

/// `y` = `x` in another height and width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resize2d {
    /// Images times channels.
    pub planes: usize,
    /// Height and width of `x`.
    pub from: [usize; 2],
    /// Height and width of `y`.
    pub to: [usize; 2],
    /// How.
    pub mode: Mode,
}

impl Resize2d {
    /// The same with half the batch.
    fn halved(&self) -> Option<Self> {
        let planes = half(self.planes)?;
        Some(Resize2d { planes, ..*self })
    }

    fn axes(&self) -> [Axis; 2] {
        [0, 1].map(|axis| Axis {
            from: self.from[axis],
            to: self.to[axis],
            mode: self.mode,
        })
    }

    fn check_as(&self, kernel: &dyn Kernel) -> Result<()> {
        let (planes, [h, w], [oh, ow]) = (self.planes, self.from, self.to);
        let shapes = [[planes, h, w], [planes, oh, ow]];
        for shape in shapes {
            if elements(kernel.name(), &shape)? == 0 {
                return Err(kernel.error(format!("{shape:?} has an empty side")));
            }
        }
        // Positions are counted in units of 1 / (2·to).
        if h.saturating_mul(oh).max(w.saturating_mul(ow)) >= 1 << 29 {
            return Err(kernel.error(format!(
                "from {h} × {w} to {oh} × {ow} is out of reach: along an axis the lengths' product must be below 2^29"
            )));
        }
        Ok(())
    }

    fn x_len(&self) -> usize {
        self.planes * self.from[0] * self.from[1]
    }

    fn y_len(&self) -> usize {
        self.planes * self.to[0] * self.to[1]
    }

    fn work(&self) -> u64 {
        let [y, x] = self.axes().map(|axis| axis.reads());
        2 * self.planes as u64 * y * x
    }

    /// The pass of a rung that writes planes of `height × width`, each element from at most so many others.
    fn pass(
        &self,
        rung: &Rung,
        limits: &Limits,
        [height, width]: [usize; 2],
        reads: usize,
    ) -> Plan {
        let sizes = [self.planes].into_iter().chain(self.from).chain(self.to);
        let params = sizes.map(|n| n as u32).collect();
        let threads = self.planes * height * width;
        let mode = ("AREA", f64::from(u8::from(self.mode == Mode::Area)));
        Pass::of(rung, 2, params, limits.fold(threads.div_ceil(64)))
            .with(&[mode])
            .looping(reads)
            .into()
    }
}

impl Kernel for Resize2d {
    fn name(&self) -> &'static str {
        "resize2d"
    }

    fn smaller(&self) -> Option<Box<dyn Kernel>> {
        Some(Box::new(self.halved()?))
    }

    fn check(&self) -> Result<()> {
        self.check_as(self)
    }

    fn inputs(&self) -> Vec<Arg> {
        vec![Arg::f32("x", self.x_len())]
    }

    fn outputs(&self) -> Vec<Arg> {
        vec![Arg::f32("y", self.y_len())]
    }

    fn flops(&self) -> u64 {
        self.work()
    }

    fn reduction(&self) -> usize {
        let [y, x] = self.axes().map(|axis| axis.most_inputs());
        y * x
    }

    fn oracle(&self, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
        oracle::resize2d(self, inputs[0], &mut outputs[0]);
    }

    fn cpu(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        let taps = self.axes().map(|axis| axis.forward());
        cpu::separable(self.planes, self.from, &taps, inputs[0], outputs[0]);
    }

    fn rungs(&self) -> &'static [Rung] {
        const { &[rung!("resize2d_1_naive")] }
    }

    fn plan(&self, rung: &Rung, limits: &Limits) -> Option<Plan> {
        Some(self.pass(rung, limits, self.to, self.reduction()))
    }
}

/// `dx` from `dy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resize2dGrad(
    /// The forward kernel.
    pub Resize2d,
);

impl Kernel for Resize2dGrad {
    fn name(&self) -> &'static str {
        "resize2d_grad"
    }

    fn smaller(&self) -> Option<Box<dyn Kernel>> {
        Some(Box::new(Resize2dGrad(self.0.halved()?)))
    }

    fn check(&self) -> Result<()> {
        self.0.check_as(self)
    }

    fn inputs(&self) -> Vec<Arg> {
        vec![Arg::f32("dy", self.0.y_len())]
    }

    fn outputs(&self) -> Vec<Arg> {
        vec![Arg::f32("dx", self.0.x_len())]
    }

    fn flops(&self) -> u64 {
        self.0.work()
    }

    fn reduction(&self) -> usize {
        let [y, x] = self.0.axes().map(|axis| axis.most_outputs());
        y * x
    }

    fn oracle(&self, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
        oracle::resize2d_grad(&self.0, inputs[0], &mut outputs[0]);
    }

    fn cpu(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        let taps = self.0.axes().map(|axis| axis.backward());
        cpu::separable(self.0.planes, self.0.to, &taps, inputs[0], outputs[0]);
    }

    fn rungs(&self) -> &'static [Rung] {
        const { &[rung!("resize2d_grad_1_naive")] }
    }

    fn plan(&self, rung: &Rung, limits: &Limits) -> Option<Plan> {
        Some(self.0.pass(rung, limits, self.0.from, self.reduction()))
    }
}
