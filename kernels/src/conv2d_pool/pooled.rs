//! The pooled gradients, and what they are before pooling.

use super::Conv2dPool;
use crate::conv2d::Conv2d;
use crate::cpu::{Disjoint, GRAIN, for_ranges};
use crate::kernel::words;
use std::ops::Range;

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
    pub fn new(s: &'a Conv2dPool, [dy, y, index]: [&'a [f32]; 3]) -> Self {
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
    pub fn spread_out(&self, images: Range<usize>, dz: &mut [f32]) {
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
    pub fn in_pieces(&self, mut each: impl FnMut(Conv2d, Range<usize>, &[f32])) {
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
