//! Inverse short-time Fourier transform: frames from their spectra, windowed once more, overlapped and added.
//!
//! | buffer | shape | |
//! | --- | --- | --- |
//! | `re` | `[clips, frames, n_fft / 2 + 1]`: real parts | in |
//! | `im` | the same: imaginary parts | in |
//! | `window` | `[n_fft]` | in |
//! | `y` | `[clips, samples]` | out |
//!
//! ```text
//! f[t, n] = 1/N · Σ_k (re[t, k]·cos(2π·k·n / N) - im[t, k]·sin(2π·k·n / N))   over all N frequencies
//! y[i] = Σ_t w[n]·f[t, n] / Σ_t w[n]²                                         n = i + pad - t·hop, where 0 ≤ n < N
//! ```
//!
//! `N` is `n_fft`; frequencies beyond the half are the conjugates of those below, and the imaginary parts of frequency 0
//! and, for an even N, of the half do not count. Centred frames begin `pad = ⌊N / 2⌋` samples before their place. Where the
//! squares of the windows add up to (nearly) nothing, the sum is left as it is; beyond the last frame there is silence:
//! `librosa.istft(…, length=samples)`. Of an [`stft`](crate::stft) with the same window it gives back the signal.
//!
//! FLOPs: 2.5·N·log2 N per frame, the customary count of a real FFT, plus 4·N for the windows.

pub mod cases;
mod cpu;
mod oracle;

use crate::error::{Result, elements};
use crate::kernel::{Arg, Kernel, Limits, Pass, Plan, Rung, half};
use crate::rung;

/// Frames of spectra to a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Istft {
    /// Number of signals.
    pub clips: usize,
    /// Frames of each.
    pub frames: usize,
    /// Samples in a frame.
    pub n_fft: usize,
    /// Samples from frame to frame.
    pub hop: usize,
    /// Whether frame `t` is centred on sample `t·hop`, or begins there.
    pub centre: bool,
    /// Samples of each signal.
    pub samples: usize,
}

/// Below it a sum of squared windows counts as nothing: the smallest normal f32, librosa's bound.
const TINY: f32 = f32::MIN_POSITIVE;

impl Istft {
    /// The length of the signal that the frames cover, at the ends of centred ones without the half that overhangs:
    /// librosa's where it is given none. 0 where nothing is left.
    pub fn covered(frames: usize, n_fft: usize, hop: usize, centre: bool) -> usize {
        let all = frames
            .saturating_sub(1)
            .saturating_mul(hop)
            .saturating_add(n_fft);
        all.saturating_sub(if centre { n_fft / 2 * 2 } else { 0 })
    }

    /// Samples that lie before the signal's first.
    fn pad(&self) -> usize {
        if self.centre { self.n_fft / 2 } else { 0 }
    }

    fn bins(&self) -> usize {
        self.n_fft / 2 + 1
    }

    /// Returns the frames that contain sample `i`.
    fn over(&self, i: usize) -> std::ops::Range<usize> {
        let at = i + self.pad();
        let first = (at + 1).saturating_sub(self.n_fft).div_ceil(self.hop);
        let end = self.frames.min(at / self.hop + 1);
        first.min(end)..end
    }
}

const OVERLAP: Rung = rung!("istft_overlap");

impl Kernel for Istft {
    fn name(&self) -> &'static str {
        "istft"
    }

    fn smaller(&self) -> Option<Box<dyn Kernel>> {
        let clips = half(self.clips)?;
        Some(Box::new(Istft { clips, ..*self }))
    }

    fn check(&self) -> Result<()> {
        let Istft {
            clips,
            frames,
            n_fft,
            hop,
            samples,
            ..
        } = *self;
        if clips == 0 || frames == 0 || samples == 0 {
            return Err(self.error(format!(
                "{clips} clips of {frames} frames and {samples} samples are empty"
            )));
        }
        if n_fft < 2 || hop == 0 {
            return Err(self.error(format!(
                "n_fft {n_fft} must be at least 2, hop {hop} at least 1"
            )));
        }
        // The naive rung multiplies a frequency by a position in 32 bits.
        if n_fft > 1 << 16 {
            return Err(self.error(format!("n_fft {n_fft} is more than 65536")));
        }
        elements(self.name(), &[clips, frames, n_fft])?;
        elements(self.name(), &[frames, hop])?;
        // With the half of a frame before it.
        elements(self.name(), &[clips, samples.saturating_add(n_fft)])?;
        Ok(())
    }

    fn inputs(&self) -> Vec<Arg> {
        let spectrum = self.clips * self.frames * self.bins();
        vec![
            Arg::f32("re", spectrum),
            Arg::f32("im", spectrum),
            Arg::f32("window", self.n_fft),
        ]
    }

    fn outputs(&self) -> Vec<Arg> {
        vec![Arg::f32("y", self.clips * self.samples)]
    }

    fn flops(&self) -> u64 {
        let n = self.n_fft as f64;
        (self.clips * self.frames) as u64 * (2.5 * n * n.log2() + 4.0 * n) as u64
    }

    fn reduction(&self) -> usize {
        self.n_fft + self.n_fft / self.hop
    }

    fn oracle(&self, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
        oracle::istft(self, inputs, &mut outputs[0]);
    }

    fn cpu(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        cpu::istft(self, inputs, outputs[0]);
    }

    fn rungs(&self) -> &'static [Rung] {
        const { &[rung!("istft_1_naive"), rung!("istft_2_fft")] }
    }

    fn plan(&self, rung: &Rung, limits: &Limits) -> Option<Plan> {
        let all = self.clips * self.frames;
        let params = [
            self.samples,
            self.frames,
            all,
            self.n_fft,
            self.hop,
            self.pad(),
            self.clips * self.samples,
        ]
        .map(|v| v as u32)
        .to_vec();
        let overlaps = self.n_fft.div_ceil(self.hop).min(self.frames);
        let samples = limits.fold((self.clips * self.samples).div_ceil(64));
        if rung.name == "istft_1_naive" {
            let pass = Pass::of(rung, 4, params, samples);
            return Some(pass.looping(overlaps * self.bins()).into());
        }
        // A frame of complex numbers, 8 bytes each, must fit into workgroup memory.
        let n = self.n_fft;
        if !n.is_power_of_two() || n < 4 || 8 * n > limits.workgroup_memory as usize {
            return None;
        }
        // The scratch of all frames is a buffer like others.
        if 4 * (all * n) as u64 > limits.binding_bytes {
            return None;
        }
        let constants = [("N", n as f64), ("STAGES", n.ilog2().into())];
        let transform = Pass::of(rung, 0, params.clone(), limits.fold(all.div_ceil(2)))
            .with(&constants)
            .over(&[0, 1, 4]);
        let overlap = Pass::of(&OVERLAP, 0, params, samples)
            .looping(overlaps)
            .over(&[4, 2, 3]);
        Some(Plan {
            scratch: vec![all * n],
            passes: vec![transform, overlap],
        })
    }

    /// Windows stay away from zero, where the quotient would have no digits.
    fn sample(&self, input: &'static str, unit: f64) -> f64 {
        match input {
            "window" => 0.75 + 0.25 * unit,
            _ => unit,
        }
    }
}
