//! The axis is cut into pieces and wide rows into blocks, each a task; pieces are joined in order afterwards. All
//! cuts depend on the shape alone: the result is the same for any number of threads.
//!
//! Inside a task elements are taken in the order of memory. Narrow rows (`inner` below [`LANES`]) are taken several
//! at a time, so that the loop runs over a full set of independent sums however narrow they are. A sum grows in f32
//! over a piece only (at most some hundred additions); lanes and pieces are joined in f64.

use super::{Reduce, ReduceOp};
use crate::cpu::{Disjoint, GRAIN, for_ranges};
use crate::kernel::words_mut;
use crate::vectorized;

/// Independent partial results of narrow rows.
const LANES: usize = 64;

/// Rows of a piece, where they are wide.
const ROWS: usize = 256;

/// Columns of a block, where rows are wide.
const COLUMNS: usize = 4096;

/// How a reduction is cut into tasks.
struct Cuts {
    /// Rows of a piece.
    rows: usize,
    /// Pieces of the axis.
    pieces: usize,
    /// Blocks of a row.
    blocks: usize,
}

impl Cuts {
    fn of(s: &Reduce) -> Self {
        let rows = (GRAIN / s.inner).max(ROWS).min(s.axis);
        Cuts {
            rows,
            pieces: s.axis.div_ceil(rows),
            blocks: s.inner.div_ceil(COLUMNS),
        }
    }
}

pub fn reduce(s: &Reduce, x: &[f32], y: &mut [f32]) {
    let cuts = Cuts::of(s);
    match s.op {
        ReduceOp::Sum | ReduceOp::Mean => {
            let divisor = if s.op == ReduceOp::Mean { s.axis } else { 1 };
            partials(s, &cuts, x, sums, y, |parts| {
                (parts.map(f64::from).sum::<f64>() / divisor as f64) as f32
            });
        }
        ReduceOp::Max => partials(s, &cuts, x, maxima, y, |parts| {
            parts.fold(f32::NEG_INFINITY, greater)
        }),
        ReduceOp::ArgMax => positions(s, &cuts, x, words_mut(y)),
    }
}

/// One task: `values[i] = op over the rows of x[row, i]`, for rows `stride` apart that are as wide as `values`.
type Part = fn(x: &[f32], stride: usize, values: &mut [f32]);

/// Runs `task(x, stride, place)` for every block of every piece; `place` is where its results lie in
/// `[outer, pieces, inner]`.
fn for_parts<'a>(
    s: &Reduce,
    cuts: &Cuts,
    x: &'a [f32],
    task: impl Fn(&'a [f32], usize, std::ops::Range<usize>) + Sync + Send,
) {
    let count = s.outer * cuts.pieces * cuts.blocks;
    let cost = cuts.rows * s.inner.min(COLUMNS);
    for_ranges(count, GRAIN / cost, |parts| {
        for part in parts {
            let (piece, block) = (part / cuts.blocks, part % cuts.blocks);
            let (outer, first) = (piece / cuts.pieces, piece % cuts.pieces * cuts.rows);
            let rows = cuts.rows.min(s.axis - first);
            let from = block * COLUMNS;
            let to = s.inner.min(from + COLUMNS);
            let start = (outer * s.axis + first) * s.inner;
            let slab = &x[start + from..start + (rows - 1) * s.inner + to];
            task(slab, s.inner, piece * s.inner + from..piece * s.inner + to);
        }
    });
}

/// Reduces every piece with `part`, then joins the pieces of each output.
fn partials(
    s: &Reduce,
    cuts: &Cuts,
    x: &[f32],
    part: Part,
    y: &mut [f32],
    join: impl Fn(&mut dyn Iterator<Item = f32>) -> f32 + Sync + Send,
) {
    let mut scratch = Vec::new();
    let values: &mut [f32] = if cuts.pieces == 1 {
        y
    } else {
        scratch.resize(s.outer * cuts.pieces * s.inner, 0.0);
        &mut scratch
    };
    let shared = Disjoint::new(values);
    for_parts(s, cuts, x, |slab, stride, place| {
        // SAFETY: every part has its own place.
        part(slab, stride, unsafe { shared.slice(place) });
    });
    if cuts.pieces == 1 {
        if s.op == ReduceOp::Mean {
            let axis = s.axis as f32;
            y.iter_mut().for_each(|v| *v /= axis);
        }
        return;
    }
    let slab = cuts.pieces * s.inner;
    for (values, y) in scratch.chunks(slab).zip(y.chunks_mut(s.inner)) {
        for (inner, y) in y.iter_mut().enumerate() {
            *y = join(&mut values[inner..].iter().step_by(s.inner).copied());
        }
    }
}

/// The greater of two; a NaN is greater than all.
#[inline(always)]
fn greater(a: f32, b: f32) -> f32 {
    if (b > a) | b.is_nan() { b } else { a }
}

/// Lanes for narrow rows: whole rows, as many as fit.
#[inline(always)]
fn lanes(width: usize) -> usize {
    LANES / width * width
}

/// Folds rows into `values`: wide ones one below the other, narrow ones several side by side.
#[inline(always)]
fn fold_rows(
    x: &[f32],
    stride: usize,
    values: &mut [f32],
    start: f32,
    step: impl Fn(f32, f32) -> f32 + Copy,
    join: impl Fn(&mut dyn Iterator<Item = f32>) -> f32,
) {
    let width = values.len();
    if width >= LANES || width < stride {
        values.fill(start);
        for row in x.chunks(stride) {
            values
                .iter_mut()
                .zip(row)
                .for_each(|(v, x)| *v = step(*v, *x));
        }
        return;
    }
    // Narrow rows that are no block of wider ones follow each other without gaps.
    let mut acc = [start; LANES];
    if lanes(width) == LANES {
        let (chunks, rest) = x.as_chunks::<LANES>();
        for chunk in chunks {
            for lane in 0..LANES {
                acc[lane] = step(acc[lane], chunk[lane]);
            }
        }
        acc.iter_mut()
            .zip(rest)
            .for_each(|(a, x)| *a = step(*a, *x));
    } else {
        for chunk in x.chunks(lanes(width)) {
            acc.iter_mut()
                .zip(chunk)
                .for_each(|(a, x)| *a = step(*a, *x));
        }
    }
    let acc = &acc[..lanes(width)];
    for (inner, value) in values.iter_mut().enumerate() {
        *value = join(&mut acc[inner..].iter().step_by(width).copied());
    }
}

vectorized! {
    fn sums(x: &[f32], stride: usize, values: &mut [f32]) {
        fold_rows(x, stride, values, 0.0, |a, b| a + b, |lanes| {
            lanes.map(f64::from).sum::<f64>() as f32
        });
    }

    fn maxima(x: &[f32], stride: usize, values: &mut [f32]) {
        fold_rows(x, stride, values, f32::NEG_INFINITY, greater, |lanes| {
            lanes.fold(f32::NEG_INFINITY, greater)
        });
    }

    /// [`maxima`] with the rows they stand in.
    fn maxima_at(x: &[f32], stride: usize, values: &mut [f32], rows: &mut [u32]) {
        let width = values.len();
        if width >= LANES || width < stride {
            values.copy_from_slice(&x[..width]);
            rows.fill(0);
            for (number, row) in x.chunks(stride).enumerate() {
                later_wins(values, rows, row, |_| number as u32);
            }
            return;
        }
        let side = LANES / width;
        let count = lanes(width).min(x.len());
        let (mut best, mut at) = ([0f32; LANES], [0u32; LANES]);
        let own: [u32; LANES] = std::array::from_fn(|lane| (lane / width) as u32);
        best[..count].copy_from_slice(&x[..count]);
        at.copy_from_slice(&own);
        for (number, chunk) in x.chunks(lanes(width)).enumerate() {
            let first = (number * side) as u32;
            later_wins(&mut best, &mut at, chunk, |lane| first + own[lane]);
        }
        for (inner, (value, row)) in values.iter_mut().zip(rows).enumerate() {
            (*value, *row) = (best[inner], at[inner]);
            for lane in (inner + width..count).step_by(width) {
                if beats((best[lane], at[lane]), (*value, *row)) {
                    (*value, *row) = (best[lane], at[lane]);
                }
            }
        }
    }
}

/// Takes over what is greater in `new`.
#[inline(always)]
fn later_wins(best: &mut [f32], at: &mut [u32], new: &[f32], row: impl Fn(usize) -> u32) {
    for (lane, ((best, at), new)) in best.iter_mut().zip(at).zip(new).enumerate() {
        let wins = (*new > *best) | (new.is_nan() & !best.is_nan());
        *best = if wins { *new } else { *best };
        *at = if wins { row(lane) } else { *at };
    }
}

/// Whether one (value, row) is the maximum of two: greater, or equal and earlier.
fn beats((a, a_row): (f32, u32), (b, b_row): (f32, u32)) -> bool {
    match (a.is_nan(), b.is_nan()) {
        (false, false) => a > b || (a == b && a_row < b_row),
        (true, true) => a_row < b_row,
        (a_nan, _) => a_nan,
    }
}

fn positions(s: &Reduce, cuts: &Cuts, x: &[f32], y: &mut [u32]) {
    let mut values = vec![0f32; s.outer * cuts.pieces * s.inner];
    let mut rows = vec![0f32; values.len()];
    let (shared, shared_rows) = (Disjoint::new(&mut values), Disjoint::new(&mut rows));
    for_parts(s, cuts, x, |slab, stride, place| {
        // SAFETY: every part has its own place.
        let (values, rows) = unsafe { (shared.slice(place.clone()), shared_rows.slice(place)) };
        maxima_at(slab, stride, values, words_mut(rows));
    });
    let rows = words_mut(&mut rows);
    for (out, y) in y.iter_mut().enumerate() {
        let (outer, inner) = (out / s.inner, out % s.inner);
        let at = |piece: usize| {
            let place = (outer * cuts.pieces + piece) * s.inner + inner;
            (values[place], rows[place] + (piece * cuts.rows) as u32)
        };
        let mut best = at(0);
        for piece in 1..cuts.pieces {
            if beats(at(piece), best) {
                best = at(piece);
            }
        }
        *y = best.1;
    }
}
