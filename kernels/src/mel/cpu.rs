//! Frames in blocks of [`LANES`]: a block of spectra is turned so that its frames lie side by side, and then every
//! weight multiplies a whole vector of frames. Zeros at the end of a filter are left out.

use super::Mel;
use crate::cpu::{Disjoint, for_each};
use crate::kernel::words;
use crate::vectorized;
use std::ops::Range;

/// Frames in a block.
const LANES: usize = 16;

/// Side of the squares in which a block is turned.
const SQUARE: usize = 4;

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
        let mut turned = vec![0.0f32; s.bins * LANES];
        let mut sums = vec![0.0f32; s.bands * LANES];
        let end = s.frames.min((task + 1) * LANES * BLOCKS);
        for t in (task * LANES * BLOCKS..end).step_by(LANES) {
            let count = LANES.min(end - t);
            turn(&x[t * s.bins..(t + count) * s.bins], s.bins, &mut turned);
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
    /// `turned[bin, lane] = x[lane, bin]`; what lies in lanes past the last frame is not used.
    fn turn(x: &[f32], bins: usize, turned: &mut [f32]) {
        let count = x.len() / bins;
        let whole = if count == LANES { bins - bins % SQUARE } else { 0 };
        // Squares that are turned within registers.
        for bin in (0..whole).step_by(SQUARE) {
            for lane in (0..LANES).step_by(SQUARE) {
                let mut square = [[0.0f32; SQUARE]; SQUARE];
                for (i, row) in square.iter_mut().enumerate() {
                    row.copy_from_slice(&x[(lane + i) * bins + bin..][..SQUARE]);
                }
                for j in 0..SQUARE {
                    let column: [f32; SQUARE] = std::array::from_fn(|i| square[i][j]);
                    turned[(bin + j) * LANES + lane..][..SQUARE].copy_from_slice(&column);
                }
            }
        }
        for (lane, row) in x.chunks_exact(bins).enumerate() {
            for (bin, v) in row.iter().enumerate().skip(whole) {
                turned[bin * LANES + lane] = *v;
            }
        }
    }

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
