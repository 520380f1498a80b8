//! Forward: conv2d's strips, which pool on their way out. Backward: sums over the winners (`sparse.rs`).
//!
//! Where the sparse way does not serve (dilation along the row, channels that do not fill vectors), or the windows are so
//! small that little is left out, `dz` is spread out for a few images at a time and conv2d's gradients do the rest.

use super::Conv2dPool;
use super::sparse::{self, total};
use crate::conv2d::patches::Images;
use crate::conv2d::strips::{Maps, Strips};
use crate::conv2d::{Conv2d, Conv2dInputGrad, Conv2dWeightGrad};
use crate::cpu::gemm::Strided;
use crate::cpu::{Disjoint, GRAIN, for_ranges};
use crate::kernel::{Kernel, words};
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

/// Floats of `dz` that are spread out at a time.
const SPREAD: usize = 4 << 20;

/// The pooled gradients: what came, the output, and which places have won.
#[derive(Clone, Copy)]
pub struct Pooled<'a> {
    pub s: &'a Conv2dPool,
    dy: &'a [f32],
    y: &'a [f32],
    pub index: &'a [u32],
}

impl<'a> Pooled<'a> {
    fn new(s: &'a Conv2dPool, [dy, y, index]: [&'a [f32]; 3]) -> Self {
        let index = words(index);
        Pooled { s, dy, y, index }
    }

    /// `dz` of a part of the pooled map.
    pub fn before(&self, part: Range<usize>, dz: &mut [f32]) {
        let (y, dy) = (&self.y[part.clone()], &self.dy[part]);
        dz.copy_from_slice(dy);
        self.s.conv.activation.apply_grad(y, dz);
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
                self.before(part.clone(), &mut gradients);
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

pub fn weight_grad(s: &Conv2dPool, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
    let &[x, dy, y, index] = inputs else { return };
    let pooled = Pooled::new(s, [dy, y, index]);
    let (dw, db) = match outputs {
        [dw] => (dw, None),
        [dw, db] => (dw, Some(db)),
        _ => return,
    };
    let sums = match s.places() >= SPARSE && sparse::gathers(s) {
        true => sparse::weight_grad(&pooled, x, dw),
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

pub fn input_grad(s: &Conv2dPool, inputs: &[&[f32]], dx: &mut [f32]) {
    let &[dy, y, index, weight] = inputs else {
        return;
    };
    let pooled = Pooled::new(s, [dy, y, index]);
    if s.places() >= SPARSE && sparse::spreads(s) {
        return sparse::input_grad(&pooled, weight, dx);
    }
    let image = s.conv.x_len() / s.conv.n;
    pooled.in_pieces(|conv, range, dz| {
        let dx = &mut dx[range.start * image..range.end * image];
        Conv2dInputGrad(conv).cpu(&[dz, weight], &mut [dx]);
    });
}
