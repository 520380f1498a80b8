//! Resampling in the frequency domain, block by block.
//!
//! A block is transformed, multiplied by the filter's response, cut or extended to the new rate's frequencies and
//! transformed back. Blocks overlap by the reach of the filter, and what the circular convolution spoils is left out
//! (overlap-save). Since the response is real and even, one complex transform serves two blocks: one is the real part,
//! the next one the imaginary part.

use super::change::Change;
use super::head::correction;
use super::soxr::Lowpass;
use rustfft::num_complex::Complex32;
use rustfft::{Fft, FftPlanner};
use std::sync::Arc;

/// Least length of the longer transform.
const LEAST: usize = 4096;

/// Resampler through soxr's filter. The result has no delay and no end.
pub(super) struct Blocks {
    change: Change,
    filter: Lowpass,
    /// Whether no block was filtered yet.
    first: bool,
    forwards: Arc<dyn Fft<f32>>,
    backwards: Arc<dyn Fft<f32>>,
    /// Response at each frequency from 0 on, scaled by the length of the transform.
    response: Vec<f32>,
    /// Samples from block to block that go in and come out, and those left out before them.
    hop: [usize; 2],
    margin: [usize; 2],
    /// Samples from the beginning of the next block on.
    waiting: Vec<f32>,
    input: Vec<Complex32>,
    output: Vec<Complex32>,
    scratch: Vec<Complex32>,
}

impl Blocks {
    pub(super) fn new(change: Change) -> Blocks {
        let Change { m, l } = change;
        let filter = Lowpass::new(change);
        let reach = filter.reach() * change.stretch();
        // Lengths are multiples of `m` and `l`, so that the first sample of each block stands at a time of both rates.
        let margin = (reach as usize).div_ceil(m) + 1;
        let units = (4 * margin)
            .max(LEAST.div_ceil(m.max(l)))
            .next_power_of_two();
        let [from, to] = [units * m, units * l];
        let mut planner = FftPlanner::new();
        let forwards = planner.plan_fft_forward(from);
        let backwards = planner.plan_fft_inverse(to);
        let mut input = vec![Complex32::default(); from];
        let scratch = forwards
            .get_inplace_scratch_len()
            .max(backwards.get_inplace_scratch_len());
        let mut scratch = vec![Complex32::default(); scratch];

        for n in 0..=reach as usize {
            let tap = filter.sharp.at(n as f64 / change.stretch()) / change.stretch();
            input[n].re = tap as f32;
            input[(from - n) % from].re = tap as f32;
        }
        forwards.process_with_scratch(&mut input, &mut scratch);
        // Nothing is left at the lower Nyquist frequency.
        let bins = from.min(to).div_ceil(2);
        let bend = filter.bend(bins, 2.0 / from.min(to) as f64);
        let scale = 1.0 / (f64::from(input[0].re) * from as f64);
        let response = input
            .iter()
            .zip(bend)
            .map(|(sharp, bend)| (f64::from(sharp.re) * bend * scale) as f32)
            .collect();
        Blocks {
            change,
            filter,
            first: true,
            forwards,
            backwards,
            response,
            hop: [from - 2 * margin * m, to - 2 * margin * l],
            margin: [margin * m, margin * l],
            waiting: vec![0.0; margin * m],
            input,
            output: vec![Complex32::default(); to],
            scratch,
        }
    }

    pub(super) fn push(&mut self, mut samples: &[f32], to: &mut Vec<f32>) {
        let two = self.input.len() + self.hop[0];
        while !samples.is_empty() {
            let (now, later) = samples.split_at(samples.len().min(two - self.waiting.len()));
            self.waiting.extend_from_slice(now);
            samples = later;
            if self.waiting.len() == two {
                self.process(to);
            }
        }
    }

    /// Filters two blocks.
    fn process(&mut self, to: &mut Vec<f32>) {
        let [hop, new_hop] = self.hop;
        let second = self.waiting[hop..].iter();
        for (z, (a, b)) in (self.input.iter_mut()).zip(self.waiting.iter().zip(second)) {
            *z = Complex32::new(*a, *b);
        }
        (self.forwards).process_with_scratch(&mut self.input, &mut self.scratch);
        self.output.fill(Complex32::default());
        let (old, new) = (&self.input, &mut self.output);
        for (k, response) in self.response.iter().enumerate() {
            new[k] = old[k] * response;
        }
        let mirrored = self.response.iter().enumerate().skip(1);
        for (k, response) in mirrored {
            let (from, to) = (old.len() - k, new.len() - k);
            new[to] = old[from] * response;
        }
        (self.backwards).process_with_scratch(&mut self.output, &mut self.scratch);
        if std::mem::take(&mut self.first) {
            let samples = &self.waiting[self.margin[0]..];
            let changed = correction(&self.filter, self.change, samples);
            let first = self.output[self.margin[1]..].iter_mut();
            first.zip(changed).for_each(|(z, change)| z.re += change);
        }
        let inside = &self.output[self.margin[1]..][..new_hop];
        to.extend(inside.iter().map(|z| z.re));
        to.extend(inside.iter().map(|z| z.im));
        self.waiting.drain(..2 * hop);
    }
}
