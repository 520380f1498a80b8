//! The weight gradient from bands whose channels lie innermost.
//!
//! A matrix product again, `dw[o, tap] = Σ_positions dy[o, position] · x[position, tap]`, but its right factor is never
//! packed: the taps of one row of the kernel are neighbours in the band, and the next position begins `stride·c` further
//! on. Where a row of the kernel is shorter than a tile is wide (few channels), the kernel's rows are stacked first, so
//! that a whole patch is one stretch. Sums stand in tiles of their own for each of a fixed number of parts of the
//! positions, added in order at the end.

use super::Conv2d;
use super::bands::Bands;
use crate::cpu::microkernel::{MAX_TILE, Microkernel};
use crate::cpu::transpose::transpose;
use crate::cpu::{Disjoint, GRAIN, for_each, for_ranges, prefetch};
use std::ops::Range;

/// Parts of the sum, at most. More threads could work with more, but each part's sums are written and read once more:
/// with 16 the gradient of 128 × 128 channels over maps of 4 × 82 takes a fifth longer on two threads.
const PARTS: usize = 8;

/// Floats of all parts together: 16 MB.
const SUMS: usize = 4 << 20;

/// Floats in a band: 256 KB.
const BAND: usize = 64 * 1024;

/// Positions in a row of the output below which a call of the microkernel is not worth it.
const SHORT: usize = 8;

/// Whether the shape has the stretches that this needs, and weights of which there can be several parts.
pub fn serves(s: &Conv2d) -> bool {
    let stretches = s.dilation[1] == 1 || s.kernel[1] == 1;
    stretches && s.out()[1] >= SHORT && s.weight_len() <= SUMS / 4
}

/// Into how many parts a sum over `rows` rows is cut, of `len` floats each.
pub fn parts(rows: usize, len: usize) -> usize {
    rows.min(PARTS).min((SUMS / len).max(1))
}

/// The tiles of one part's sums, of one group.
struct Tiles {
    kernel: Microkernel,
    bands: Bands,
    /// Whether the kernel's rows are stacked.
    stacked: bool,
    /// Floats in a stretch, and how many stretches a patch has.
    length: usize,
    stretches: usize,
}

impl Tiles {
    fn new(s: &Conv2d) -> Self {
        let bands = Bands::new(*s, [1, 1]);
        let kernel = Microkernel::best();
        let row = s.kernel[1] * bands.c;
        let stacked = row < kernel.nr && s.kernel[0] > 1;
        let (length, stretches) = match stacked {
            true => (row * s.kernel[0], 1),
            false => (row, s.kernel[0]),
        };
        Tiles {
            kernel,
            bands,
            stacked,
            length,
            stretches,
        }
    }

    /// Tiles side by side in a stretch.
    fn across(&self) -> usize {
        self.length.div_ceil(self.kernel.nr)
    }

    /// Rows of tiles: output channels.
    fn down(&self) -> usize {
        self.bands.outputs.div_ceil(self.kernel.mr)
    }

    fn count(&self) -> usize {
        self.down() * self.stretches * self.across()
    }

    /// Where tap (c, p, q) stands: number of the tile in a row of tiles, and column in it.
    fn place(&self, c: usize, p: usize, q: usize) -> (usize, usize) {
        let [kh, _] = self.bands.conv.kernel;
        let (stretch, at) = match self.stacked {
            true => (0, (q * kh + p) * self.bands.c + c),
            false => (p, q * self.bands.c + c),
        };
        let nr = self.kernel.nr;
        (stretch * self.across() + at / nr, at % nr)
    }

    /// Adds row `row` of the output: `a` holds its gradients, packed, `band` what it sees.
    fn add(&self, row: usize, a: &[f32], band: &[f32], sums: &mut [[f32; MAX_TILE]]) {
        let (conv, kernel) = (&self.bands.conv, &self.kernel);
        let columns = self.bands.out[1];
        let pixel = self.bands.c * if self.stacked { conv.kernel[0] } else { 1 };
        let step = pixel * conv.stride[1];
        let stretches = sums.chunks_exact_mut(self.across() * self.down());
        for (stretch, sums) in stretches.enumerate() {
            let down = stretch * conv.dilation[0];
            let y = (row * conv.stride[0] + down).wrapping_sub(conv.pad[0][0]);
            // What looks at zeros alone is not multiplied.
            if y >= conv.h && !self.stacked {
                continue;
            }
            for (tile, tiles) in sums.chunks_exact_mut(self.down()).enumerate() {
                let b = &band[down * self.bands.row() + tile * kernel.nr..];
                for (a, sums) in a.chunks_exact(columns * kernel.mr).zip(tiles) {
                    kernel.add(columns, a, b, step, sums);
                }
            }
        }
    }

    /// Packs the gradients of one row of the output: `[tile, position, channel]`.
    fn pack(&self, dy: &[f32], image: usize, group: usize, row: usize, a: &mut [f32]) {
        let [rows, columns] = self.bands.out;
        let (outputs, mr) = (self.bands.outputs, self.kernel.mr);
        let plane = rows * columns;
        let first = image * self.bands.conv.out_channels + group * outputs;
        for (tile, a) in a.chunks_exact_mut(columns * mr).enumerate() {
            let count = mr.min(outputs - tile * mr);
            let from = &dy[(first + tile * mr) * plane + row * columns..];
            transpose(from, plane, [count, columns], a, mr);
        }
    }

    /// Stacks the kernel's rows of what one row of the output sees: `[column, kernel row, channel]`.
    fn stack(&self, band: &[f32], stacked: &mut [f32]) {
        let (conv, c) = (&self.bands.conv, self.bands.c);
        let pixel = conv.kernel[0] * c;
        for p in 0..conv.kernel[0] {
            let row = &band[p * conv.dilation[0] * self.bands.row()..][..self.bands.row()];
            if c == 1 {
                let slots = stacked[p..].iter_mut().step_by(pixel);
                slots.zip(row).for_each(|(slot, value)| *slot = *value);
                continue;
            }
            let slots = stacked[p * c..].chunks_mut(pixel);
            for (slot, values) in slots.zip(row.chunks_exact(c)) {
                slot[..c].copy_from_slice(values);
            }
        }
    }

    /// The sums over some rows of the output, counted through all images.
    fn part(&self, x: &[f32], dy: &[f32], rows: Range<usize>, sums: &mut [[f32; MAX_TILE]]) {
        let (bands, nr) = (&self.bands, self.kernel.nr);
        let [height, columns] = bands.out;
        let fit = bands.rows_within(BAND);
        let mut band = vec![0f32; bands.reach(0, fit) * bands.row() + nr];
        let mut stacked = vec![0f32; bands.row() * bands.conv.kernel[0] + nr];
        let mut a = vec![0f32; self.down() * columns * self.kernel.mr];
        let mut row = rows.start;
        while row < rows.end {
            let (image, first) = (row / height, row % height);
            let last = (first + fit).min(height).min(first + rows.end - row);
            let groups = sums.chunks_exact_mut(self.count());
            for (group, sums) in groups.enumerate() {
                bands.fill(x, image, group, first..last, &mut band);
                for i in first..last {
                    let seen = &band[(i - first) * bands.step(0) * bands.row()..];
                    self.pack(dy, image, group, i, &mut a);
                    if self.stacked {
                        self.stack(seen, &mut stacked);
                        self.add(i, &a, &stacked, sums);
                    } else {
                        self.add(i, &a, seen, sums);
                    }
                }
            }
            row += last - first;
        }
    }
}

/// `dw` from `x` and `dy`.
pub fn weight_grad(s: &Conv2d, x: &[f32], dy: &[f32], dw: &mut [f32]) {
    let tiles = Tiles::new(s);
    let rows = s.n * tiles.bands.out[0];
    let count = s.groups * tiles.count();
    let parts = parts(rows, count * MAX_TILE);
    let mut sums = vec![0f32; parts * count * MAX_TILE];
    let shared = Disjoint::new(&mut sums);
    for_each(parts, |part| {
        // SAFETY: each part has its own stretch.
        let sums = unsafe { shared.slice(part * count * MAX_TILE..(part + 1) * count * MAX_TILE) };
        let rows = part * rows / parts..(part + 1) * rows / parts;
        tiles.part(x, dy, rows, sums.as_chunks_mut().0);
    });
    // The parts in order, then each tap to its place; a row of tiles at a time.
    let (taps, mr, nr, [kh, kw]) = (s.taps(), tiles.kernel.mr, tiles.kernel.nr, s.kernel);
    let places: Vec<_> = (0..taps)
        .map(|k| tiles.place(k / (kh * kw), k / kw % kh, k % kw))
        .collect();
    let (outputs, down) = (tiles.bands.outputs, tiles.down());
    let (sums, dw) = (sums.as_chunks::<MAX_TILE>().0, Disjoint::new(dw));
    for_ranges(s.groups * down, GRAIN / (mr * taps), |range| {
        for row in range {
            let (group, row) = (row / down, row % down);
            let own = sums[group * tiles.count() + row..].iter().step_by(down);
            let mut total: Vec<_> = own.take(tiles.count() / down).copied().collect();
            for part in sums.chunks_exact(count).skip(1) {
                for (tile, total) in total.iter_mut().enumerate() {
                    let at = group * tiles.count() + tile * down + row;
                    prefetch(part.as_ptr().wrapping_add(at + down).cast(), MAX_TILE);
                    total.iter_mut().zip(&part[at]).for_each(|(t, p)| *t += p);
                }
            }
            for o in row * mr..outputs.min((row + 1) * mr) {
                let first = (group * outputs + o) * taps;
                // SAFETY: every row of dw belongs to one task.
                let dw = unsafe { dw.slice(first..first + taps) };
                let line = o % mr * nr;
                for (dw, &(tile, column)) in dw.iter_mut().zip(&places) {
                    *dw = total[tile][line + column];
                }
            }
        }
    });
}
