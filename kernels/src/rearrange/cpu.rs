//! Row by row of y where its rows are rows of x too; else in blocks, so that whole cache lines are read and written.

use super::walk::{Axis, Place, Walk};
use crate::cpu::{Disjoint, GRAIN, for_ranges};
use std::ops::Range;

pub fn rearrange(walk: &Walk, x: &[f32], y: &mut [f32]) {
    let y = Disjoint::new(y);
    match walk.tall() {
        None => rows(walk, x, &y),
        Some(tall) => blocks(walk, tall, x, &y),
    }
}

fn rows(walk: &Walk, x: &[f32], y: &Disjoint) {
    let (row, outer) = (walk.row(), &walk.axes[..walk.axes.len() - 1]);
    let count = walk.elements() / row.len;
    if count == 1 {
        // One long row, in pieces.
        return for_ranges(row.len, GRAIN, |part| {
            let piece = Axis {
                len: part.len(),
                low: row.low.clamp(part.start, part.end) - part.start,
                high: row.high.clamp(part.start, part.end) - part.start,
                ..row
            };
            // SAFETY: every piece belongs to one task.
            let out = unsafe { y.slice(walk.y + part.start..walk.y + part.end) };
            // The outer loops are of one step, and may yet have nothing of x.
            let place = Place::at(outer, 0, walk.x, walk.y);
            let from = place.x + (part.start * row.x_stride) as i64;
            copy(piece, place.is_inside(), x, from, out, walk.fill);
        });
    }
    for_ranges(count, GRAIN / row.len, |range| {
        let mut place = Place::at(outer, range.start, walk.x, walk.y);
        for _ in range {
            // SAFETY: every row belongs to one task.
            let out = unsafe { y.slice(place.y..place.y + row.len) };
            copy(row, place.is_inside(), x, place.x, out, walk.fill);
            place.step();
        }
    });
}

/// One row, whose first element would be `x[from]`.
#[inline]
fn copy(row: Axis, inside: bool, x: &[f32], from: i64, out: &mut [f32], fill: f32) {
    let (low, high) = if inside { (row.low, row.high) } else { (0, 0) };
    out[..low].fill(fill);
    out[high..].fill(fill);
    if low == high {
        return;
    }
    let source = &x[(from + (low * row.x_stride) as i64) as usize..];
    let out = &mut out[low..high];
    match row.x_stride {
        1 => out.copy_from_slice(&source[..out.len()]),
        stride => (out.iter_mut().zip(source.iter().step_by(stride))).for_each(|(o, v)| *o = *v),
    }
}

/// Elements of a cache line.
const LINE: usize = 16;

/// Rows of y that are written side by side, so that neighbours in x are read together.
const BAND: usize = 256;

/// y's rows run across x's: where a row of y goes along, a stride of x is taken, and the neighbours in x lie in the
/// rows of the loop `tall`.
fn blocks(walk: &Walk, tall: usize, x: &[f32], y: &Disjoint) {
    let (row, mut outer) = (walk.row(), walk.axes.clone());
    outer.pop();
    let tall = outer.remove(tall);
    let bands = tall.len.div_ceil(BAND);
    let tasks = walk.elements() / (tall.len * row.len) * bands;
    for_ranges(tasks, GRAIN / (BAND.min(tall.len) * row.len), |range| {
        for task in range {
            let plane = Place::at(&outer, task / bands, walk.x, walk.y);
            let first = task % bands * BAND;
            let rows = first..tall.len.min(first + BAND);
            let inside = match plane.is_inside() && row.low < row.high {
                true => rows.start.max(tall.low)..rows.end.min(tall.high),
                false => 0..0,
            };
            let at = |r: usize| plane.y + r * tall.y_stride;
            if inside != rows || !row.is_full() {
                for r in rows {
                    // SAFETY: every row belongs to one task.
                    let out = unsafe { y.slice(at(r)..at(r) + row.len) };
                    let known = if inside.contains(&r) {
                        row.low..row.high
                    } else {
                        0..0
                    };
                    out[..known.start].fill(walk.fill);
                    out[known.end..].fill(walk.fill);
                }
            }
            if inside.is_empty() {
                continue;
            }
            let from = plane.x + (inside.start + row.low * row.x_stride) as i64;
            let x = &x[from as usize..];
            // SAFETY: every row belongs to one task.
            let part = |r: usize, columns: Range<usize>| unsafe {
                let at = at(inside.start + r) + row.low;
                y.slice(at + columns.start..at + columns.end)
            };
            transpose(x, row.x_stride, [inside.len(), row.high - row.low], part);
        }
    });
}

/// `out(r)[c] = x[r + c·stride]`, where `out` gives columns of a row.
fn transpose<'a>(
    x: &[f32],
    stride: usize,
    [rows, columns]: [usize; 2],
    out: impl Fn(usize, Range<usize>) -> &'a mut [f32],
) {
    let (fours, whole) = (rows / 4 * 4, columns / LINE * LINE);
    // Long reads first: strided ones wait for memory one by one, and strides of a power of two share few cache lines.
    let mut block = [[0f32; BAND]; LINE];
    for column in (0..whole).step_by(LINE) {
        for (c, block) in block.iter_mut().enumerate() {
            block[..fours].copy_from_slice(&x[(column + c) * stride..][..fours]);
        }
        for row in (0..fours).step_by(4) {
            let lines: [&mut [f32; LINE]; 4] = std::array::from_fn(|r| {
                let line = out(row + r, column..column + LINE);
                line.try_into().expect("a line")
            });
            // 4 × 4 elements change places in registers.
            for (k, block) in block.as_chunks::<4>().0.iter().enumerate() {
                let tile: [[f32; 4]; 4] =
                    std::array::from_fn(|c| *block[c][row..].first_chunk().expect("four rows"));
                for r in 0..4 {
                    for c in 0..4 {
                        lines[r][4 * k + c] = tile[c][r];
                    }
                }
            }
        }
    }
    // What is left: columns to the right, and up to three rows below.
    let strided = |row: usize, columns: Range<usize>| {
        let from = x[row + columns.start * stride..].iter().step_by(stride);
        (out(row, columns).iter_mut().zip(from)).for_each(|(o, v)| *o = *v);
    };
    if whole < columns {
        (0..fours).for_each(|row| strided(row, whole..columns));
    }
    (fours..rows).for_each(|row| strided(row, 0..columns));
}
