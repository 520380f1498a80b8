//! Short planes, rows among them: a block of channels at a time. Their numbers stand side by side in each image, which is
//! a row of columns; sums are taken column by column, and those of a channel's columns joined.

use super::channel::{Channel, corrected, factors, finite};
use crate::batch_norm::{BatchNorm, BatchNormGrad};
use crate::cpu::{Disjoint, GRAIN, for_ranges};
use crate::vectorized;
use std::ops::Range;

/// Columns of a block, about.
const WIDTH: usize = 1024;

/// Rows that are added up in f32.
const ROWS: usize = 64;

/// Some neighbouring channels.
struct Block<'a> {
    s: &'a BatchNorm,
    channels: Range<usize>,
}

impl Block<'_> {
    fn width(&self) -> usize {
        self.channels.len() * self.s.plane
    }

    /// Where the block lies in an image.
    fn row(&self, image: usize) -> Range<usize> {
        let start = (image * self.s.c + self.channels.start) * self.s.plane;
        start..start + self.width()
    }

    /// Values of the channels, one for each column.
    fn spread<const K: usize>(&self, values: impl Fn(usize) -> [f32; K]) -> [Vec<f32>; K] {
        let mut columns = [const { Vec::new() }; K];
        for channel in self.channels.clone() {
            for (columns, value) in columns.iter_mut().zip(values(channel)) {
                columns.resize(columns.len() + self.s.plane, value);
            }
        }
        columns
    }

    /// Two sums of each channel: `add(row, a, b)` adds a row's terms to the columns' sums.
    fn sums(&self, add: impl Fn(Range<usize>, &mut [f32], &mut [f32])) -> Vec<[f64; 2]> {
        let mut sums = vec![[0f64; 2]; self.channels.len()];
        let (mut a, mut b) = (vec![0f32; self.width()], vec![0f32; self.width()]);
        for first in (0..self.s.n).step_by(ROWS) {
            a.fill(0.0);
            b.fill(0.0);
            for image in first..self.s.n.min(first + ROWS) {
                add(self.row(image), &mut a, &mut b);
            }
            let plane = self.s.plane;
            for ((sums, a), b) in sums.iter_mut().zip(a.chunks(plane)).zip(b.chunks(plane)) {
                sums[0] += a.iter().copied().map(f64::from).sum::<f64>();
                sums[1] += b.iter().copied().map(f64::from).sum::<f64>();
            }
        }
        sums
    }
}

/// Runs `task` on blocks of channels, and keeps its results, two for each channel.
fn for_blocks(
    s: &BatchNorm,
    task: impl Fn(&Block) -> Vec<[f64; 2]> + Sync + Send,
) -> Vec<[f64; 2]> {
    let mut found = vec![[0.0; 2]; s.c];
    let shared = Disjoint::new(&mut found);
    let grain = (WIDTH / s.plane).max(GRAIN / s.count());
    for_ranges(s.c, grain, |channels| {
        let block = Block { s, channels };
        let results = task(&block);
        // SAFETY: every block has its own place.
        unsafe { shared.slice(block.channels) }.copy_from_slice(&results);
    });
    found
}

pub fn forward(
    s: &BatchNorm,
    x: &[f32],
    affine: &[&[f32]],
    given: Option<[&[f32]; 2]>,
    y: &mut [f32],
) -> Vec<[f64; 2]> {
    let y = Disjoint::new(y);
    for_blocks(s, |block| {
        let first = block.channels.start;
        let statistics: Vec<[f64; 2]> = match given {
            Some(given) => {
                let of = |channel: usize| given.map(|values| f64::from(values[channel]));
                block.channels.clone().map(of).collect()
            }
            None => measure(block, x),
        };
        let [mean, scale, bias] =
            block.spread(|channel| factors(s, channel, statistics[channel - first], affine));
        for image in 0..s.n {
            // SAFETY: every block's part of an image is written by one task.
            let y = unsafe { y.slice(block.row(image)) };
            scaled(&x[block.row(image)], &mean, &scale, &bias, y);
            s.activation.apply(y);
        }
        statistics
    })
}

/// Mean and variance of every channel of a block.
fn measure(block: &Block, x: &[f32]) -> Vec<[f64; 2]> {
    let (count, first) = (block.s.count() as f64, block.channels.start);
    let some = |channel: usize| finite(x[channel * block.s.plane]);
    let [near] = block.spread(|channel| [some(channel)]);
    let sums = block.sums(|row, a, _| add_apart(&x[row], &near, a));
    let rough = |channel: usize| {
        let sum = sums[channel - first][0];
        (f64::from(some(channel)) + sum / count) as f32
    };
    let [near] = block.spread(|channel| [rough(channel)]);
    let around = block.sums(|row, a, b| add_squares(&x[row], &near, a, b));
    let channels = block.channels.clone().zip(around);
    channels
        .map(|(channel, around)| {
            let [mean, squares] = corrected(rough(channel), around, count);
            [mean, squares / count]
        })
        .collect()
}

pub fn grad(
    s: &BatchNormGrad,
    x: &[f32],
    dy: &[f32],
    of_channel: impl Fn(usize) -> Channel + Sync + Send,
    dx: &mut [f32],
) -> Vec<[f64; 2]> {
    let dx = Disjoint::new(dx);
    for_blocks(&s.forward, |block| {
        let first = block.channels.start;
        let [mean] = block.spread(|channel| [of_channel(channel).mean]);
        let sums = block.sums(|row, a, b| add_products(&x[row.clone()], &dy[row], &mean, a, b));
        let found = |channel: usize| {
            let [flat, tilted] = sums[channel - first];
            [tilted * f64::from(of_channel(channel).rstd), flat]
        };
        let [flat, tilted, scale] =
            block.spread(|channel| of_channel(channel).factors(s, found(channel)));
        for image in 0..s.forward.n {
            let row = block.row(image);
            // SAFETY: every block's part of an image is written by one task.
            let dx = unsafe { dx.slice(row.clone()) };
            match s.training {
                true => tilt(
                    &x[row.clone()],
                    &dy[row],
                    &mean,
                    [&flat, &tilted, &scale],
                    dx,
                ),
                false => multiplied(&dy[row], &scale, dx),
            }
        }
        block.channels.clone().map(found).collect()
    })
}

vectorized! {
    /// `sum += x - some`
    fn add_apart(x: &[f32], some: &[f32], sum: &mut [f32]) {
        for ((sum, x), some) in sum.iter_mut().zip(x).zip(some) {
            *sum += x - some;
        }
    }

    /// `rest += x - rough`, `squares += (x - rough)²`
    fn add_squares(x: &[f32], rough: &[f32], rest: &mut [f32], squares: &mut [f32]) {
        let sums = rest.iter_mut().zip(squares);
        for (((rest, squares), x), rough) in sums.zip(x).zip(rough) {
            *rest += x - rough;
            *squares += (x - rough) * (x - rough);
        }
    }

    /// `flat += dy`, `tilted += dy · (x - mean)`
    fn add_products(x: &[f32], dy: &[f32], mean: &[f32], flat: &mut [f32], tilted: &mut [f32]) {
        let sums = flat.iter_mut().zip(tilted);
        for (((flat, tilted), mean), (x, dy)) in sums.zip(mean).zip(x.iter().zip(dy)) {
            *flat += dy;
            *tilted += dy * (x - mean);
        }
    }

    /// `y = (x - mean) · scale + bias`
    fn scaled(x: &[f32], mean: &[f32], scale: &[f32], bias: &[f32], y: &mut [f32]) {
        let factors = mean.iter().zip(scale).zip(bias);
        for ((y, x), ((mean, scale), bias)) in y.iter_mut().zip(x).zip(factors) {
            *y = (x - mean) * scale + bias;
        }
    }

    /// `dx = scale · (dy - flat - (x - mean) · tilted)`
    fn tilt(x: &[f32], dy: &[f32], mean: &[f32], factors: [&[f32]; 3], dx: &mut [f32]) {
        let [flat, tilted, scale] = factors;
        let inputs = x.iter().zip(dy).zip(mean);
        let factors = flat.iter().zip(tilted).zip(scale);
        for ((dx, ((x, dy), mean)), ((flat, tilted), scale)) in dx.iter_mut().zip(inputs).zip(factors) {
            *dx = scale * (dy - flat - (x - mean) * tilted);
        }
    }

    /// `dx = dy · scale`
    fn multiplied(dy: &[f32], scale: &[f32], dx: &mut [f32]) {
        for ((dx, dy), scale) in dx.iter_mut().zip(dy).zip(scale) {
            *dx = dy * scale;
        }
    }
}
