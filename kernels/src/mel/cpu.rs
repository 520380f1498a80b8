//! Frames in blocks of [`LANES`]: a block of spectra is turned so that its frames lie side by side, and then every
//! weight multiplies a whole vector of frames. Zeros at the end of a filter are left out.

use super::Mel;
use crate::cpu::aligned::Aligned;
use crate::cpu::transpose::transpose;
use crate::cpu::{Disjoint, for_each};
use crate::kernel::words;
use crate::vectorized;
use std::ops::Range;

/// Frames in a block.
const LANES: usize = 16;

/// Blocks that are worth handing to another thread.
const BLOCKS: usize = 4;

pub fn mel(s: &Mel, inputs: &[&[f32]], y: &mut [f32]) {
    let (x, filters, first) = (inputs[0], inputs[1], words(inputs[2]));
    let runs: Vec<Range<usize>> = (0..s.bands)
        .map(|band| {
            let weights = &filters[band * s.width..][..s.width];
            let length = s.width - weights.iter().rev().take_while(|w| **w == 0.0).count();
            let start = (first[band] as usize).min(s.bins - s.width);
            start..start + length
        })
        .collect();
    let tasks_per_clip = s.frames.div_ceil(LANES * BLOCKS);
    let y = Disjoint::new(y);
    for_each(s.clips * tasks_per_clip, |task| {
        let (clip, task) = (task / tasks_per_clip, task % tasks_per_clip);
        let x = &x[clip * s.frames * s.bins..][..s.frames * s.bins];
        let mut turned = Aligned::new(s.bins * LANES);
        let mut sums = Aligned::new(s.bands * LANES);
        let end = s.frames.min((task + 1) * LANES * BLOCKS);
        for t in (task * LANES * BLOCKS..end).step_by(LANES) {
            let count = LANES.min(end - t);
            // `turned[bin, lane] = x[lane, bin]`; what lies in lanes past the last frame is not used.
            let frames = &x[t * s.bins..(t + count) * s.bins];
            transpose(frames, s.bins, [count, s.bins], &mut turned, LANES);
            filter(&turned, filters, s.width, &runs, &mut sums);
            for (band, sums) in sums.chunks_exact(LANES).enumerate() {
                let at = (clip * s.bands + band) * s.frames + t;
                // SAFETY: every clip, band and block of frames has a place of its own.
                unsafe { y.slice(at..at + count) }.copy_from_slice(&sums[..count]);
            }
        }
    });
}

vectorized! {
    /// `sums[band, lane] = Σ weights[band, j] · turned[run + j, lane]`.
    fn filter(turned: &[f32], filters: &[f32], width: usize, runs: &[Range<usize>], sums: &mut [f32]) {
        for ((run, weights), out) in runs.iter().zip(filters.chunks_exact(width)).zip(sums.chunks_exact_mut(LANES)) {
            let mut sum = [0.0f32; LANES];
            for (w, x) in weights.iter().zip(turned[run.start * LANES..run.end * LANES].chunks_exact(LANES)) {
                for lane in 0..LANES {
                    sum[lane] += w * x[lane];
                }
            }
            out.copy_from_slice(&sum);
        }
    }
}
