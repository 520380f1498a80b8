//! Bands: what a few rows of the (pooled) output see of an image, with the channels innermost.
//!
//! In `[row, column, channel]`, zeros at the edges included, one row of a convolution's kernel is one stretch of
//! `kernel_w·c` floats: the gradients read patches, or grow them, a whole vector at a time.

use super::Conv2d;
use crate::cpu::transpose::transpose;
use std::ops::Range;

/// How the bands of one group of channels lie.
#[derive(Debug, Clone, Copy)]
pub struct Bands {
    pub conv: Conv2d,
    /// Height and width of the pooling's windows, which stand side by side; `[1, 1]` for none.
    pub window: [usize; 2],
    /// Height and width of the (pooled) output.
    pub out: [usize; 2],
    /// Channels of a group of x, and of y.
    pub c: usize,
    pub outputs: usize,
    /// Columns that the output sees.
    pub width: usize,
}

impl Bands {
    pub fn new(conv: Conv2d, window: [usize; 2]) -> Self {
        let out = conv.out();
        let mut bands = Bands {
            conv,
            window,
            out: [out[0] / window[0], out[1] / window[1]],
            c: conv.c / conv.groups,
            outputs: conv.out_channels / conv.groups,
            width: 0,
        };
        bands.width = bands.reach(1, bands.out[1]);
        bands
    }

    /// Rows (0) or columns (1) of the image that `count` neighbours of the output see.
    pub fn reach(&self, axis: usize, count: usize) -> usize {
        (count * self.window[axis] - 1) * self.conv.stride[axis]
            + self.conv.dilation[axis] * (self.conv.kernel[axis] - 1)
            + 1
    }

    /// Rows or columns of the image between neighbours of the output.
    pub fn step(&self, axis: usize) -> usize {
        self.window[axis] * self.conv.stride[axis]
    }

    /// Floats in a row.
    pub fn row(&self) -> usize {
        self.width * self.c
    }

    /// Rows of the output whose band takes at most `floats`; at least 1.
    pub fn rows_within(&self, floats: usize) -> usize {
        let rows = (floats / self.row()).saturating_sub(self.reach(0, 1)) / self.step(0) + 1;
        rows.min(self.out[0])
    }

    /// Fills `band` with what rows `rows` of the output see of a group's channels of an image.
    pub fn fill(
        &self,
        x: &[f32],
        image: usize,
        group: usize,
        rows: Range<usize>,
        band: &mut [f32],
    ) {
        let conv = &self.conv;
        let plane = conv.h * conv.w;
        let planes = &x[(image * conv.c + group * self.c) * plane..][..self.c * plane];
        let inside = self.inside();
        let all = band.chunks_exact_mut(self.row());
        for (row, band) in all.take(self.reach(0, rows.len())).enumerate() {
            let y = (rows.start * self.step(0) + row).wrapping_sub(conv.pad[0][0]);
            if y >= conv.h || inside.is_empty() {
                band.fill(0.0);
                continue;
            }
            band[..inside.start * self.c].fill(0.0);
            band[inside.end * self.c..].fill(0.0);
            let from = y * conv.w + inside.start - conv.pad[1][0];
            let inner = &mut band[inside.start * self.c..inside.end * self.c];
            let size = [self.c, inside.len()];
            transpose(&planes[from..], plane, size, inner, self.c);
        }
    }

    /// The other way: rows `rows` of a band that begins at the top of the image, into a group's channels of it.
    pub fn hand_back(&self, band: &[f32], rows: Range<usize>, planes: &mut [f32]) {
        let (conv, inside) = (&self.conv, self.inside());
        for row in rows {
            let y = row.wrapping_sub(conv.pad[0][0]);
            if y < conv.h && !inside.is_empty() {
                let from = &band[row * self.row()..][inside.start * self.c..inside.end * self.c];
                let to = y * conv.w + inside.start - conv.pad[1][0];
                let size = [inside.len(), self.c];
                transpose(from, self.c, size, &mut planes[to..], conv.h * conv.w);
            }
        }
    }

    /// The columns of a band that lie in the image.
    fn inside(&self) -> Range<usize> {
        let conv = &self.conv;
        let start = conv.pad[1][0].min(self.width);
        start..(conv.pad[1][0] + conv.w).min(self.width).max(start)
    }
}
