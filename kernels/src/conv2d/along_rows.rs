//! The weight gradient of a convolution over one channel, where a patch is too short to fill vectors (a network's first
//! layer): vectors run along the rows of the output instead.
//!
//! `dw[o, tap] = Σ_positions dy[o, position] · x[position, tap]`: for three output channels and nine taps at a time the 27
//! sums stand in registers, 16 positions in each, while all rows of a band go by: `dy` is read once, as it lies. In tiles
//! of 8 × 48, of which such a patch fills a fifth, the same takes three times as long. With AVX-512 alone: 27 sums want
//! its 32 registers.

use super::Conv2d;
use super::bands::Bands;
use super::weight_grad::parts;
use crate::cpu::gemm::summed;
use crate::cpu::{Disjoint, Level, for_each, level};
use std::arch::x86_64::*;

/// Output channels and taps at a time, and positions in a vector.
const OUTPUTS: usize = 3;
const TAPS: usize = 9;
const LANES: usize = 16;

/// Floats in a band: 256 KB.
const BAND: usize = 64 * 1024;

/// Whether there is one channel, several outputs of it, and rows that fill vectors.
pub fn serves(s: &Conv2d) -> bool {
    level() == Level::Avx512
        && s.c == s.groups
        && s.out_channels / s.groups >= OUTPUTS
        && s.taps() <= 4 * TAPS
        && s.stride[1] == 1
        && s.out()[1] >= LANES
}

/// `dw` from `x` and `dy`.
pub fn weight_grad(s: &Conv2d, x: &[f32], dy: &[f32], dw: &mut [f32]) {
    let bands = Bands::new(*s, [1, 1]);
    let [height, columns] = bands.out;
    let (plane, rows, taps) = (height * columns, s.n * height, s.taps());
    let fit = bands.rows_within(BAND);
    let offset = |tap: usize| {
        let [p, q] = [tap / s.kernel[1], tap % s.kernel[1]];
        p * s.dilation[0] * bands.row() + q * s.dilation[1]
    };
    // What is too much in the last nine sees what the last tap sees, and is left away.
    let offsets: Vec<[usize; TAPS]> = (0..taps)
        .step_by(TAPS)
        .map(|first| std::array::from_fn(|t| offset((first + t).min(taps - 1))))
        .collect();
    let parts = parts(rows, dw.len());
    let mut sums = vec![0f32; parts * dw.len()];
    let (shared, len) = (Disjoint::new(&mut sums), dw.len());
    for_each(parts, |part| {
        // SAFETY: each part has its own stretch.
        let sums = unsafe { shared.slice(part * len..(part + 1) * len) };
        let mut band = vec![0f32; bands.reach(0, fit) * bands.row()];
        let mut row = part * rows / parts;
        let end = (part + 1) * rows / parts;
        while row < end {
            let (image, first) = (row / height, row % height);
            let last = (first + fit).min(height).min(first + end - row);
            let shape = Rows {
                rows: last - first,
                columns,
                step: bands.step(0) * bands.row(),
            };
            for group in 0..s.groups {
                bands.fill(x, image, group, first..last, &mut band);
                for o in (0..bands.outputs).step_by(OUTPUTS) {
                    let outputs: [usize; OUTPUTS] = std::array::from_fn(|i| {
                        group * bands.outputs + (o + i).min(bands.outputs - 1)
                    });
                    let seen = outputs.map(|o| {
                        let start = (image * s.out_channels + o) * plane;
                        &dy[start + first * columns..start + last * columns]
                    });
                    for (taps, first) in offsets.iter().zip((0..taps).step_by(TAPS)) {
                        let found = shape.products(seen, &band, taps);
                        for (o, found) in
                            outputs[..OUTPUTS.min(bands.outputs - o)].iter().zip(found)
                        {
                            let own = &mut sums[o * s.taps()..][..s.taps()];
                            let own = own[first..].iter_mut().zip(found);
                            own.for_each(|(sum, found)| *sum += found);
                        }
                    }
                }
            }
            row += last - first;
        }
    });
    dw.copy_from_slice(summed(&mut sums, len));
}

/// Rows of the output in a band, and how far apart what they see begins.
struct Rows {
    rows: usize,
    columns: usize,
    step: usize,
}

impl Rows {
    /// `Σ dy[o] · band[from tap on]` over all positions.
    ///
    /// # Panics
    /// If `dy` or `band` is too short.
    fn products(
        &self,
        dy: [&[f32]; OUTPUTS],
        band: &[f32],
        taps: &[usize; TAPS],
    ) -> [[f32; TAPS]; OUTPUTS] {
        let reach = (self.rows - 1) * self.step + self.columns;
        assert!(dy.iter().all(|dy| dy.len() >= self.rows * self.columns));
        assert!(taps.iter().all(|tap| tap + reach <= band.len()));
        // SAFETY: both are long enough, and `serves` has asked for the instructions.
        unsafe {
            self.sums(
                dy.map(<[f32]>::as_ptr),
                taps.map(|tap| band.as_ptr().add(tap)),
            )
        }
    }

    /// # Safety
    /// All rows can be read at every pointer; the processor has the instructions.
    #[target_feature(enable = "avx512f")]
    unsafe fn sums(
        &self,
        dy: [*const f32; OUTPUTS],
        x: [*const f32; TAPS],
    ) -> [[f32; TAPS]; OUTPUTS] {
        let mut acc = [[_mm512_setzero_ps(); TAPS]; OUTPUTS];
        for row in 0..self.rows {
            for column in (0..self.columns).step_by(LANES) {
                let left = (self.columns - column).min(LANES);
                let mask = ((1u32 << left) - 1) as __mmask16;
                let (from, at) = (row * self.columns + column, row * self.step + column);
                // SAFETY: promised; what lies behind a row is not read.
                unsafe {
                    let dy = dy.map(|dy| _mm512_maskz_loadu_ps(mask, dy.add(from)));
                    for t in 0..TAPS {
                        let x = _mm512_maskz_loadu_ps(mask, x[t].add(at));
                        for o in 0..OUTPUTS {
                            acc[o][t] = _mm512_fmadd_ps(dy[o], x, acc[o][t]);
                        }
                    }
                }
            }
        }
        acc.map(|acc| acc.map(|sum| _mm512_reduce_add_ps(sum)))
    }
}
