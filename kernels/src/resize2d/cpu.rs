//! Rows first: the rows that an output row sums are added up as a whole, then its elements are taken from that one row.
//! The gradient is the same with the taps of the other direction.

use super::axis::Taps;
use crate::cpu::{Disjoint, GRAIN, for_ranges};
use crate::vectorized;

/// `y` = sums over `x [planes, rows, columns]` with taps along its rows and columns.
pub fn separable(
    planes: usize,
    [rows, columns]: [usize; 2],
    taps: &[Taps; 2],
    x: &[f32],
    y: &mut [f32],
) {
    let [down, across] = taps;
    let (height, width) = (down.len(), across.len());
    let y = Disjoint::new(y);
    for_ranges(planes * height, GRAIN / (width + columns), |range| {
        // SAFETY: every row belongs to one task.
        let y = unsafe { y.slice(range.start * width..range.end * width) };
        let mut sum = vec![0f32; columns];
        for (number, y) in range.zip(y.chunks_exact_mut(width)) {
            let (plane, row) = (number / height, number % height);
            let first = plane * rows + down.first[row];
            let mut lines = x[first * columns..].chunks_exact(columns);
            let mut weights = down.weights(row).iter();
            if let (Some(line), Some(&weight)) = (lines.next(), weights.next()) {
                scale(&mut sum, line, weight);
            } else {
                // Nobody reads this input.
                sum.fill(0.0);
            }
            for (line, &weight) in lines.zip(weights) {
                add(&mut sum, line, weight);
            }
            for (i, y) in y.iter_mut().enumerate() {
                let from = &sum[across.first[i]..];
                *y = match *across.weights(i) {
                    [a] => a * from[0],
                    [a, b] => a * from[0] + b * from[1],
                    ref weights => from.iter().zip(weights).map(|(v, w)| v * w).sum(),
                };
            }
        }
    });
}

vectorized! {
    fn scale(sum: &mut [f32], line: &[f32], weight: f32) {
        sum.iter_mut().zip(line).for_each(|(s, v)| *s = weight * v);
    }

    fn add(sum: &mut [f32], line: &[f32], weight: f32) {
        sum.iter_mut().zip(line).for_each(|(s, v)| *s += weight * v);
    }
}
