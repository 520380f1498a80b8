//! A stretch of places at a time, all channels of it: few enough numbers that squares and powers stay in the cache, each
//! channel's stretch a vector loop.

use super::LocalResponseNorm;
use crate::cpu::{Disjoint, GRAIN, for_ranges, math};
use crate::vectorized;
use std::ops::Range;

/// Numbers of a stretch over all channels.
const BLOCK: usize = 16 * 1024;

/// Some neighbouring places of an image.
#[derive(Clone, Copy)]
struct Stretch {
    /// Where the first lies in channel 0.
    first: usize,
    width: usize,
}

impl Stretch {
    /// Where channel `c` lies.
    #[inline(always)]
    fn run(self, s: &LocalResponseNorm, c: usize) -> Range<usize> {
        let start = self.first + c * s.plane;
        start..start + self.width
    }

    /// The same among `[c, width]` numbers.
    #[inline(always)]
    fn own(self, c: usize) -> Range<usize> {
        c * self.width..(c + 1) * self.width
    }
}

/// Runs `task(stretch, scratch)` on the stretches of every image.
fn for_stretches(s: &LocalResponseNorm, task: impl Fn(Stretch, &mut [Vec<f32>; 4]) + Sync + Send) {
    let width = (BLOCK / s.c).next_multiple_of(16).min(s.plane);
    let stretches = s.plane.div_ceil(width);
    for_ranges(s.n * stretches, GRAIN / (width * s.c), |range| {
        let mut scratch = [const { Vec::new() }; 4];
        for i in range {
            let (image, place) = (i / stretches, i % stretches * width);
            let first = image * s.c * s.plane + place;
            let width = width.min(s.plane - place);
            let lens = [width, width * s.c, width * s.c, width * s.c];
            for (scratch, len) in scratch.iter_mut().zip(lens) {
                scratch.resize(len, 0.0);
            }
            task(Stretch { first, width }, &mut scratch);
        }
    });
}

pub fn local_response_norm(s: &LocalResponseNorm, x: &[f32], y: &mut [f32]) {
    let y = Disjoint::new(y);
    for_stretches(s, |stretch, scratch| forward(s, stretch, x, &y, scratch));
}

pub fn local_response_norm_grad(s: &LocalResponseNorm, x: &[f32], dy: &[f32], dx: &mut [f32]) {
    let dx = Disjoint::new(dx);
    for_stretches(s, |stretch, scratch| {
        backward(s, stretch, [x, dy], &dx, scratch)
    });
}

vectorized! {
    /// One stretch of `y`, which belongs to the caller alone.
    fn forward(s: &LocalResponseNorm, stretch: Stretch, x: &[f32], y: &Disjoint, scratch: &mut [Vec<f32>; 4]) {
        let [sum, squares, ..] = scratch;
        let (k, factor, beta) = (s.k as f32, (s.alpha / s.size as f64) as f32, s.beta as f32);
        square_all(s, stretch, x, squares);
        for c in 0..s.c {
            add_rows(squares, s.neighbours(c), sum);
            // SAFETY: every stretch belongs to one task.
            let y = unsafe { y.slice(stretch.run(s, c)) };
            for ((y, x), sum) in y.iter_mut().zip(&x[stretch.run(s, c)]).zip(&*sum) {
                *y = x * power(k + factor * sum, beta);
            }
        }
    }

    /// One stretch of `dx`, which belongs to the caller alone.
    fn backward(s: &LocalResponseNorm, stretch: Stretch, inputs: [&[f32]; 2], dx: &Disjoint, scratch: &mut [Vec<f32>; 4]) {
        let [sum, squares, powers, shares] = scratch;
        let [x, dy] = inputs;
        let (k, factor, beta) = (s.k as f32, (s.alpha / s.size as f64) as f32, s.beta as f32);
        square_all(s, stretch, x, squares);
        // What each channel takes from its neighbours: dy · x · s^(-beta - 1).
        for c in 0..s.c {
            add_rows(squares, s.neighbours(c), sum);
            let inputs = x[stretch.run(s, c)].iter().zip(&dy[stretch.run(s, c)]);
            let outputs = powers[stretch.own(c)].iter_mut().zip(&mut shares[stretch.own(c)]);
            for (((p, share), sum), (x, dy)) in outputs.zip(&*sum).zip(inputs) {
                let s = k + factor * sum;
                *p = power(s, beta);
                *share = dy * (x * (*p / s));
            }
        }
        let back = (2.0 * s.alpha * s.beta / s.size as f64) as f32;
        for c in 0..s.c {
            add_rows(shares, s.holders(c), sum);
            // SAFETY: every stretch belongs to one task.
            let dx = unsafe { dx.slice(stretch.run(s, c)) };
            let inputs = x[stretch.run(s, c)].iter().zip(&dy[stretch.run(s, c)]);
            let sums = powers[stretch.own(c)].iter().zip(&*sum);
            for ((dx, (x, dy)), (p, sum)) in dx.iter_mut().zip(inputs).zip(sums) {
                *dx = dy * p - back * x * sum;
            }
        }
    }
}

#[inline(always)]
fn square_all(s: &LocalResponseNorm, stretch: Stretch, x: &[f32], squares: &mut [f32]) {
    for c in 0..s.c {
        let x = &x[stretch.run(s, c)];
        squares[stretch.own(c)]
            .iter_mut()
            .zip(x)
            .for_each(|(s, x)| *s = x * x);
    }
}

/// `sum` = these rows added up.
#[inline(always)]
fn add_rows(rows: &[f32], range: Range<usize>, sum: &mut [f32]) {
    let width = sum.len();
    sum.copy_from_slice(&rows[range.start * width..][..width]);
    for row in range.skip(1) {
        let row = &rows[row * width..][..width];
        sum.iter_mut().zip(row).for_each(|(s, r)| *s += r);
    }
}

/// `s^-beta`, for `s` above 0.
#[inline(always)]
fn power(s: f32, beta: f32) -> f32 {
    math::exp(-beta * math::ln(s))
}
