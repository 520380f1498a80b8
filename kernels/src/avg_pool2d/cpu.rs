//! Tiles of common sizes are added up as they lie. Other windows are taken in two steps, down and across: a row of output
//! begins as the sum of the rows that its windows cover, a loop of memory however the windows lie; then neighbours in this
//! one row, which is hot, are added up. The gradient goes the other way, and a row of `dx` that lies in the same windows
//! as the row above is its copy.

use super::AvgPool2d;
use crate::cpu::stream::{self, Runs, Way, fetch_ahead};
use crate::cpu::tiles::Blocks;
use crate::cpu::{Disjoint, GRAIN};
use crate::vectorized;
use std::ops::Range;

/// From this width on each window is added up by itself, with vectors along it instead of across windows.
const WIDE: usize = 16;

/// Rows that are added up before they join the sum: a long sum keeps its digits.
const ROWS: usize = 64;

/// `1 / places` of every window along an axis.
fn weights(s: &AvgPool2d, axis: usize) -> Vec<f32> {
    let windows = 0..s.output()[axis];
    windows
        .map(|o| (s.places(axis, o) as f32).recip())
        .collect()
}

pub fn avg_pool2d(s: &AvgPool2d, x: &[f32], y: &mut [f32]) {
    let [oh, ow] = s.output();
    let (down, across) = (weights(s, 0), weights(s, 1));
    let y = Disjoint::new(y);
    let (count, grain) = (s.n * s.c * oh, GRAIN / (s.kernel[0].min(s.h) * s.w));
    stream::for_ranges(count, grain, count * ow, |rows, way| {
        // SAFETY: every output row belongs to one task.
        let y = unsafe { y.slice(rows.start * ow..rows.end * ow) };
        average(s, x, rows, [&down, &across], &mut Runs::of(y, way));
    });
}

pub fn avg_pool2d_grad(s: &AvgPool2d, dy: &[f32], dx: &mut [f32]) {
    let (down, across) = (weights(s, 0), weights(s, 1));
    let dx = Disjoint::new(dx);
    let count = s.n * s.c * s.h;
    stream::for_ranges(count, GRAIN / s.w, count * s.w, |rows, way| {
        // SAFETY: every row of dx belongs to one task.
        let dx = unsafe { dx.slice(rows.start * s.w..rows.end * s.w) };
        give(s, dy, rows, [&down, &across], way, dx);
    });
}

/// The windows down the plane that hold row `iy`; perhaps none.
fn holders(s: &AvgPool2d, iy: usize) -> Range<usize> {
    let (window, stride) = (s.kernel[0], s.stride[0]);
    let place = iy + s.pad[0][0];
    let first = place
        .checked_sub(window)
        .map_or(0, |past| past / stride + 1);
    let end = (place / stride + 1).min(s.output()[0]);
    first.min(end)..end
}

/// The windows whose column `kx` lies inside the plane, and where the first of them has it.
fn column(s: &AvgPool2d, kx: usize, ow: usize) -> (Range<usize>, usize) {
    let (step, left) = (s.stride[1], s.pad[1][0]);
    let from = left.saturating_sub(kx).div_ceil(step).min(ow);
    let to = (s.w + left).saturating_sub(kx).div_ceil(step).min(ow);
    (from..to.max(from), (from * step + kx).saturating_sub(left))
}

/// Whether windows lie side by side in rows, without padding there.
fn side_by_side(s: &AvgPool2d) -> bool {
    s.stride[1] == s.kernel[1] && s.pad[1] == [0, 0]
}

vectorized! {
    /// Rows of `y`: their tiles' sums; or sums down the windows, then across; times the weights of both axes.
    fn average(s: &AvgPool2d, x: &[f32], rows: Range<usize>, weights: [&[f32]; 2], y: &mut Runs) {
        let ([oh, ow], [down, across]) = (s.output(), weights);
        let (mut sum, mut part) = (vec![0.0; s.w], vec![0.0; s.w]);
        let tiles = side_by_side(s) && s.pad[0] == [0, 0];
        for row in rows {
            let (above, oy) = (row / oh * s.h, row % oh);
            let (Range { start, end }, y) = (s.inside_of(0, oy), y.next(ow));
            let place = [(above + start) * s.w, s.w, ow];
            match s.kernel {
                [1, 2] if tiles => add_tiles::<1, 2>(x, place, y),
                [2, 2] if tiles => add_tiles::<2, 2>(x, place, y),
                [2, 4] if tiles => add_tiles::<2, 4>(x, place, y),
                [4, 2] if tiles => add_tiles::<4, 2>(x, place, y),
                [4, 4] if tiles => add_tiles::<4, 4>(x, place, y),
                _ => {
                    add_rows(&x[(above + start) * s.w..(above + end) * s.w], &mut sum, &mut part);
                    add_neighbours(s, &sum, y);
                }
            }
            scale(y, across, down[oy]);
        }
    }

    /// Rows of `dx`, each from the windows that hold it.
    fn give(s: &AvgPool2d, dy: &[f32], rows: Range<usize>, weights: [&[f32]; 2], way: Way, dx: &mut [f32]) {
        let ([oh, ow], [down, across]) = (s.output(), weights);
        let (mut sum, mut own) = (vec![0.0; ow], vec![0.0; s.w]);
        let mut above: Option<Range<usize>> = None;
        for (row, dx) in rows.zip(dx.chunks_exact_mut(s.w)) {
            let (plane, windows) = (row / s.h, holders(s, row % s.h));
            let windows = plane * oh + windows.start..plane * oh + windows.end;
            if above.as_ref() != Some(&windows) {
                sum.fill(0.0);
                for window in windows.clone() {
                    add_scaled(&mut sum, &dy[window * ow..][..ow], down[window % oh]);
                }
                scale(&mut sum, across, 1.0);
                spread(s, &sum, &mut own);
                above = Some(windows);
            }
            way.copy(&own, dx);
        }
    }
}

/// `sum` = all rows of `x` added up, a block of them at a time, by way of `part`.
#[inline(always)]
fn add_rows(x: &[f32], sum: &mut [f32], part: &mut [f32]) {
    let width = sum.len();
    let mut blocks = x.chunks(ROWS * width);
    add_block(blocks.next().unwrap_or(&[]), sum);
    for block in blocks {
        add_block(block, part);
        sum.iter_mut().zip(&*part).for_each(|(s, p)| *s += p);
    }
}

/// `y` = the sum over each window's stretch of `sum`.
#[inline(always)]
fn add_neighbours(s: &AvgPool2d, sum: &[f32], y: &mut [f32]) {
    match s.kernel[1] {
        1 if s.stride[1] == 1 && y.len() == sum.len() => y.copy_from_slice(sum),
        2 if side_by_side(s) => add_groups::<2>(sum, y),
        3 if side_by_side(s) => add_groups::<3>(sum, y),
        4 if side_by_side(s) => add_groups::<4>(sum, y),
        width if width < WIDE => {
            y.fill(0.0);
            for kx in 0..width {
                let (windows, first) = column(s, kx, y.len());
                let (y, taps) = (&mut y[windows], &sum[first.min(sum.len())..]);
                match s.stride[1] {
                    1 => add_taps::<1>(taps, y),
                    2 => add_taps::<2>(taps, y),
                    3 => add_taps::<3>(taps, y),
                    step => y
                        .iter_mut()
                        .zip(taps.iter().step_by(step))
                        .for_each(|(y, t)| *y += t),
                }
            }
        }
        _ => {
            for (ox, y) in y.iter_mut().enumerate() {
                *y = total(&sum[s.inside_of(1, ox)]);
            }
        }
    }
}

/// `dx` = what each place gets from the windows that hold it: [`add_neighbours`] the other way.
#[inline(always)]
fn spread(s: &AvgPool2d, windows: &[f32], dx: &mut [f32]) {
    match s.kernel[1] {
        2 if side_by_side(s) => spread_tiles::<2>(windows, dx),
        3 if side_by_side(s) => spread_tiles::<3>(windows, dx),
        4 if side_by_side(s) => spread_tiles::<4>(windows, dx),
        width if width < WIDE => {
            dx.fill(0.0);
            for kx in 0..width {
                let (range, first) = column(s, kx, windows.len());
                let first = first.min(dx.len());
                let (windows, taps) = (&windows[range], &mut dx[first..]);
                match s.stride[1] {
                    1 => taps.iter_mut().zip(windows).for_each(|(t, w)| *t += w),
                    step => taps
                        .iter_mut()
                        .step_by(step)
                        .zip(windows)
                        .for_each(|(t, w)| *t += w),
                }
            }
        }
        _ => {
            dx.fill(0.0);
            for (ox, window) in windows.iter().enumerate() {
                dx[s.inside_of(1, ox)].iter_mut().for_each(|d| *d += window);
            }
        }
    }
}

/// `y *= across · down`
#[inline(always)]
fn scale(y: &mut [f32], across: &[f32], down: f32) {
    y.iter_mut().zip(across).for_each(|(y, a)| *y *= a * down);
}

/// `sum += row · factor`
#[inline(always)]
fn add_scaled(sum: &mut [f32], row: &[f32], factor: f32) {
    sum.iter_mut().zip(row).for_each(|(s, r)| *s += r * factor);
}

/// `sum` = the rows of `x` added up.
#[inline(always)]
fn add_block(x: &[f32], sum: &mut [f32]) {
    let width = sum.len();
    let (first, rest) = x.split_at(width);
    match rest.len() / width {
        1 => {
            sum.iter_mut()
                .zip(first)
                .zip(rest)
                .for_each(|((s, a), b)| *s = a + b);
            fetch_ahead(x, 0, x.len());
        }
        _ => {
            sum.copy_from_slice(first);
            fetch_ahead(first, 0, first.len());
            for row in rest.chunks_exact(width) {
                sum.iter_mut().zip(row).for_each(|(s, r)| *s += r);
                fetch_ahead(row, 0, row.len());
            }
        }
    }
}

/// `y` = the sum of each tile; see [`Blocks`].
#[inline(always)]
fn add_tiles<const KY: usize, const KX: usize>(x: &[f32], tiles: [usize; 3], y: &mut [f32]) {
    match y.len() {
        16.. => add_blocks::<16, KY, KX>(x, tiles, y),
        8.. => add_blocks::<8, KY, KX>(x, tiles, y),
        _ => add_blocks::<1, KY, KX>(x, tiles, y),
    }
}

#[inline(always)]
fn add_blocks<const N: usize, const KY: usize, const KX: usize>(
    x: &[f32],
    tiles: [usize; 3],
    y: &mut [f32],
) {
    for (start, rows) in Blocks::<N, KY, KX>::of(x, tiles) {
        let y = &mut y[start..start + N];
        for ox in 0..N {
            let mut sum = 0.0;
            for ky in 0..KY {
                for kx in 0..KX {
                    sum += rows[ky][ox][kx];
                }
            }
            y[ox] = sum;
        }
    }
}

/// `y` = the sum of every `K` neighbours.
#[inline(always)]
fn add_groups<const K: usize>(sum: &[f32], y: &mut [f32]) {
    let groups = sum.as_chunks::<K>().0;
    y.iter_mut()
        .zip(groups)
        .for_each(|(y, group)| *y = group.iter().sum());
}

#[inline(always)]
fn spread_tiles<const K: usize>(windows: &[f32], dx: &mut [f32]) {
    let (tiles, rest) = dx.split_at_mut(windows.len() * K);
    let tiles = tiles.as_chunks_mut::<K>().0;
    tiles
        .iter_mut()
        .zip(windows)
        .for_each(|(tile, window)| *tile = [*window; K]);
    rest.fill(0.0);
}

/// Adds every `STEP`th of `taps` to `y`.
#[inline(always)]
fn add_taps<const STEP: usize>(taps: &[f32], y: &mut [f32]) {
    let (groups, rest) = taps.as_chunks::<STEP>();
    // The last tap may have no full step behind it.
    let whole = y.len().min(groups.len());
    let (heads, last) = y.split_at_mut(whole);
    heads
        .iter_mut()
        .zip(groups)
        .for_each(|(y, group)| *y += group[0]);
    last.iter_mut().zip(rest).for_each(|(y, tap)| *y += tap);
}

/// The sum of a long stretch.
#[inline(always)]
fn total(x: &[f32]) -> f32 {
    let mut lanes = [0f32; 32];
    for chunk in x.chunks(32) {
        lanes.iter_mut().zip(chunk).for_each(|(l, x)| *l += x);
    }
    lanes.into_iter().map(f64::from).sum::<f64>() as f32
}
