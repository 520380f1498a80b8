//! The blocked matrix product under matmul and conv2d: `C[m, n] = A[m, k] · B[k, n]`.
//!
//! A and B are not matrices in memory but [`Panels`]: things that can copy a strip of themselves into the order that
//! the microkernel reads. A strided matrix is one; so are the patches of an image, which makes
//! convolution a matrix product without the patch matrix ever being written. C is a [`Sink`], which gets finished
//! tiles and may add a bias or an activation while they are hot.
//!
//! The k axis is cut into slabs that fit the first-level cache, columns into blocks whose packed slab fits the second.
//! A is packed once, B by each task for its own columns. Where C is tall and its sums are short (a small weight over many
//! rows), it is the other way round: each task then writes its rows of C in one piece. Where C is too small to feed
//! several threads, k is split into parts that are summed in order at the end. All cuts depend on the shape alone: the
//! result is bit-identical for any number of threads.

use super::microkernel::{MAX_TILE, Microkernel};
use super::transpose::transpose;
use super::{Disjoint, for_each};
use std::cell::RefCell;
use std::ops::Range;

/// One factor of the product, seen from its free index (row of A, column of B).
pub trait Panels: Sync {
    /// Writes `out[p][i] = self[outer + i, k.start + p]` for `i` in `0..width`, `p` in `0..k.len()`.
    /// `count` of the `width` lanes exist; the others become zero.
    fn pack(&self, outer: usize, count: usize, width: usize, k: Range<usize>, out: &mut [f32]);
}

/// What takes C.
pub trait Sink: Sync {
    /// Takes `C[i.., j..]` for the ranges, from a tile of `stride` columns. Each element comes exactly once.
    fn put(&self, i: Range<usize>, j: Range<usize>, tile: &[f32], stride: usize);
}

/// A strided matrix: element `(outer, k)` at `outer * outer_stride + k * k_stride`.
#[derive(Debug, Clone, Copy)]
pub struct Strided<'a> {
    /// All of it.
    pub data: &'a [f32],
    /// Step of the free index.
    pub outer_stride: usize,
    /// Step of the summed index.
    pub k_stride: usize,
}

impl Panels for Strided<'_> {
    fn pack(&self, outer: usize, count: usize, width: usize, k: Range<usize>, out: &mut [f32]) {
        let at = |i: usize, p: usize| (outer + i) * self.outer_stride + p * self.k_stride;
        if count < width {
            out[..k.len() * width].fill(0.0);
        }
        if self.outer_stride == 1 {
            for (p, row) in k.zip(out.chunks_exact_mut(width)) {
                row[..count].copy_from_slice(&self.data[at(0, p)..][..count]);
            }
        } else if self.k_stride == 1 {
            let rows = &self.data[at(0, k.start)..];
            transpose(rows, self.outer_stride, [count, k.len()], out, width);
        } else {
            for (p, row) in k.zip(out.chunks_exact_mut(width)) {
                for (i, slot) in row[..count].iter_mut().enumerate() {
                    *slot = self.data[at(i, p)];
                }
            }
        }
    }
}

/// A row-major C.
pub struct RowMajor<'a> {
    data: Disjoint<'a>,
    columns: usize,
}

impl<'a> RowMajor<'a> {
    /// `data` as rows of `columns`.
    pub fn new(data: &'a mut [f32], columns: usize) -> Self {
        RowMajor {
            data: Disjoint::new(data),
            columns,
        }
    }

    /// A part of a row.
    ///
    /// # Safety
    /// As [`Disjoint::slice`]: in a [`Sink`] every element comes once, to one task.
    #[allow(clippy::mut_from_ref)] // See there.
    pub unsafe fn part(&self, row: usize, j: Range<usize>) -> &mut [f32] {
        let start = row * self.columns;
        // SAFETY: the caller's duty.
        unsafe { self.data.slice(start + j.start..start + j.end) }
    }
}

impl Sink for RowMajor<'_> {
    fn put(&self, i: Range<usize>, j: Range<usize>, tile: &[f32], stride: usize) {
        for (row, values) in i.zip(tile.chunks(stride)) {
            // SAFETY: each element of C comes once, to one task.
            let c = unsafe { self.part(row, j.clone()) };
            c.copy_from_slice(&values[..j.len()]);
        }
    }
}

/// Summed indices in one slab: 8 rows of A and 48 columns of B for it are 57 KB.
const SLAB: usize = 256;

/// Columns of C in one task: their packed slab is 384 KB.
const COLUMNS: usize = 384;

/// Rows of C in one task, a multiple of every tile's: their packed slab is 256 KB.
const ROWS: usize = 256;

/// Tasks that there should be.
const TASKS: usize = 12;

thread_local! {
    static PACKED: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// `c = a · b`.
pub fn gemm(m: usize, n: usize, k: usize, a: &impl Panels, b: &impl Panels, c: &impl Sink) {
    if m == 0 || n == 0 {
        return;
    }
    let kernel = Microkernel::best();
    let parts = parts(m, n, k, kernel);
    if parts == 1 {
        return product(kernel, m, n, 0..k, a, b, c);
    }
    let length = k.div_ceil(parts).next_multiple_of(SLAB);
    let mut sums = vec![0f32; parts * m * n];
    let shared = Disjoint::new(&mut sums);
    for_each(parts, |part| {
        // SAFETY: each part has its own stretch.
        let own = unsafe { shared.slice(part * m * n..(part + 1) * m * n) };
        let range = (part * length).min(k)..((part + 1) * length).min(k);
        product(kernel, m, n, range, a, b, &RowMajor::new(own, n));
    });
    let total = summed(&mut sums, m * n);
    let (rows, columns) = (MAX_TILE / kernel.nr, kernel.nr);
    for i in (0..m).step_by(rows) {
        for j in (0..n).step_by(columns) {
            c.put(
                i..m.min(i + rows),
                j..n.min(j + columns),
                &total[i * n + j..],
                n,
            );
        }
    }
}

/// The sum of parts of `len` side by side, added up in their order into the first.
pub(crate) fn summed(parts: &mut [f32], len: usize) -> &[f32] {
    let (total, rest) = parts.split_at_mut(len);
    for part in rest.chunks_exact(len) {
        total.iter_mut().zip(part).for_each(|(t, p)| *t += p);
    }
    total
}

/// Into how many parts the summed index is cut: more than one where C has few tiles and k is long.
fn parts(m: usize, n: usize, k: usize, kernel: Microkernel) -> usize {
    let tiles = m.div_ceil(kernel.mr) * n.div_ceil(kernel.nr);
    if tiles >= 64 {
        1
    } else {
        (k / (8 * SLAB)).clamp(1, 16)
    }
}

fn product(
    kernel: Microkernel,
    m: usize,
    n: usize,
    k: Range<usize>,
    a: &impl Panels,
    b: &impl Panels,
    c: &impl Sink,
) {
    let (mr, nr) = (kernel.mr, kernel.nr);
    let depth = k.len();
    if m >= 4 * n && depth <= 4 * SLAB {
        return tall(kernel, m, n, k, a, b, c);
    }
    let strips = m.div_ceil(mr);
    let mut packed = vec![0f32; strips * mr * depth];
    let shared = Disjoint::new(&mut packed);
    for_each(strips, |strip| {
        // SAFETY: each strip has its own stretch.
        let own = unsafe { shared.slice(strip * mr * depth..(strip + 1) * mr * depth) };
        a.pack(strip * mr, mr.min(m - strip * mr), mr, k.clone(), own);
    });
    // Tasks of a block of rows and a block of columns: enough of them for the threads, and each so large that what it
    // packs is used often.
    let down = m.div_ceil(ROWS);
    let across = n.div_ceil(COLUMNS).max(TASKS.div_ceil(down));
    let block = n.div_ceil(across).next_multiple_of(nr);
    for_each(down * n.div_ceil(block), |task| {
        let (column, row) = (task / down * block, task % down * ROWS);
        let (rows, columns) = (row..m.min(row + ROWS), column..n.min(column + block));
        PACKED.with_borrow_mut(|scratch| {
            block_of(kernel, rows, columns, k.clone(), &packed, b, c, scratch);
        });
    });
}

/// B packed once; tasks of rows, which pack their own of A.
fn tall(
    kernel: Microkernel,
    m: usize,
    n: usize,
    k: Range<usize>,
    a: &impl Panels,
    b: &impl Panels,
    c: &impl Sink,
) {
    let (mr, nr) = (kernel.mr, kernel.nr);
    let depth = k.len();
    let strips = n.div_ceil(nr);
    let mut packed = vec![0f32; strips * nr * depth];
    let shared = Disjoint::new(&mut packed);
    for_each(strips, |strip| {
        // SAFETY: each strip has its own stretch.
        let own = unsafe { shared.slice(strip * nr * depth..(strip + 1) * nr * depth) };
        b.pack(strip * nr, nr.min(n - strip * nr), nr, k.clone(), own);
    });
    let block = m.div_ceil(16).next_multiple_of(mr).min(16 * mr);
    for_each(m.div_ceil(block), |task| {
        PACKED.with_borrow_mut(|scratch| {
            if scratch.len() < mr * depth {
                scratch.resize(mr * depth, 0.0);
            }
            let scratch = &mut scratch[..mr * depth];
            let mut tile = [0f32; MAX_TILE];
            for first in (task * block..m.min((task + 1) * block)).step_by(mr) {
                let rows = first..m.min(first + mr);
                a.pack(first, rows.len(), mr, k.clone(), scratch);
                for strip in 0..strips {
                    let b = &packed[strip * nr * depth..(strip + 1) * nr * depth];
                    kernel.run(depth, scratch, b, &mut tile);
                    let columns = strip * nr..n.min((strip + 1) * nr);
                    c.put(rows.clone(), columns, &tile, nr);
                }
            }
        });
    });
}

fn block_of(
    kernel: Microkernel,
    rows: Range<usize>,
    columns: Range<usize>,
    k: Range<usize>,
    a: &[f32],
    b: &impl Panels,
    c: &impl Sink,
    scratch: &mut Vec<f32>,
) {
    let (mr, nr) = (kernel.mr, kernel.nr);
    let depth = k.len();
    let strips = columns.len().div_ceil(nr);
    let a = &a[rows.start * depth..];
    let down = rows.len().div_ceil(mr);
    let slabs = depth.div_ceil(SLAB).max(1);
    // Packed B for one slab, then, where there are several slabs, the sums so far.
    let need = strips * nr * SLAB
        + if slabs > 1 {
            down * mr * strips * nr
        } else {
            0
        };
    if scratch.len() < need {
        scratch.resize(need, 0.0);
    }
    let (packed, sums) = scratch.split_at_mut(strips * nr * SLAB);
    let mut tile = [0f32; MAX_TILE];
    for slab in 0..slabs {
        let range = k.start + slab * SLAB..k.end.min(k.start + (slab + 1) * SLAB);
        for (strip, out) in packed.chunks_exact_mut(nr * SLAB).enumerate() {
            let outer = columns.start + strip * nr;
            b.pack(outer, nr.min(columns.end - outer), nr, range.clone(), out);
        }
        for (row, a) in a.chunks_exact(mr * depth.max(1)).take(down).enumerate() {
            let a = &a[mr * (range.start - k.start)..];
            for (strip, b) in packed.chunks_exact(nr * SLAB).enumerate() {
                kernel.run(range.len(), a, b, &mut tile);
                if slabs > 1 {
                    let sum = &mut sums[(row * strips + strip) * mr * nr..][..mr * nr];
                    match slab {
                        0 => sum.copy_from_slice(&tile[..mr * nr]),
                        _ => sum.iter_mut().zip(&tile).for_each(|(s, t)| *s += t),
                    }
                    if slab + 1 == slabs {
                        tile[..mr * nr].copy_from_slice(sum);
                    }
                }
                if slab + 1 == slabs {
                    let i = rows.start + row * mr..rows.end.min(rows.start + (row + 1) * mr);
                    let j = columns.start + strip * nr
                        ..columns.end.min(columns.start + (strip + 1) * nr);
                    c.put(i, j, &tile, nr);
                }
            }
        }
    }
}
