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
            let piece = row.part(&part);
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

/// Columns that a task takes.
const PART: usize = 64 * LINE;

/// y's rows run across x's: where a row of y goes along, a stride of x is taken, and the neighbours in x lie in the
/// rows of the loop `tall`.
fn blocks(walk: &Walk, tall: usize, x: &[f32], y: &Disjoint) {
    let (row, mut outer) = (walk.row(), walk.axes.clone());
    outer.pop();
    let tall = outer.remove(tall);
    let (bands, parts) = (tall.len.div_ceil(BAND), row.len.div_ceil(PART));
    let tasks = walk.elements() / (tall.len * row.len) * bands * parts;
    let work = BAND.min(tall.len) * PART.min(row.len);
    for_ranges(tasks, GRAIN / work, |range| {
        for task in range {
            let (rest, part) = (task / parts, task % parts * PART);
            let (plane, band) = (rest / bands, rest % bands * BAND);
            let mut place = Place::at(&outer, plane, walk.x, walk.y);
            place.x += (band + part * row.x_stride) as i64;
            place.y += band * tall.y_stride + part;
            let rows = tall.part(&(band..tall.len.min(band + BAND)));
            let columns = row.part(&(part..row.len.min(part + PART)));
            block(&place, rows, columns, x, y, walk.fill);
        }
    });
}

/// The rows and columns of one block, which begins at `place`.
fn block(place: &Place, rows: Axis, columns: Axis, x: &[f32], y: &Disjoint, fill: f32) {
    let out = |row: usize, columns: Range<usize>| {
        let at = place.y + row * rows.y_stride;
        // SAFETY: every block belongs to one task, which writes its rows one after the other.
        unsafe { y.slice(at + columns.start..at + columns.end) }
    };
    let (known_rows, known) = match place.is_inside() {
        true => (rows.low..rows.high, columns.low..columns.high),
        false => (0..0, 0..0),
    };
    if known_rows.len() < rows.len || known.len() < columns.len {
        for row in 0..rows.len {
            let known = if known_rows.contains(&row) {
                known.clone()
            } else {
                0..0
            };
            out(row, 0..known.start).fill(fill);
            out(row, known.end..columns.len).fill(fill);
        }
    }
    if !known_rows.is_empty() && !known.is_empty() {
        let stride = columns.x_stride;
        let from = place.x + (known_rows.start + known.start * stride) as i64;
        let size = [known_rows.len(), known.len()];
        transpose(&x[from as usize..], stride, size, |row, columns| {
            out(
                known_rows.start + row,
                known.start + columns.start..known.start + columns.end,
            )
        });
    }
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
