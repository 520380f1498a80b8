//! A stretch of places at a time, all channels of it: few enough numbers that squares and powers stay in the first-level
//! cache, each channel's stretch a vector loop.

use super::LocalResponseNorm;
use crate::cpu::{Disjoint, GRAIN, for_ranges, math};
use crate::vectorized;
use std::ops::Range;

/// Numbers of a stretch over all channels.
const BLOCK: usize = 4096;

/// Runs `task(first, width)` on the stretches of every image: the first number of channel 0, and how many there are.
fn for_stretches(s: &LocalResponseNorm, task: impl Fn(usize, usize) + Sync + Send) {
    let width = (BLOCK / s.c)
        .next_multiple_of(16)
        .clamp(16, s.plane.max(16));
    let stretches = s.plane.div_ceil(width);
    for_ranges(s.n * stretches, GRAIN / (width * s.c), |range| {
        for i in range {
            let (image, first) = (i / stretches, i % stretches * width);
            let width = width.min(s.plane - first);
            task(image * s.c * s.plane + first, width);
        }
    });
}

/// Where channel `c` of a stretch lies.
fn run(s: &LocalResponseNorm, first: usize, width: usize, c: usize) -> Range<usize> {
    first + c * s.plane..first + c * s.plane + width
}

pub fn local_response_norm(s: &LocalResponseNorm, x: &[f32], y: &mut [f32]) {
    let y = Disjoint::new(y);
    let factor = (s.alpha / s.size as f64) as f32;
    for_stretches(s, |first, width| {
        let mut squares = vec![0.0; s.c * width];
        let mut sum = vec![0.0; width];
        for c in 0..s.c {
            square(
                &x[run(s, first, width, c)],
                &mut squares[c * width..][..width],
            );
        }
        for c in 0..s.c {
            add_rows(&squares, s.neighbours(c), &mut sum);
            // SAFETY: every stretch belongs to one task.
            let y = unsafe { y.slice(run(s, first, width, c)) };
            divide(
                &x[run(s, first, width, c)],
                &sum,
                [s.k as f32, factor, s.beta as f32],
                y,
            );
        }
    });
}

pub fn local_response_norm_grad(s: &LocalResponseNorm, x: &[f32], dy: &[f32], dx: &mut [f32]) {
    let dx = Disjoint::new(dx);
    let factors = [s.k as f32, (s.alpha / s.size as f64) as f32, s.beta as f32];
    let back = (2.0 * s.alpha * s.beta / s.size as f64) as f32;
    for_stretches(s, |first, width| {
        let len = s.c * width;
        let (mut squares, mut powers, mut shares) =
            (vec![0.0; len], vec![0.0; len], vec![0.0; len]);
        let mut sum = vec![0.0; width];
        for c in 0..s.c {
            square(
                &x[run(s, first, width, c)],
                &mut squares[c * width..][..width],
            );
        }
        for c in 0..s.c {
            add_rows(&squares, s.neighbours(c), &mut sum);
            let (run, own) = (run(s, first, width, c), c * width..(c + 1) * width);
            share(
                &x[run.clone()],
                &dy[run],
                &sum,
                factors,
                &mut powers[own.clone()],
                &mut shares[own],
            );
        }
        for c in 0..s.c {
            add_rows(&shares, s.holders(c), &mut sum);
            let run = run(s, first, width, c);
            // SAFETY: every stretch belongs to one task.
            let dx = unsafe { dx.slice(run.clone()) };
            join(
                &x[run.clone()],
                &dy[run],
                &powers[c * width..][..width],
                &sum,
                back,
                dx,
            );
        }
    });
}

vectorized! {
    fn square(x: &[f32], squares: &mut [f32]) {
        squares.iter_mut().zip(x).for_each(|(s, x)| *s = x * x);
    }

    /// `sum` = these rows added up.
    fn add_rows(rows: &[f32], range: Range<usize>, sum: &mut [f32]) {
        let width = sum.len();
        sum.copy_from_slice(&rows[range.start * width..][..width]);
        for row in range.skip(1) {
            sum.iter_mut().zip(&rows[row * width..][..width]).for_each(|(s, r)| *s += r);
        }
    }

    /// `y = x / (k + factor · sum)^beta`
    fn divide(x: &[f32], sum: &[f32], factors: [f32; 3], y: &mut [f32]) {
        let [k, factor, beta] = factors;
        for ((y, x), sum) in y.iter_mut().zip(x).zip(sum) {
            *y = x * power(k + factor * sum, beta);
        }
    }

    /// `power = s^-beta` and `share = dy · x · s^(-beta - 1)`, with `s = k + factor · sum`
    fn share(x: &[f32], dy: &[f32], sum: &[f32], factors: [f32; 3], powers: &mut [f32], shares: &mut [f32]) {
        let [k, factor, beta] = factors;
        let outputs = powers.iter_mut().zip(shares);
        for ((outputs, sum), (x, dy)) in outputs.zip(sum).zip(x.iter().zip(dy)) {
            let s = k + factor * sum;
            let power = power(s, beta);
            *outputs.0 = power;
            *outputs.1 = dy * (x * (power / s));
        }
    }

    /// `dx = dy · power - back · x · sum`
    fn join(x: &[f32], dy: &[f32], powers: &[f32], sum: &[f32], back: f32, dx: &mut [f32]) {
        let (inputs, outputs) = (x.iter().zip(dy), dx.iter_mut().zip(powers));
        for (((dx, power), sum), (x, dy)) in outputs.zip(sum).zip(inputs) {
            *dx = dy * power - back * x * sum;
        }
    }
}

/// `s^-beta`, for `s` above 0.
#[inline(always)]
fn power(s: f32, beta: f32) -> f32 {
    math::exp(-beta * math::ln(s))
}
