//! The factors of convolution as matrix products: images seen as patches, weights seen flipped, maps seen as rows.
//!
//! None of these matrices exists in memory: the product packs strips of them straight from the image.

use crate::cpu::Disjoint;
use crate::cpu::gemm::{Panels, Sink};
use crate::cpu::transpose::transpose;
use std::ops::Range;

/// Images `[n, channels, h, w]` of which a group of channels is meant.
#[derive(Debug, Clone, Copy)]
pub struct Images<'a> {
    pub data: &'a [f32],
    pub channels: usize,
    /// The first channel of the group.
    pub first: usize,
    pub h: usize,
    pub w: usize,
}

/// How the patch at grid position `g` and tap `t` finds its pixel: `(g·stride + t·dilation - pad) / up`, where the
/// division must come out even (an image with `up - 1` zeros between its pixels).
#[derive(Debug, Clone, Copy)]
pub struct Taps {
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    pub dilation: [usize; 2],
    /// May be negative: the input gradient of a convolution padded by more than its kernel.
    pub pad: [isize; 2],
    pub up: [usize; 2],
}

/// The patches of images: free index (image, grid row, grid column), summed index (channel, tap row, tap column).
#[derive(Debug, Clone, Copy)]
pub struct Patches<'a> {
    pub images: Images<'a>,
    pub grid: [usize; 2],
    pub taps: Taps,
}

/// Neighbouring grid positions of one row.
#[derive(Clone, Copy, Default)]
struct Run {
    image: usize,
    row: usize,
    column: usize,
    len: usize,
}

impl Patches<'_> {
    /// Cuts grid positions into runs that stay within a row.
    fn runs(&self, positions: Range<usize>, mut each: impl FnMut(Run)) {
        let [rows, columns] = self.grid;
        let mut at = positions.start;
        while at < positions.end {
            let column = at % columns;
            let len = (columns - column).min(positions.end - at);
            each(Run {
                image: at / columns / rows,
                row: at / columns % rows,
                column,
                len,
            });
            at += len;
        }
    }

    /// Writes what tap `k` sees along a run to `out[0]`, `out[step]`, ….
    #[inline(always)]
    fn read(&self, run: Run, [channel, p, q]: [usize; 3], out: &mut [f32], step: usize) {
        let (images, taps) = (&self.images, &self.taps);
        let shift = |at: usize, tap: usize, axis: usize| {
            (at * taps.stride[axis] + tap * taps.dilation[axis]) as isize - taps.pad[axis]
        };
        let pixel = |at: usize, tap: usize, axis: usize, length: usize| {
            let position = usize::try_from(shift(at, tap, axis)).ok()?;
            let pixel = position / taps.up[axis];
            (pixel < length && pixel * taps.up[axis] == position).then_some(pixel)
        };
        let zero = |out: &mut [f32]| {
            let last = out.len().min((run.len - 1) * step + 1);
            out[..last].iter_mut().step_by(step).for_each(|o| *o = 0.0);
        };
        let Some(y) = pixel(run.row, p, 0, images.h) else {
            return zero(out);
        };
        let plane = run.image * images.channels + images.first + channel;
        let row = &images.data[(plane * images.h + y) * images.w..][..images.w];
        if taps.stride[1] != 1 || taps.up[1] != 1 {
            for i in 0..run.len {
                out[i * step] = pixel(run.column + i, q, 1, images.w).map_or(0.0, |x| row[x]);
            }
            return;
        }
        // Neighbours on the grid are neighbours in the image: zeros, a stretch of the row, zeros.
        let shift = shift(run.column, q, 1);
        let len = run.len as isize;
        let start = (-shift).clamp(0, len);
        let end = (images.w as isize - shift).clamp(start, len) as usize;
        let from = (shift + start).clamp(0, images.w as isize) as usize;
        let start = start as usize;
        let source = &row[from..from + end - start];
        if step == 1 {
            out[..start].fill(0.0);
            out[start..end].copy_from_slice(source);
            out[end..run.len].fill(0.0);
        } else {
            (0..start)
                .chain(end..run.len)
                .for_each(|i| out[i * step] = 0.0);
            if start < end {
                let slots = out[start * step..].iter_mut().step_by(step);
                slots.zip(source).for_each(|(slot, value)| *slot = *value);
            }
        }
    }

    fn tap(&self, k: usize) -> [usize; 3] {
        let [kh, kw] = self.taps.kernel;
        [k / (kh * kw), k / kw % kh, k % kw]
    }
}

impl Panels for Patches<'_> {
    fn pack(&self, outer: usize, count: usize, width: usize, k: Range<usize>, out: &mut [f32]) {
        let mut runs = [Run::default(); 64];
        let mut used = 0;
        self.runs(outer..outer + count, |run| {
            runs[used] = run;
            used += 1;
        });
        for (tap, line) in k.zip(out.chunks_exact_mut(width)) {
            let tap = self.tap(tap);
            let mut at = 0;
            for &run in &runs[..used] {
                self.read(run, tap, &mut line[at..at + run.len], 1);
                at += run.len;
            }
            line[count..].fill(0.0);
        }
    }
}

/// The same patches with the indices exchanged: free index the tap, summed index the grid position.
pub struct TapRows<'a>(pub Patches<'a>);

impl Panels for TapRows<'_> {
    fn pack(&self, outer: usize, count: usize, width: usize, k: Range<usize>, out: &mut [f32]) {
        if count < width {
            out[..k.len() * width].fill(0.0);
        }
        let mut at = 0;
        self.0.runs(k, |run| {
            for lane in 0..count {
                self.0.read(
                    run,
                    self.0.tap(outer + lane),
                    &mut out[at * width + lane..],
                    width,
                );
            }
            at += run.len;
        });
    }
}

/// Feature maps `[n, channels, plane]`: free index the channel within a group, summed index (image, position).
pub struct Maps<'a> {
    pub data: &'a [f32],
    pub channels: usize,
    /// The first channel of the group.
    pub first: usize,
    pub plane: usize,
}

impl Panels for Maps<'_> {
    fn pack(&self, outer: usize, count: usize, width: usize, k: Range<usize>, out: &mut [f32]) {
        if count < width {
            out[..k.len() * width].fill(0.0);
        }
        let mut at = k.start;
        while at < k.end {
            let (image, position) = (at / self.plane, at % self.plane);
            let len = (self.plane - position).min(k.end - at);
            for lane in 0..count {
                let channel = image * self.channels + self.first + outer + lane;
                let source = &self.data[channel * self.plane + position..][..len];
                let slots = out[(at - k.start) * width + lane..]
                    .iter_mut()
                    .step_by(width);
                slots.zip(source).for_each(|(slot, value)| *slot = *value);
            }
            at += len;
        }
    }
}

/// Weights `[outputs, inputs, kh, kw]` turned around for the input gradient: free index the input channel, summed
/// index (output channel, tap row and column counted from the end).
pub struct Flipped<'a> {
    pub data: &'a [f32],
    pub inputs: usize,
    /// Taps of one (output, input) pair: kh·kw.
    pub taps: usize,
}

impl Panels for Flipped<'_> {
    fn pack(&self, outer: usize, count: usize, width: usize, k: Range<usize>, out: &mut [f32]) {
        if count < width {
            out[..k.len() * width].fill(0.0);
        }
        let mut at = k.start;
        while at < k.end {
            let (output, tap) = (at / self.taps, at % self.taps);
            let len = (self.taps - tap).min(k.end - at);
            let first = (output * self.inputs + outer) * self.taps + self.taps - tap - len;
            let lines = &mut out[(at - k.start) * width..][..len * width];
            transpose(&self.data[first..], self.taps, [count, len], lines, width);
            for i in 0..len / 2 {
                let (front, back) = lines.split_at_mut((len - 1 - i) * width);
                front[i * width..][..width].swap_with_slice(&mut back[..width]);
            }
            at += len;
        }
    }
}

/// Takes tiles of (channel within a group) × (image, position) into maps `[n, channels, plane]`.
pub struct MapSink<'a> {
    pub data: &'a Disjoint<'a>,
    pub channels: usize,
    pub first: usize,
    pub plane: usize,
}

impl Sink for MapSink<'_> {
    fn put(&self, i: Range<usize>, j: Range<usize>, tile: &[f32], stride: usize) {
        for (row, values) in i.zip(tile.chunks(stride)) {
            let mut at = j.start;
            while at < j.end {
                let (image, position) = (at / self.plane, at % self.plane);
                let len = (self.plane - position).min(j.end - at);
                let channel = image * self.channels + self.first + row;
                let start = channel * self.plane + position;
                // SAFETY: each element of a product comes once, to one task.
                let map = unsafe { self.data.slice(start..start + len) };
                map.copy_from_slice(&values[at - j.start..][..len]);
                at += len;
            }
        }
    }
}
