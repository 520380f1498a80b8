//! Short-time Fourier transform of real signals: `Y[t, k] = Σ_n w[n] · x[t·hop + n - pad] · e^(-2πi·k·n / N)`.
//!
//! | buffer | shape | |
//! | --- | --- | --- |
//! | `x` | `[clips, samples]` | in |
//! | `window` | `[n_fft]` | in |
//! | `y` | `[clips, frames, n_fft / 2 + 1]`, for complex results with a last axis of (real, imaginary) | out |
//!
//! `N` is `n_fft`. Centred frames begin `pad = ⌊N / 2⌋` samples before their place, others at it (`pad = 0`); samples
//! beyond the ends are zero, as in librosa from 0.10 on. What leaves the kernel is the complex value, its magnitude
//! or its square: where a mel spectrogram is wanted, the complex values are never written.
//!
//! FLOPs: 2.5·N·log2 N per frame, the customary count of a real FFT, plus N for the window.

pub mod cases;
mod cpu;
mod oracle;

use crate::error::{Result, elements};
use crate::kernel::{Arg, Kernel, Limits, Pass, Plan, Rung, half};
use crate::rung;

/// Output for each complex value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spectrum {
    /// Real and imaginary part.
    Complex,
    /// `|Y|`.
    Magnitude,
    /// `|Y|²`.
    Power,
}

/// Frames of windowed signal to spectra.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stft {
    /// Number of signals.
    pub clips: usize,
    /// Samples in each.
    pub samples: usize,
    /// Samples in a frame.
    pub n_fft: usize,
    /// Samples from frame to frame.
    pub hop: usize,
    /// Whether frame `t` is centred on sample `t·hop`, or begins there.
    pub centre: bool,
    /// Output for each complex value.
    pub spectrum: Spectrum,
}

impl Stft {
    /// Zeros before the first sample.
    pub fn pad(&self) -> usize {
        if self.centre { self.n_fft / 2 } else { 0 }
    }

    /// Returns the number of frames per signal; 0 if it is shorter than one frame.
    pub fn frames(&self) -> usize {
        // Asked before `check` too, of sizes that no memory holds.
        (self.samples.saturating_add(2 * self.pad()))
            .checked_sub(self.n_fft)
            .map_or(0, |rest| (rest / self.hop.max(1)).saturating_add(1))
    }

    /// Frequencies from 0 to the half of the sample rate.
    pub fn bins(&self) -> usize {
        self.n_fft / 2 + 1
    }

    /// Words of one frequency in `y`.
    fn parts(&self) -> usize {
        if self.spectrum == Spectrum::Complex {
            2
        } else {
            1
        }
    }

    /// Words of one frame in `y`.
    fn row(&self) -> usize {
        self.bins() * self.parts()
    }
}

impl Kernel for Stft {
    fn name(&self) -> &'static str {
        "stft"
    }

    fn smaller(&self) -> Option<Box<dyn Kernel>> {
        let clips = half(self.clips)?;
        Some(Box::new(Stft { clips, ..*self }))
    }

    fn check(&self) -> Result<()> {
        if self.clips == 0 || self.samples == 0 {
            return Err(self.error(format!(
                "{} clips of {} samples are empty",
                self.clips, self.samples
            )));
        }
        if self.n_fft < 2 || self.hop == 0 {
            return Err(self.error(format!(
                "n_fft {} must be at least 2, hop {} at least 1",
                self.n_fft, self.hop
            )));
        }
        // The naive rung multiplies a frequency by a position in 32 bits.
        if self.n_fft > 1 << 16 {
            return Err(self.error(format!("n_fft {} is more than 65536", self.n_fft)));
        }
        elements(self.name(), &[self.clips, self.samples])?;
        if self.frames() == 0 {
            return Err(self.error(format!(
                "{} samples are shorter than a frame of {}",
                self.samples, self.n_fft
            )));
        }
        elements(self.name(), &[self.clips, self.frames(), self.row()])?;
        Ok(())
    }

    fn inputs(&self) -> Vec<Arg> {
        vec![
            Arg::f32("x", self.clips * self.samples),
            Arg::f32("window", self.n_fft),
        ]
    }

    fn outputs(&self) -> Vec<Arg> {
        vec![Arg::f32("y", self.clips * self.frames() * self.row())]
    }

    fn flops(&self) -> u64 {
        let n = self.n_fft as f64;
        let frame = 2.5 * n * n.log2() + n;
        (self.clips * self.frames()) as u64 * frame as u64
    }

    fn reduction(&self) -> usize {
        self.n_fft
    }

    fn oracle(&self, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
        oracle::stft(self, inputs[0], inputs[1], &mut outputs[0]);
    }

    fn cpu(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        cpu::stft(self, inputs[0], inputs[1], outputs[0]);
    }

    fn rungs(&self) -> &'static [Rung] {
        const {
            &[
                rung!("stft_1_naive"),
                rung!("stft_2_fft"),
                rung!("stft_3_radix8"),
            ]
        }
    }

    fn plan(&self, rung: &Rung, limits: &Limits) -> Option<Plan> {
        let (frames, half) = (self.clips * self.frames(), self.n_fft / 2);
        let params = [
            self.samples,
            self.frames(),
            frames,
            self.n_fft,
            self.hop,
            self.pad(),
        ]
        .map(|v| v as u32)
        .to_vec();
        let spectrum = ("SPECTRUM", f64::from(self.spectrum as u8));
        let pass = |groups, constants: &[_]| {
            let pass = Pass::of(rung, 3, params, limits.fold(groups));
            pass.with(constants).looping(self.n_fft)
        };
        match rung.name {
            // Two frames as one complex transform of full length, eight numbers to each thread.
            "stft_3_radix8" => {
                let threads = self.n_fft / 8;
                let fits = self.n_fft.is_power_of_two()
                    && (8..=limits.threads_per_group as usize).contains(&threads)
                    && 8 * self.n_fft <= limits.workgroup_memory as usize;
                let constants = [spectrum, ("THREADS", threads as f64)];
                fits.then(|| pass(frames.div_ceil(2), &constants).into())
            }
            "stft_1_naive" => Some(pass((frames * self.bins()).div_ceil(64), &[spectrum]).into()),
            // Half a frame of complex numbers, 8 bytes each, must fit into workgroup memory.
            _ => (self.n_fft.is_power_of_two()
                && half >= 2
                && 8 * half <= limits.workgroup_memory as usize)
                .then(|| {
                    pass(
                        frames,
                        &[
                            spectrum,
                            ("HALF", half as f64),
                            ("STAGES", half.ilog2().into()),
                        ],
                    )
                    .into()
                }),
        }
    }
}
