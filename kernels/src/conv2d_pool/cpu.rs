//! Forward: conv2d's strips, which pool on their way out. Backward: sums over the winners.
//!
//! Both gradients take a band of rows at a time: the image's strip (x, or dx as it grows) with its channels innermost,
//! so that one row of the kernel is one stretch of `kernel_w·c` floats, and for each output channel the list of the
//! band's winners whose gradient is not zero. Where stretches cannot be had (dilation along the row), or the windows are
//! so small that little is left out, `dz` is spread out for a few images at a time and conv2d's gradients do the rest.

use super::Conv2dPool;
use super::winners::{LANES, Rows, Winner, gather, spread};
use crate::conv2d::patches::Images;
use crate::conv2d::strips::{Maps, Strips};
use crate::conv2d::{Conv2d, Conv2dInputGrad, Conv2dWeightGrad};
use crate::cpu::gemm::Strided;
use crate::cpu::{Disjoint, GRAIN, for_each, for_ranges};
use crate::kernel::{Kernel, words};
use crate::vectorized;
use std::ops::Range;

pub fn forward(s: &Conv2dPool, inputs: &[&[f32]], y: &mut [f32], index: &mut [f32]) {
    let conv = &s.conv;
    let (outputs, taps) = (conv.out_channels / conv.groups, conv.taps());
    let mut maps = Maps {
        y: Disjoint::new(y),
        index: Some(Disjoint::new(index)),
        channels: conv.out_channels,
        first: 0,
        bias: conv.bias.then(|| inputs[2]),
        activation: conv.activation,
    };
    for group in 0..conv.groups {
        maps.first = group * outputs;
        let weight = Strided {
            data: &inputs[1][maps.first * taps..][..outputs * taps],
            outer_stride: taps,
            k_stride: 1,
        };
        let strips = Strips {
            images: Images {
                data: inputs[0],
                channels: conv.c,
                first: group * conv.c / conv.groups,
                h: conv.h,
                w: conv.w,
            },
            n: conv.n,
            c: conv.c / conv.groups,
            kernel: conv.kernel,
            stride: conv.stride,
            dilation: conv.dilation,
            pad: conv.pad.map(|[before, _]| before as isize),
            pool: s.window,
            grid: s.out(),
        };
        strips.product(outputs, &weight, &maps);
    }
}

/// Windows smaller than this leave out too little.
const SPARSE: usize = 4;

/// Floats in a band's strip: 512 KB.
const STRIP: usize = 128 * 1024;

/// Into how many parts the weight gradient's sum is cut.
const PARTS: usize = 16;

/// Floats of `dz` that are spread out at a time.
const SPREAD: usize = 4 << 20;

/// How a strip of one group of channels lies: `[row, column, channel]`, zeros at the edges included.
#[derive(Clone, Copy)]
struct Band<'a> {
    s: &'a Conv2dPool,
    /// Channels of a group, of x and of y.
    c: usize,
    outputs: usize,
    /// Columns that windows see.
    width: usize,
    /// Rows of the pooled map in a band.
    rows: usize,
}

impl<'a> Band<'a> {
    fn of(s: &'a Conv2dPool) -> Self {
        let c = s.conv.c / s.conv.groups;
        let [oh, ow] = s.out();
        let width = reach(s, 1, ow);
        let fit = (STRIP / (width * c)).saturating_sub(reach(s, 0, 1)) / step(s, 0) + 1;
        Band {
            s,
            c,
            outputs: s.conv.out_channels / s.conv.groups,
            width,
            rows: fit.min(oh).min(8),
        }
    }

    /// One row of the kernel, rounded up to whole vectors.
    fn stretch(&self) -> usize {
        (self.s.conv.kernel[1] * self.c).next_multiple_of(LANES)
    }

    /// A patch in the strip.
    fn patch(&self) -> Rows {
        Rows {
            rows: self.s.conv.kernel[0],
            length: self.stretch(),
            step: self.s.conv.dilation[0] * self.width * self.c,
        }
    }

    /// Floats in a strip of `rows` rows of the pooled map, those that the last stretch reads too much included.
    fn len(&self, rows: usize) -> usize {
        reach(self.s, 0, rows) * self.width * self.c + LANES
    }

    /// Where a winner stands in the strip, from where its window begins.
    fn places(&self) -> Vec<u32> {
        let [_, across] = self.s.window;
        let [down, right] = self.s.conv.stride;
        let place = |place| (place / across * down * self.width + place % across * right) * self.c;
        (0..self.s.places()).map(|at| place(at) as u32).collect()
    }
}

/// Rows (0) or columns (1) of the image that `count` neighbours of the pooled map see.
fn reach(s: &Conv2dPool, axis: usize, count: usize) -> usize {
    (count * s.window[axis] - 1) * s.conv.stride[axis]
        + s.conv.dilation[axis] * (s.conv.kernel[axis] - 1)
        + 1
}

/// Rows or columns of the image between neighbours of the pooled map.
fn step(s: &Conv2dPool, axis: usize) -> usize {
    s.window[axis] * s.conv.stride[axis]
}

/// The pooled gradients: what came, the output, and which places have won.
#[derive(Clone, Copy)]
struct Pooled<'a> {
    s: &'a Conv2dPool,
    dy: &'a [f32],
    y: &'a [f32],
    index: &'a [u32],
}

impl<'a> Pooled<'a> {
    fn new(s: &'a Conv2dPool, [dy, y, index]: [&'a [f32]; 3]) -> Self {
        let index = words(index);
        Pooled { s, dy, y, index }
    }

    /// Lists the winners of these rows of one map whose gradient is not zero; gives the sum of their gradients.
    fn list(
        &self,
        band: &Band,
        places: &[u32],
        map: usize,
        rows: Range<usize>,
        gradients: &mut Vec<f32>,
        list: &mut Vec<Winner>,
    ) -> f32 {
        let [oh, ow] = self.s.out();
        let part = map * oh * ow + rows.start * ow..map * oh * ow + rows.end * ow;
        gradients.resize(part.len(), 0.0);
        let activation = self.s.conv.activation;
        activation.backward(&self.y[part.clone()], &self.dy[part.clone()], gradients);
        let index = &self.index[part];
        list.resize(index.len(), (0, 0.0));
        let right = (step(self.s, 1) * band.c) as u32;
        let mut len = 0;
        for (row, (index, gradients)) in index
            .chunks_exact(ow)
            .zip(gradients.chunks_exact(ow))
            .enumerate()
        {
            let mut start = (row * step(self.s, 0) * band.width * band.c) as u32;
            for (&place, &gradient) in index.iter().zip(gradients) {
                // A place outside its window has won nothing.
                if let Some(place) = places.get(place as usize) {
                    list[len] = (start + place, gradient);
                    len += usize::from(gradient != 0.0);
                }
                start += right;
            }
        }
        list.truncate(len);
        total(gradients)
    }

    /// `dz` of some images, where the places stand in the un-pooled map.
    fn spread_out(&self, images: Range<usize>, dz: &mut [f32]) {
        let ([oh, ow], [height, width]) = (self.s.out(), self.s.conv.out());
        let (pooled, plane) = (oh * ow, height * width);
        let channels = self.s.conv.out_channels;
        let dz = Disjoint::new(dz);
        for_ranges(images.len() * channels, GRAIN / plane, |maps| {
            let mut gradients = vec![0f32; pooled];
            for map in maps {
                // SAFETY: every map belongs to one task.
                let dz = unsafe { dz.slice(map * plane..(map + 1) * plane) };
                let map = map + images.start * channels;
                let part = map * pooled..(map + 1) * pooled;
                let activation = self.s.conv.activation;
                activation.backward(
                    &self.y[part.clone()],
                    &self.dy[part.clone()],
                    &mut gradients,
                );
                dz.fill(0.0);
                for (at, (&place, &gradient)) in self.index[part].iter().zip(&gradients).enumerate()
                {
                    let [down, across] = self.s.window;
                    let (p, q) = (place as usize / across, place as usize % across);
                    if p < down {
                        dz[(at / ow * down + p) * width + at % ow * across + q] = gradient;
                    }
                }
            }
        });
    }

    /// Hands `dz` of a few images at a time to `each`.
    fn in_pieces(&self, mut each: impl FnMut(Conv2d, Range<usize>, &[f32])) {
        let image = self.s.conv.y_len() / self.s.conv.n;
        let images = (SPREAD / image).clamp(1, self.s.conv.n);
        let mut dz = vec![0f32; images * image];
        for first in (0..self.s.conv.n).step_by(images) {
            let range = first..self.s.conv.n.min(first + images);
            let dz = &mut dz[..range.len() * image];
            self.spread_out(range.clone(), dz);
            let conv = Conv2d {
                n: range.len(),
                bias: false,
                ..self.s.conv
            };
            each(conv, range, dz);
        }
    }
}

/// The sum, in an order that vectorises.
fn total(values: &[f32]) -> f32 {
    let (groups, rest) = values.as_chunks::<LANES>();
    let mut sums = [0f32; LANES];
    for group in groups {
        sums.iter_mut().zip(group).for_each(|(s, v)| *s += v);
    }
    sums.iter().chain(rest).sum()
}

pub fn weight_grad(s: &Conv2dPool, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
    let &[x, dy, y, index] = inputs else { return };
    let pooled = Pooled::new(s, [dy, y, index]);
    let (dw, db) = match outputs {
        [dw] => (dw, None),
        [dw, db] => (dw, Some(db)),
        _ => return,
    };
    let sparse = s.places() >= SPARSE && s.conv.dilation[1] == 1;
    let sums = match sparse {
        true => gathered(s, x, &pooled, dw),
        false => dense_weight_grad(s, x, &pooled, dw),
    };
    if let Some(db) = db {
        db.copy_from_slice(&sums);
    }
}

/// `dw` by way of `dz`; gives `db`.
fn dense_weight_grad(s: &Conv2dPool, x: &[f32], pooled: &Pooled, dw: &mut [f32]) -> Vec<f32> {
    let image = s.conv.x_len() / s.conv.n;
    let plane = s.conv.y_len() / s.conv.n / s.conv.out_channels;
    let mut db = vec![0f32; s.conv.out_channels];
    dw.fill(0.0);
    let mut part = vec![0f32; dw.len()];
    pooled.in_pieces(|conv, range, dz| {
        let x = &x[range.start * image..range.end * image];
        Conv2dWeightGrad(conv).cpu(&[x, dz], &mut [&mut part]);
        dw.iter_mut().zip(&part).for_each(|(d, p)| *d += p);
        for maps in dz.chunks_exact(plane * db.len()) {
            let maps = maps.chunks_exact(plane);
            db.iter_mut()
                .zip(maps)
                .for_each(|(d, map)| *d += total(map));
        }
    });
    db
}

/// `dw` as sums over winners; gives `db`.
fn gathered(s: &Conv2dPool, x: &[f32], pooled: &Pooled, dw: &mut [f32]) -> Vec<f32> {
    let band = Band::of(s);
    let conv = &s.conv;
    let (kh, [oh, _]) = (conv.kernel[0], s.out());
    let places = band.places();
    let at = Rows {
        step: band.stretch(),
        ..band.patch()
    };
    let each = kh * at.step;
    // Sums of dw, channels innermost, then of db.
    let len = conv.out_channels * (each + 1);
    let rows = conv.n * oh;
    let parts = rows.min(PARTS);
    let mut sums = vec![0f32; parts * len];
    let shared = Disjoint::new(&mut sums);
    for_each(parts, |part| {
        // SAFETY: each part has its own stretch.
        let sums = unsafe { shared.slice(part * len..(part + 1) * len) };
        let (dw, db) = sums.split_at_mut(conv.out_channels * each);
        let mut strip = vec![0f32; band.len(band.rows)];
        let (mut gradients, mut list) = (Vec::new(), Vec::new());
        let mut row = part * rows / parts;
        let end = (part + 1) * rows / parts;
        while row < end {
            // A few rows of one image.
            let (image, first) = (row / oh, row % oh);
            let last = (first + band.rows).min(oh).min(first + end - row);
            for group in 0..conv.groups {
                fill(&band, x, image, group, first..last, &mut strip);
                for o in group * band.outputs..(group + 1) * band.outputs {
                    let map = image * conv.out_channels + o;
                    db[o] +=
                        pooled.list(&band, &places, map, first..last, &mut gradients, &mut list);
                    gather(&list, &strip, band.patch(), &mut dw[o * each..][..each], at);
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
            let (c, p, q) = (k / (kh * kw), k / kw % kh, k % kw);
            *dw = total[o * each + p * at.step + q * band.c + c];
        }
    }
    total[conv.out_channels * each..].to_vec()
}

/// What rows `rows` of the pooled map see of a group's channels of an image.
fn fill(band: &Band, x: &[f32], image: usize, group: usize, rows: Range<usize>, strip: &mut [f32]) {
    let (s, conv) = (band.s, &band.s.conv);
    let plane = conv.h * conv.w;
    let planes = &x[(image * conv.c + group * band.c) * plane..][..band.c * plane];
    let length = band.width * band.c;
    let inside = columns(conv, band.width);
    for (row, strip) in strip
        .chunks_exact_mut(length)
        .take(reach(s, 0, rows.len()))
        .enumerate()
    {
        let y = (rows.start * step(s, 0) + row).wrapping_sub(conv.pad[0][0]);
        if y >= conv.h {
            strip.fill(0.0);
            continue;
        }
        let from = y * conv.w + inside.start.saturating_sub(conv.pad[1][0]);
        strip[..inside.start * band.c].fill(0.0);
        strip[inside.end * band.c..].fill(0.0);
        let inner = &mut strip[inside.start * band.c..inside.end * band.c];
        turn(&planes[from.min(planes.len())..], plane, band.c, inner);
    }
}

/// The columns of a strip that lie in the image.
fn columns(conv: &Conv2d, width: usize) -> Range<usize> {
    let start = conv.pad[1][0].min(width);
    start..(conv.pad[1][0] + conv.w).min(width).max(start)
}

vectorized! {
    /// `to[column, channel] = from[channel · plane + column]`
    fn turn(from: &[f32], plane: usize, channels: usize, to: &mut [f32]) {
        for (block, to) in to.chunks_mut(16 * channels).enumerate() {
            let count = to.len() / channels;
            for channel in 0..channels {
                let from = &from[channel * plane + 16 * block..][..count];
                let slots = to[channel..].iter_mut().step_by(channels);
                slots.zip(from).for_each(|(slot, value)| *slot = *value);
            }
        }
    }

    /// The other way round.
    fn turn_back(from: &[f32], channels: usize, to: &mut [f32], plane: usize) {
        for (block, from) in from.chunks(16 * channels).enumerate() {
            let count = from.len() / channels;
            for channel in 0..channels {
                let to = &mut to[channel * plane + 16 * block..][..count];
                let values = from[channel..].iter().step_by(channels);
                to.iter_mut().zip(values).for_each(|(slot, value)| *slot = *value);
            }
        }
    }
}

pub fn input_grad(s: &Conv2dPool, inputs: &[&[f32]], dx: &mut [f32]) {
    let &[dy, y, index, weight] = inputs else {
        return;
    };
    let pooled = Pooled::new(s, [dy, y, index]);
    let conv = &s.conv;
    let image = conv.x_len() / conv.n;
    let band = Band::of(s);
    // Vectors that are not full would spread a NaN beyond its patch.
    let whole = (conv.kernel[1] * band.c).is_multiple_of(LANES);
    if s.places() < SPARSE || conv.dilation[1] != 1 || !whole {
        pooled.in_pieces(|conv, range, dz| {
            let dx = &mut dx[range.start * image..range.end * image];
            Conv2dInputGrad(conv).cpu(&[dz, weight], &mut [dx]);
        });
        return;
    }
    // [o, p, q, c]
    let (kw, taps) = (conv.kernel[1], conv.taps());
    let at = Rows {
        step: band.stretch(),
        ..band.patch()
    };
    let mut turned = vec![0f32; weight.len()];
    for (o, turned) in turned.chunks_exact_mut(taps).enumerate() {
        for (i, slot) in turned.iter_mut().enumerate() {
            let (p, q, c) = (i / (kw * band.c), i / band.c % kw, i % band.c);
            *slot = weight[o * taps + (c * conv.kernel[0] + p) * kw + q];
        }
    }
    let shared = Disjoint::new(dx);
    for_each(conv.n, |n| {
        // SAFETY: each image belongs to one task.
        let dx = unsafe { shared.slice(n * image..(n + 1) * image) };
        spread_image(&band, &pooled, n, &turned, at, dx);
    });
}

/// One image's `dx`: grown in a strip of all its rows, handed on row by row as rows are done.
fn spread_image(band: &Band, pooled: &Pooled, n: usize, weight: &[f32], at: Rows, dx: &mut [f32]) {
    let (s, conv) = (band.s, &band.s.conv);
    let (plane, [oh, _]) = (conv.h * conv.w, s.out());
    let places = band.places();
    let (mut gradients, mut list) = (Vec::new(), Vec::new());
    let length = band.width * band.c;
    let down = step(s, 0);
    let inside = columns(conv, band.width);
    let each = at.rows * at.step;
    dx.fill(0.0);
    for group in 0..conv.groups {
        let dx = &mut dx[group * band.c * plane..][..band.c * plane];
        let mut strip = vec![0f32; band.len(oh)];
        for first in (0..oh).step_by(band.rows) {
            let last = oh.min(first + band.rows);
            let rows = &mut strip[first * down * length..];
            for o in group * band.outputs..(group + 1) * band.outputs {
                let map = n * conv.out_channels + o;
                pooled.list(band, &places, map, first..last, &mut gradients, &mut list);
                spread(&list, rows, band.patch(), &weight[o * each..][..each], at);
            }
            let done = if last == oh {
                reach(s, 0, oh)
            } else {
                last * down
            };
            for row in first * down..done {
                let y = row.wrapping_sub(conv.pad[0][0]);
                if y < conv.h && !inside.is_empty() {
                    let from = &strip[row * length..][inside.start * band.c..inside.end * band.c];
                    let column = inside.start - conv.pad[1][0];
                    turn_back(from, band.c, &mut dx[y * conv.w + column..], plane);
                }
            }
        }
    }
}
