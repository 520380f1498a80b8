//! Filter bank over spectra: `y[c, b, t] = Σ_j filters[b, j] · x[c, t, first[b] + j]`.
//!
//! | buffer | shape | |
//! | --- | --- | --- |
//! | `x` | `[clips, frames, bins]` | in |
//! | `filters` | `[bands, width]` | in |
//! | `first` | `[bands]`, integers | in |
//! | `y` | `[clips, bands, frames]` | out |
//!
//! A mel filter is a triangle over a short run of frequencies: of a 128 × 1025 matrix no more than two numbers in a
//! column are not zero. So each filter is stored as its run: where it begins, and `width` weights, with zeros behind
//! the shorter ones. A run that would pass the last frequency begins earlier: `first[b]` is taken as at most
//! `bins - width`. The result has frames last, as pictures and networks want it.
//!
//! FLOPs: 2·clips·frames·bands·width, zeros included.

pub mod cases;
mod cpu;
mod oracle;

use crate::error::{Result, elements};
use crate::kernel::{Arg, Kernel, Limits, Pass, Plan, Rung, half};
use crate::rung;

/// Bands of frequencies, each a weighted sum over a run of bins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mel {
    /// Number of spectrograms.
    pub clips: usize,
    /// Frames in each.
    pub frames: usize,
    /// Frequencies in each frame.
    pub bins: usize,
    /// Filters.
    pub bands: usize,
    /// Weights in the longest filter.
    pub width: usize,
}

impl Kernel for Mel {
    fn name(&self) -> &'static str {
        "mel"
    }

    fn smaller(&self) -> Option<Box<dyn Kernel>> {
        let clips = half(self.clips)?;
        Some(Box::new(Mel { clips, ..*self }))
    }

    fn check(&self) -> Result<()> {
        let Mel {
            clips,
            frames,
            bins,
            bands,
            width,
        } = *self;
        if [clips, frames, bins, bands, width].contains(&0) {
            return Err(self.error(format!(
                "{clips}×{frames}×{bins} under {bands} filters of {width} has an empty side"
            )));
        }
        if width > bins {
            return Err(self.error(format!("filters of {width} weights over {bins} bins")));
        }
        for shape in [
            [clips, frames, bins],
            [clips, frames, bands],
            [bands, width, 1],
        ] {
            elements(self.name(), &shape)?;
        }
        Ok(())
    }

    fn inputs(&self) -> Vec<Arg> {
        vec![
            Arg::f32("x", self.clips * self.frames * self.bins),
            Arg::f32("filters", self.bands * self.width),
            Arg::u32("first", self.bands),
        ]
    }

    fn outputs(&self) -> Vec<Arg> {
        vec![Arg::f32("y", self.clips * self.bands * self.frames)]
    }

    fn flops(&self) -> u64 {
        2 * (self.clips * self.frames * self.bands) as u64 * self.width as u64
    }

    fn reduction(&self) -> usize {
        self.width
    }

    fn oracle(&self, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
        oracle::mel(self, inputs, &mut outputs[0]);
    }

    fn cpu(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        cpu::mel(self, inputs, outputs[0]);
    }

    fn rungs(&self) -> &'static [Rung] {
        const {
            &[
                rung!("mel_1_naive"),
                rung!("mel_2_tiled"),
                rung!("mel_3_sparse"),
            ]
        }
    }

    fn plan(&self, rung: &Rung, limits: &Limits) -> Option<Plan> {
        let params = [self.clips, self.frames, self.bins, self.bands, self.width]
            .map(|v| v as u32)
            .to_vec();
        let rows = self.clips * self.bands;
        let groups = match rung.name {
            "mel_1_naive" => (rows * self.frames).div_ceil(64),
            _ => rows * self.frames.div_ceil(64),
        };
        let pass = Pass::of(rung, 4, params, limits.fold(groups));
        Some(pass.looping(2 * self.width + 16).into())
    }

    /// Filters of all lengths, the empty one too: zeros behind the weights.
    fn arrange(&self, inputs: &mut [Vec<f64>]) {
        for (band, weights) in inputs[1].chunks_mut(self.width).enumerate() {
            let length = self.width - (7 * band) % (self.width + 1);
            weights[length..].fill(0.0);
        }
    }

    /// Runs begin anywhere, also beyond the last place where a whole one fits.
    fn sample(&self, input: &'static str, unit: f64) -> f64 {
        match input {
            "first" => (unit + 1.0) * 0.5 * self.bins as f64,
            _ => unit,
        }
    }
}
