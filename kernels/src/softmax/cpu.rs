//! Each row three times while it is hot: maximum, exponentials with their sum, division. Its gradient twice: the sum,
//! then the elements.

use super::Softmax;
use crate::cpu::{Disjoint, GRAIN, for_ranges, math};
use crate::vectorized;

pub fn softmax(s: &Softmax, x: &[f32], y: &mut [f32]) {
    let y = Disjoint::new(y);
    // An exponential is worth some ten additions.
    for_ranges(s.rows, GRAIN / 8 / s.columns, |rows| {
        let part = rows.start * s.columns..rows.end * s.columns;
        // SAFETY: every row belongs to one task.
        let y = unsafe { y.slice(part.clone()) };
        let rows = x[part].chunks_exact(s.columns);
        for (x, y) in rows.zip(y.chunks_exact_mut(s.columns)) {
            let max = maximum(x);
            let sum = exponentials(x, max, y);
            match s.log {
                true => shift(x, max, math::ln(sum), y),
                false => scale(y, sum.recip()),
            }
        }
    });
}

pub fn softmax_grad(s: &Softmax, y: &[f32], dy: &[f32], dx: &mut [f32]) {
    let dx = Disjoint::new(dx);
    for_ranges(s.rows, GRAIN / 4 / s.columns, |rows| {
        let part = rows.start * s.columns..rows.end * s.columns;
        // SAFETY: every row belongs to one task.
        let dx = unsafe { dx.slice(part.clone()) };
        let (y, dy) = (&y[part.clone()], &dy[part]);
        let rows = y.chunks_exact(s.columns).zip(dy.chunks_exact(s.columns));
        for ((y, dy), dx) in rows.zip(dx.chunks_exact_mut(s.columns)) {
            match s.log {
                true => log_gradient(y, dy, dx),
                false => gradient(y, dy, dx),
            }
        }
    });
}

/// Partial results kept side by side, so that the loops vectorise.
const LANES: usize = 32;

vectorized! {
    /// The largest element; NaN if there is one.
    pub fn maximum(row: &[f32]) -> f32 {
        let greater = |m: f32, v: f32| if (v > m) | v.is_nan() { v } else { m };
        let mut lanes = [f32::NEG_INFINITY; LANES];
        for chunk in row.chunks(LANES) {
            lanes.iter_mut().zip(chunk).for_each(|(m, v)| *m = greater(*m, *v));
        }
        lanes.into_iter().fold(f32::NEG_INFINITY, greater)
    }

    /// `out = e^(row - max)`; their sum.
    pub fn exponentials(row: &[f32], max: f32, out: &mut [f32]) -> f32 {
        let mut lanes = [0f32; LANES];
        for (row, out) in row.chunks(LANES).zip(out.chunks_mut(LANES)) {
            out.iter_mut().zip(row).for_each(|(e, v)| *e = math::exp(v - max));
            lanes.iter_mut().zip(out).for_each(|(sum, e)| *sum += *e);
        }
        lanes.into_iter().sum()
    }

    /// `out = row - max - ln_sum`.
    fn shift(row: &[f32], max: f32, ln_sum: f32, out: &mut [f32]) {
        out.iter_mut().zip(row).for_each(|(o, v)| *o = v - max - ln_sum);
    }

    /// `dx = y · (dy - Σ y·dy)`
    fn gradient(y: &[f32], dy: &[f32], dx: &mut [f32]) {
        dx.iter_mut().zip(y).zip(dy).for_each(|((dx, y), dy)| *dx = y * dy);
        let sum = total(dx);
        dx.iter_mut().zip(y).zip(dy).for_each(|((dx, y), dy)| *dx = y * (dy - sum));
    }

    /// `dx = dy - e^y · Σ dy`
    fn log_gradient(y: &[f32], dy: &[f32], dx: &mut [f32]) {
        let sum = total(dy);
        dx.iter_mut().zip(y).zip(dy).for_each(|((dx, y), dy)| *dx = dy - math::exp(*y) * sum);
    }

    fn total(row: &[f32]) -> f32 {
        let mut lanes = [0f32; LANES];
        for chunk in row.chunks(LANES) {
            lanes.iter_mut().zip(chunk).for_each(|(sum, v)| *sum += v);
        }
        lanes.into_iter().sum()
    }

    /// `row *= factor`.
    pub fn scale(row: &mut [f32], factor: f32) {
        row.iter_mut().for_each(|v| *v *= factor);
    }
}
