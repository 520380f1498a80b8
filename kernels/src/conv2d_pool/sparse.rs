//! The gradients as sums over the winners.
//!
//! Both take a band of rows at a time: what it sees of x, or dx as it grows, with the channels innermost, so that one row
//! of the kernel is one stretch of `kernel_w·c` floats, and for each output channel the list of the band's winners whose
//! gradient is not zero.

use super::Conv2dPool;
use super::pooled::Pooled;
use super::winners::{LANES, Rows, Winner, gather, spread};
use crate::conv2d::bands::Bands;
use crate::conv2d::weight_grad::parts;
use crate::cpu::{Disjoint, for_each};
use std::ops::Range;

/// Floats in a band: 512 KB.
const BAND: usize = 128 * 1024;

/// Rows of the pooled map in a band, at most.
const ROWS: usize = 8;

/// Whether a row of the kernel is one stretch.
fn stretches(s: &Conv2dPool) -> bool {
    s.conv.dilation[1] == 1 || s.conv.kernel[1] == 1
}

/// Whether the weight gradient goes this way: its sum must leave room for several parts.
pub fn gathers(s: &Conv2dPool) -> bool {
    stretches(s) && s.conv.weight_len() <= 1 << 20
}

/// Whether the input gradient does: a row of the kernel must fill its vectors, too, since zeros behind it would spread a
/// NaN beyond its patch.
pub fn spreads(s: &Conv2dPool) -> bool {
    stretches(s) && (s.conv.kernel[1] * (s.conv.c / s.conv.groups)).is_multiple_of(LANES)
}

/// The winners of a band, one output channel at a time.
struct Winners {
    bands: Bands,
    /// Rows of the pooled map in a band.
    rows: usize,
    /// Where the places of a window stand in the band, from where the window begins.
    places: Vec<u32>,
    gradients: Vec<f32>,
    list: Vec<Winner>,
}

impl Winners {
    fn new(s: &Conv2dPool) -> Self {
        let bands = Bands::new(s.conv, s.window);
        let ([_, across], [down, right]) = (s.window, s.conv.stride);
        let place = |at| at / across * down * bands.row() + at % across * right * bands.c;
        Winners {
            rows: bands.rows_within(BAND).min(ROWS),
            places: (0..s.places()).map(|at| place(at) as u32).collect(),
            gradients: Vec::new(),
            list: Vec::new(),
            bands,
        }
    }

    /// A patch in the band, its rows rounded up to whole vectors.
    fn patch(&self) -> Rows {
        let conv = &self.bands.conv;
        Rows {
            rows: conv.kernel[0],
            length: (conv.kernel[1] * self.bands.c).next_multiple_of(LANES),
            step: conv.dilation[0] * self.bands.row(),
        }
    }

    /// A patch by itself: sums, or weights.
    fn packed(&self) -> Rows {
        let patch = self.patch();
        Rows {
            step: patch.length,
            ..patch
        }
    }

    /// Floats in a band of `rows` rows of the pooled map, those that the last stretch reads too much included.
    fn len(&self, rows: usize) -> usize {
        self.bands.reach(0, rows) * self.bands.row() + LANES
    }

    /// Lists the winners of these rows of one map whose gradient is not zero; gives the sum of their gradients.
    fn fill(&mut self, pooled: &Pooled, map: usize, rows: Range<usize>) -> f32 {
        let (bands, [oh, ow]) = (&self.bands, self.bands.out);
        let part = (map * oh + rows.start) * ow..(map * oh + rows.end) * ow;
        self.gradients.resize(part.len(), 0.0);
        pooled.before(part.clone(), &mut self.gradients);
        let (index, gradients) = (&pooled.index[part], &self.gradients);
        self.list.resize(index.len(), (0, 0.0));
        let (down, right) = (bands.step(0) * bands.row(), bands.step(1) * bands.c);
        let rows = index.chunks_exact(ow).zip(gradients.chunks_exact(ow));
        let mut len = 0;
        for (row, (index, gradients)) in rows.enumerate() {
            let mut start = (row * down) as u32;
            for (&place, &gradient) in index.iter().zip(gradients) {
                // A place outside its window has won nothing.
                if let Some(place) = self.places.get(place as usize) {
                    self.list[len] = (start + place, gradient);
                    len += usize::from(gradient != 0.0);
                }
                start += right as u32;
            }
        }
        self.list.truncate(len);
        total(gradients)
    }
}

/// The sum, in an order that vectorises.
pub fn total(values: &[f32]) -> f32 {
    let (groups, rest) = values.as_chunks::<LANES>();
    let mut sums = [0f32; LANES];
    for group in groups {
        sums.iter_mut().zip(group).for_each(|(s, v)| *s += v);
    }
    sums.iter().chain(rest).sum()
}

/// `dw`; gives `db`.
pub fn weight_grad(pooled: &Pooled, x: &[f32], dw: &mut [f32]) -> Vec<f32> {
    let (s, conv) = (pooled.s, &pooled.s.conv);
    let (kh, [oh, _]) = (conv.kernel[0], s.out());
    let shape = Winners::new(s);
    let Bands { c, outputs, .. } = shape.bands;
    let (patch, at) = (shape.patch(), shape.packed());
    let each = kh * at.step;
    // Sums of dw, channels innermost, then of db.
    let len = conv.out_channels * (each + 1);
    let rows = conv.n * oh;
    let parts = parts(rows, len);
    let mut sums = vec![0f32; parts * len];
    let shared = Disjoint::new(&mut sums);
    for_each(parts, |part| {
        // SAFETY: each part has its own stretch.
        let sums = unsafe { shared.slice(part * len..(part + 1) * len) };
        let (dw, db) = sums.split_at_mut(conv.out_channels * each);
        let mut winners = Winners::new(s);
        let mut band = vec![0f32; winners.len(winners.rows)];
        let mut row = part * rows / parts;
        let end = (part + 1) * rows / parts;
        while row < end {
            // A few rows of one image.
            let (image, first) = (row / oh, row % oh);
            let last = (first + winners.rows).min(oh).min(first + end - row);
            for group in 0..conv.groups {
                let bands = &winners.bands;
                bands.fill(x, image, group, first..last, &mut band);
                for o in group * outputs..(group + 1) * outputs {
                    db[o] += winners.fill(pooled, image * conv.out_channels + o, first..last);
                    let dw = &mut dw[o * each..][..each];
                    gather(&winners.list, &band, patch, dw, at);
                }
            }
            row += last - first;
        }
    });
    let (total, rest) = sums.split_at_mut(len);
    for part in rest.chunks_exact(len) {
        total.iter_mut().zip(part).for_each(|(t, p)| *t += p);
    }
    let (taps, kw) = (conv.taps(), conv.kernel[1]);
    for (o, dw) in dw.chunks_exact_mut(taps).enumerate() {
        for (k, dw) in dw.iter_mut().enumerate() {
            let (channel, p, q) = (k / (kh * kw), k / kw % kh, k % kw);
            *dw = total[o * each + p * at.step + q * c + channel];
        }
    }
    total[conv.out_channels * each..].to_vec()
}

/// `dx`, image by image.
pub fn input_grad(pooled: &Pooled, weight: &[f32], dx: &mut [f32]) {
    let conv = &pooled.s.conv;
    let image = conv.x_len() / conv.n;
    // [o, p, q, c]
    let (c, [kh, kw], taps) = (conv.c / conv.groups, conv.kernel, conv.taps());
    let mut turned = vec![0f32; weight.len()];
    for (o, turned) in turned.chunks_exact_mut(taps).enumerate() {
        for (i, slot) in turned.iter_mut().enumerate() {
            let (p, q, channel) = (i / (kw * c), i / c % kw, i % c);
            *slot = weight[o * taps + (channel * kh + p) * kw + q];
        }
    }
    let shared = Disjoint::new(dx);
    for_each(conv.n, |n| {
        // SAFETY: each image belongs to one task.
        let dx = unsafe { shared.slice(n * image..(n + 1) * image) };
        spread_image(pooled, n, &turned, dx);
    });
}

/// One image's `dx`: grown in a band of all its rows, handed back as rows are done.
fn spread_image(pooled: &Pooled, n: usize, weight: &[f32], dx: &mut [f32]) {
    let (s, conv) = (pooled.s, &pooled.s.conv);
    let (plane, [oh, _]) = (conv.h * conv.w, s.out());
    let mut winners = Winners::new(s);
    let Bands { c, outputs, .. } = winners.bands;
    let (patch, at) = (winners.patch(), winners.packed());
    let each = at.rows * at.step;
    let down = winners.bands.step(0);
    let mut band = vec![0f32; winners.len(oh)];
    dx.fill(0.0);
    for group in 0..conv.groups {
        let dx = &mut dx[group * c * plane..][..c * plane];
        band.fill(0.0);
        for first in (0..oh).step_by(winners.rows) {
            let last = oh.min(first + winners.rows);
            let rows = &mut band[first * down * winners.bands.row()..];
            for o in group * outputs..(group + 1) * outputs {
                winners.fill(pooled, n * conv.out_channels + o, first..last);
                let weight = &weight[o * each..][..each];
                spread(&winners.list, rows, patch, weight, at);
            }
            // Later bands do not reach these.
            let done = match last == oh {
                true => winners.bands.reach(0, oh),
                false => last * down,
            };
            winners.bands.hand_back(&band, first * down..done, dx);
        }
    }
}
