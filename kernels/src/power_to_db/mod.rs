//! Power to decibels: `y = 10·log10(max(x, amin) / max(r, amin))`, held to within `top_db` of each clip's loudest.
//!
//! | buffer | shape | |
//! | --- | --- | --- |
//! | `x` | `[clips, len]`, powers, not negative | in |
//! | `y` | `[clips, len]` | out |
//!
//! The reference `r` is a constant, or the clip's own maximum, which then comes out as 0 dB. As in librosa's
//! `power_to_db`, but by clip: what else is in the batch does not matter. A NaN counts as `amin`, where librosa's stays one.
//!
//! FLOPs: 4 per element (two comparisons, a logarithm, a multiply-add), the logarithm counted as one.

pub mod cases;
mod cpu;
mod oracle;

use crate::error::{Result, elements};
use crate::kernel::{Arg, Kernel, Limits, Pass, Plan, Rung, half};
use crate::rung;

/// What counts as 0 dB.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reference {
    /// The clip's loudest element.
    Max,
    /// This power.
    Value(f32),
}

/// Powers to decibels, clip by clip.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PowerToDb {
    /// Number of clips.
    pub clips: usize,
    /// Elements in each.
    pub len: usize,
    /// What counts as 0 dB.
    pub reference: Reference,
    /// Smaller powers count as this one.
    pub amin: f32,
    /// How far below the clip's loudest element the result may fall.
    pub top_db: Option<f32>,
}

/// dB per power of two: 10·log10 2.
const DB_PER_OCTAVE: f64 = 3.010_299_956_639_812;

/// Elements that one workgroup of the second rung takes.
const BLOCK: usize = 4096;

impl PowerToDb {
    /// What is taken from the logarithm of every element, and below what the result is cut, for a clip of which the
    /// loudest element's logarithm (in dB) is `loudest`.
    fn bounds(&self, loudest: f32, reference: f32) -> (f32, f32) {
        let offset = match self.reference {
            Reference::Max => loudest,
            Reference::Value(_) => reference,
        };
        (
            offset,
            self.top_db
                .map_or(f32::NEG_INFINITY, |top| loudest - offset - top),
        )
    }
}

impl Kernel for PowerToDb {
    fn name(&self) -> &'static str {
        "power_to_db"
    }

    fn smaller(&self) -> Option<Box<dyn Kernel>> {
        let clips = half(self.clips)?;
        Some(Box::new(PowerToDb { clips, ..*self }))
    }

    fn check(&self) -> Result<()> {
        if self.clips == 0 || self.len == 0 {
            return Err(self.error(format!(
                "{} clips of {} elements are empty",
                self.clips, self.len
            )));
        }
        let normal = |v: f32| v >= f32::MIN_POSITIVE && v.is_finite();
        if !normal(self.amin) {
            return Err(self.error(format!("amin {} must be a positive number", self.amin)));
        }
        if let Reference::Value(value) = self.reference
            && !normal(value)
        {
            return Err(self.error(format!("reference {value} must be a positive number")));
        }
        if let Some(top) = self.top_db
            && !(top >= 0.0 && top.is_finite())
        {
            return Err(self.error(format!("top_db {top} must not be negative")));
        }
        elements(self.name(), &[self.clips, self.len])?;
        Ok(())
    }

    fn inputs(&self) -> Vec<Arg> {
        vec![Arg::f32("x", self.clips * self.len)]
    }

    fn outputs(&self) -> Vec<Arg> {
        vec![Arg::f32("y", self.clips * self.len)]
    }

    fn flops(&self) -> u64 {
        4 * (self.clips * self.len) as u64
    }

    fn reduction(&self) -> usize {
        1
    }

    fn oracle(&self, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
        oracle::power_to_db(self, inputs[0], &mut outputs[0]);
    }

    fn cpu(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        cpu::power_to_db(self, inputs[0], outputs[0]);
    }

    fn rungs(&self) -> &'static [Rung] {
        const { &[rung!("power_to_db_1_naive"), rung!("power_to_db_2_split")] }
    }

    fn plan(&self, rung: &Rung, limits: &Limits) -> Option<Plan> {
        let value = match self.reference {
            Reference::Max => 0.0,
            Reference::Value(value) => value.max(self.amin),
        };
        let blocks = self.len.div_ceil(BLOCK);
        let params = vec![
            self.clips as u32,
            self.len as u32,
            blocks as u32,
            self.amin.to_bits(),
            value.to_bits(),
            self.top_db.unwrap_or(f32::MAX).to_bits(),
        ];
        match rung.name {
            "power_to_db_1_naive" => {
                let pass = Pass::of(rung, 2, params, limits.fold(self.clips));
                Some(pass.looping(2 * self.len.div_ceil(256) + 8).into())
            }
            // Twice the same shader over x, y and the blocks' maxima: first these, then the result.
            _ => {
                let pass = |stage| {
                    Pass::of(rung, 3, params.clone(), limits.fold(self.clips * blocks))
                        .with(&[("STAGE", stage)])
                };
                Some(Plan {
                    scratch: vec![self.clips * blocks],
                    passes: vec![pass(0.0), pass(1.0)],
                })
            }
        }
    }

    /// Powers over twelve orders of magnitude, some below the customary `amin`.
    fn sample(&self, _input: &'static str, unit: f64) -> f64 {
        10f64.powf(6.0 * unit - 5.0)
    }
}
