//! Moves numbers without changing them: transposes, cuts out, pads, and puts together.
//!
//! | buffer | shape | |
//! | --- | --- | --- |
//! | `x` | `x`, at most six axes | in |
//! | `y` | `y`, as many axes | out; with [`Outside::Keep`] updated |
//!
//! y's axis k runs along x's axis `axes[k]`, and its index i is x's index `i + start[k]` there:
//!
//! ```text
//! y[i₀, i₁, …] = x[j₀, j₁, …]     with j[axes[k]] = iₖ + start[k]
//! ```
//!
//! Where x has no such element, y gets a value or keeps what it held. That one sentence says all of
//!
//! | operation | `axes` | `start` | outside of `x` | its gradient |
//! | --- | --- | --- | --- | --- |
//! | permute | any order | 0 | is nothing | the inverse order |
//! | slice from `a` | as they are | `a` | is nothing | a pad with zeros |
//! | pad with `b` before | as they are | `-b` | a value | a slice; a pad where `b` is negative and cuts off |
//! | concat, part at `p` | as they are | `-p` | keeps | a slice |
//!
//! FLOPs: none. Words are moved unseen, NaN with their bits.

pub mod cases;
mod cpu;
mod oracle;
mod walk;

use crate::error::{Result, elements};
use crate::kernel::{Arg, Kernel, Limits, Pass, Plan, Rung};
use crate::rung;
use walk::Walk;

/// The most axes.
pub const MAX_AXES: usize = 6;

/// `y[i] = x[j]`, the indices' axes in another order and moved along each.
#[derive(Debug, Clone, PartialEq)]
pub struct Rearrange {
    /// The lengths of x's axes.
    pub x: Vec<usize>,
    /// The lengths of y's axes.
    pub y: Vec<usize>,
    /// For each axis of y, the axis of x that it runs along.
    pub axes: Vec<usize>,
    /// For each axis of y, the index of x that its first element has.
    pub start: Vec<i64>,
    /// What y gets where x has no element.
    pub outside: Outside,
}

/// What an element of y gets for which x has none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Outside {
    /// This value.
    Fill(f32),
    /// What it held before.
    Keep,
}

impl Rearrange {
    /// The axes of `x` in the order of `axes`.
    pub fn permute(x: &[usize], axes: &[usize]) -> Self {
        let y = axes.iter().map(|&axis| x.get(axis).copied().unwrap_or(0));
        Rearrange {
            x: x.to_vec(),
            y: y.collect(),
            axes: axes.to_vec(),
            start: vec![0; axes.len()],
            outside: Outside::Fill(0.0),
        }
    }

    /// A window of shape `y` whose first element is `x[start]`, with a value where it reaches beyond `x`.
    pub fn window(x: &[usize], y: &[usize], start: &[i64], outside: Outside) -> Self {
        Rearrange {
            x: x.to_vec(),
            y: y.to_vec(),
            axes: (0..x.len()).collect(),
            start: start.to_vec(),
            outside,
        }
    }

    /// The way back: y's numbers to the places of x that they came from, zero where none did.
    pub fn gradient(&self) -> Self {
        let mut back = Rearrange {
            x: self.y.clone(),
            y: self.x.clone(),
            axes: vec![0; self.axes.len()],
            start: vec![0; self.axes.len()],
            outside: Outside::Fill(0.0),
        };
        for (k, (&axis, &start)) in self.axes.iter().zip(&self.start).enumerate() {
            (back.axes[axis], back.start[axis]) = (k, -start);
        }
        back
    }

    /// Returns the number of elements of y, and of x.
    fn counts(&self) -> (u64, u64) {
        let within = |k: usize| self.range(k).len() as u64;
        let all = self.y.iter().map(|&n| n as u64).product();
        (all, (0..self.y.len()).map(within).product())
    }

    /// The indices along y's axis k for which x has an element.
    fn range(&self, k: usize) -> std::ops::Range<usize> {
        let (x, y) = (self.x[self.axes[k]] as i64, self.y[k] as i64);
        let low = (-self.start[k]).clamp(0, y);
        low as usize..(x - self.start[k]).clamp(low, y) as usize
    }
}

impl Kernel for Rearrange {
    fn name(&self) -> &'static str {
        "rearrange"
    }

    fn check(&self) -> Result<()> {
        let Rearrange {
            x, y, axes, start, ..
        } = self;
        if x.len() > MAX_AXES || [y.len(), axes.len(), start.len()] != [x.len(); 3] {
            return Err(self.error(format!(
                "x {x:?}, y {y:?}, axes {axes:?} and start {start:?} must have as many entries, {MAX_AXES} at most"
            )));
        }
        if (0..x.len()).any(|axis| !axes.contains(&axis)) {
            return Err(self.error(format!("axes {axes:?} are not each axis of {x:?} once")));
        }
        if elements(self.name(), x)? == 0 || elements(self.name(), y)? == 0 {
            return Err(self.error(format!("x {x:?} or y {y:?} has an empty side")));
        }
        if start.iter().any(|s| s.unsigned_abs() >= 1 << 31) {
            return Err(self.error(format!("start {start:?} is out of reach")));
        }
        if self.outside == Outside::Keep && self.counts().1 == 0 {
            return Err(self.error(format!("nothing of x {x:?} lies in y {y:?} from {start:?}")));
        }
        Ok(())
    }

    fn inputs(&self) -> Vec<Arg> {
        vec![Arg::f32("x", self.x.iter().product())]
    }

    fn outputs(&self) -> Vec<Arg> {
        let y = Arg::f32("y", self.y.iter().product());
        vec![match self.outside {
            Outside::Fill(_) => y,
            Outside::Keep => y.updated(),
        }]
    }

    fn flops(&self) -> u64 {
        0
    }

    /// Returns input and output.
    fn bytes(&self) -> u64 {
        let (all, inside) = self.counts();
        match self.outside {
            Outside::Fill(_) => 4 * (inside + all),
            Outside::Keep => 8 * inside,
        }
    }

    fn reduction(&self) -> usize {
        1
    }

    fn oracle(&self, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
        oracle::rearrange(self, inputs[0], &mut outputs[0]);
    }

    fn cpu(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        cpu::rearrange(&Walk::new(self), inputs[0], outputs[0]);
    }

    fn rungs(&self) -> &'static [Rung] {
        const {
            &[
                rung!("rearrange_1_naive"),
                rung!("rearrange_2_tiled"),
                rung!("rearrange_3_rows"),
            ]
        }
    }

    fn plan(&self, rung: &Rung, limits: &Limits) -> Option<Plan> {
        let walk = Walk::new(self);
        let (params, len) = (walk.params(), walk.row().len);
        let rank = ("RANK", walk.axes.len() as f64);
        let (groups, tall) = match (rung.name, walk.tall()) {
            ("rearrange_1_naive", _) => (walk.elements().div_ceil(64), 0),
            // With less than a tile or a workgroup takes, most threads would idle.
            ("rearrange_2_tiled", Some(tall)) if walk.axes[tall].len.min(len) >= 8 => {
                let rows = walk.axes[tall].len;
                let planes = walk.elements() / (rows * len);
                (planes * rows.div_ceil(32) * len.div_ceil(32), tall)
            }
            ("rearrange_3_rows", None) if len >= 32 && walk.elements() / len >= 8 => {
                let rows = walk.elements() / len;
                (rows.div_ceil(8) * len.div_ceil(256), 0)
            }
            _ => return None,
        };
        let mut constants = vec![rank];
        constants.extend((rung.name == "rearrange_2_tiled").then_some(("TALL", tall as f64)));
        let pass = Pass::of(rung, 2, params, limits.fold(groups));
        Some(pass.with(&constants).into())
    }
}
