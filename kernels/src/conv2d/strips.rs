//! Convolution, and what follows it in the same breath (bias, activation, max-pooling), strip by strip in the cache.
//!
//! A task takes a few rows of the (pooled) output and copies what they see of the image, zeros at the edges included,
//! into a *strip* that fits the second-level cache. Column `t·F + f` of a padded image row goes to place `t` of the
//! row's phase `f`, where F is the distance of neighbouring windows: what neighbours in the output see at one tap are
//! then neighbours in memory, so that the matrix product's panels are filled by copies of fixed length that look at no
//! edge. Sums of different places of a pooling window come out in tiles of the same shape, whose maximum is taken
//! number by number while they are hot: the un-pooled map is never written.
//!
//! Sums are compared before the bias is added and the activation applied: both keep the order, and there are fewer to
//! do afterwards. Where relu makes all of a window zero, the first place has won.

use super::patches::Images;
use crate::activation::Activation;
use crate::cpu::gemm::Panels;
use crate::cpu::microkernel::{MAX_TILE, Microkernel};
use crate::cpu::{Disjoint, GRAIN, for_each, for_ranges};
use crate::kernel::words_mut;
use crate::vectorized;
use std::cell::RefCell;
use std::ops::Range;

/// A convolution and the pooling behind it, as far as the way from the image to the sums goes.
#[derive(Debug, Clone, Copy)]
pub struct Strips<'a> {
    pub images: Images<'a>,
    /// Number of images.
    pub n: usize,
    /// Channels of the group.
    pub c: usize,
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    pub dilation: [usize; 2],
    /// Zeros above and to the left; negative where the image's edge is cut off.
    pub pad: [isize; 2],
    /// Height and width of the pooling's windows, which stand side by side; `[1, 1]` for none.
    pub pool: [usize; 2],
    /// Height and width of the (pooled) output.
    pub grid: [usize; 2],
}

/// Where the results go: maps `[n, channels, grid]`.
pub struct Maps<'a> {
    pub y: Disjoint<'a>,
    /// Which place of its window won; only where there is a pooling.
    pub index: Option<Disjoint<'a>>,
    pub channels: usize,
    /// The first channel of the group.
    pub first: usize,
    pub bias: Option<&'a [f32]>,
    pub activation: Activation,
}

/// Floats in a strip: 512 KB.
const STRIP: usize = 128 * 1024;

/// Columns of the product that a task should have.
const COLUMNS: usize = 480;

/// Summed indices in one panel: 48 columns of them are 60 KB.
const SLAB: usize = 320;

/// What a task works with, kept by its thread.
#[derive(Default)]
struct Scratch {
    strip: Vec<f32>,
    panel: Vec<f32>,
    best: Vec<[f32; MAX_TILE]>,
    place: Vec<[u32; MAX_TILE]>,
    sums: Vec<[f32; MAX_TILE]>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Neighbours in one row of the output: where they stand in a tile, in the output, and in the strip.
#[derive(Debug, Clone, Copy)]
struct Run {
    lane: usize,
    len: usize,
    image: usize,
    /// Position in the output's plane.
    at: usize,
    start: usize,
}

/// How a strip lies in memory: `[channel, row, phase, place]`.
#[derive(Debug, Clone, Copy)]
struct Layout {
    phases: usize,
    /// Length of a phase.
    places: usize,
    /// Rows of all images' parts.
    rows: usize,
}

impl Layout {
    fn row(&self) -> usize {
        self.phases * self.places
    }
}

impl Strips<'_> {
    fn depth(&self) -> usize {
        self.c * self.kernel[0] * self.kernel[1]
    }

    /// Rows of the image between one row of the output and the next.
    fn step(&self) -> usize {
        self.pool[0] * self.stride[0]
    }

    /// Rows (0) or columns (1) of the image that `count` neighbours of the output see.
    fn reach(&self, axis: usize, count: usize) -> usize {
        (count * self.pool[axis] - 1) * self.stride[axis]
            + self.dilation[axis] * (self.kernel[axis] - 1)
            + 1
    }

    /// Rows of the output in one task: as many as the cache holds, and such that the last tile is rarely half empty.
    fn rows(&self, nr: usize) -> usize {
        let [rows, columns] = self.grid;
        let row = self.c * self.reach(1, columns);
        let fit = (STRIP / row.max(1)).saturating_sub(self.reach(0, 1)) / self.step() + 1;
        // Enough tasks for the threads, but none of less than a tile.
        let shared = (self.n * rows / 16).max(nr.div_ceil(columns));
        let most = (2 * COLUMNS).div_ceil(columns).min(fit).min(shared);
        let waste = |count: &usize| {
            let tiles = (count * columns).div_ceil(nr);
            // Work for each row of the output, in columns; rows that two tasks read count as an eighth of their width.
            let halo = self.reach(0, *count).saturating_sub(count * self.step()) * columns / 8;
            (tiles * nr * self.pool[0] + halo) * 1024 / count
        };
        (1..=most).min_by_key(waste).unwrap_or(1)
    }

    /// `maps = max over the window of (a · patches)`, with bias and activation; `a` has `m` rows of `c·kh·kw`.
    pub fn product(&self, m: usize, a: &impl Panels, maps: &Maps) {
        let kernel = Microkernel::best();
        let (mr, depth) = (kernel.mr, self.depth());
        let strips = m.div_ceil(mr);
        let mut packed = vec![0f32; strips * mr * depth];
        let shared = Disjoint::new(&mut packed);
        for_ranges(strips, GRAIN / (mr * depth), |range| {
            for strip in range {
                // SAFETY: every strip of the weights is packed by one task.
                let own = unsafe { shared.slice(strip * mr * depth..(strip + 1) * mr * depth) };
                a.pack(strip * mr, mr.min(m - strip * mr), mr, 0..depth, own);
            }
        });
        let rows = self.rows(kernel.nr);
        let total = self.n * self.grid[0];
        for_each(total.div_ceil(rows), |task| {
            SCRATCH.with_borrow_mut(|scratch| {
                let rows = task * rows..total.min((task + 1) * rows);
                self.task(kernel, m, rows, &packed, maps, scratch);
            });
        });
    }

    /// Some rows of the output, counted through all images.
    fn task(
        &self,
        kernel: Microkernel,
        m: usize,
        rows: Range<usize>,
        a: &[f32],
        maps: &Maps,
        scratch: &mut Scratch,
    ) {
        let (mr, nr, depth) = (kernel.mr, kernel.nr, self.depth());
        let columns = self.grid[1];
        let (layout, starts) = self.cut(rows.clone(), nr, &mut scratch.strip);
        let offsets = self.offsets(&layout);
        let strips = m.div_ceil(mr);
        let slabs = depth.div_ceil(SLAB);
        let slab = depth.div_ceil(slabs);
        grow(&mut scratch.panel, (slab + 1) * nr, 0.0);
        grow(&mut scratch.best, strips, [0.0; MAX_TILE]);
        grow(&mut scratch.place, strips, [0; MAX_TILE]);
        grow(&mut scratch.sums, strips, [0.0; MAX_TILE]);
        let mut runs = Vec::new();
        let mut from = Vec::new();
        for first in (0..rows.len() * columns).step_by(nr) {
            let last = (rows.len() * columns).min(first + nr);
            runs.clear();
            let mut at = first;
            while at < last {
                let (row, column) = (at / columns, at % columns);
                let len = (columns - column).min(last - at);
                let whole = rows.start + row;
                runs.push(Run {
                    lane: at - first,
                    len,
                    image: whole / self.grid[0],
                    at: whole % self.grid[0] * columns + column,
                    start: starts[row] + column,
                });
                at += len;
            }
            for place in 0..self.pool[0] * self.pool[1] {
                let [ky, kx] = [place / self.pool[1], place % self.pool[1]];
                let down = ky * self.stride[0] * layout.row();
                from.clear();
                from.extend(runs.iter().map(|run| (run.lane, run.start + down)));
                for begin in (0..depth).step_by(slab) {
                    let range = begin..depth.min(begin + slab);
                    let taps = &offsets[kx * depth..][range.clone()];
                    pack(nr, &scratch.strip, taps, &from, &mut scratch.panel);
                    for strip in 0..strips {
                        let a = &a[(strip * depth + range.start) * mr..];
                        let sums = match place {
                            0 => &mut scratch.best[strip],
                            _ => &mut scratch.sums[strip],
                        };
                        match begin {
                            0 => kernel.run(range.len(), a, &scratch.panel, sums),
                            _ => kernel.add(range.len(), a, &scratch.panel, nr, sums),
                        }
                    }
                }
                for strip in 0..strips {
                    let (best, at) = (&mut scratch.best[strip], &mut scratch.place[strip]);
                    match place {
                        0 => at.fill(0),
                        _ => merge(best, at, &scratch.sums[strip], place as u32),
                    }
                }
            }
            for strip in 0..strips {
                let i = strip * mr..m.min((strip + 1) * mr);
                let (best, place) = (&mut scratch.best[strip], &mut scratch.place[strip]);
                self.put(i, nr, &runs, best, place, maps);
            }
        }
    }

    /// Copies what these rows of the output see; gives the layout and where each row of the output begins to look.
    fn cut(&self, rows: Range<usize>, nr: usize, strip: &mut Vec<f32>) -> (Layout, Vec<usize>) {
        let phases = self.pool[1] * self.stride[1];
        // Tiles read a whole width from wherever they begin.
        let places = self.reach(1, self.grid[1]).div_ceil(phases);
        let mut parts: Vec<(usize, Range<usize>)> = Vec::new();
        for row in rows {
            let (image, row) = (row / self.grid[0], row % self.grid[0]);
            match parts.last_mut() {
                Some((same, range)) if *same == image => range.end = row + 1,
                _ => parts.push((image, row..row + 1)),
            }
        }
        let height = |range: &Range<usize>| self.reach(0, range.len());
        let layout = Layout {
            phases,
            places,
            rows: parts.iter().map(|(_, range)| height(range)).sum(),
        };
        grow(strip, self.c * layout.rows * layout.row() + nr, 0.0);
        let mut starts = Vec::new();
        let mut at = 0;
        for (image, range) in parts {
            let top = (range.start * self.step()) as isize - self.pad[0];
            let images = &self.images;
            for channel in 0..self.c {
                let plane = image * images.channels + images.first + channel;
                let plane = &images.data[plane * images.h * images.w..][..images.h * images.w];
                for r in 0..height(&range) {
                    let to = (channel * layout.rows + at + r) * layout.row();
                    let to = &mut strip[to..][..layout.row()];
                    match usize::try_from(top + r as isize) {
                        Ok(y) if y < images.h => {
                            let row = &plane[y * images.w..][..images.w];
                            scatter(row, self.pad[1], &layout, to);
                        }
                        _ => to.fill(0.0),
                    }
                }
            }
            starts.extend((0..range.len()).map(|i| (at + i * self.step()) * layout.row()));
            at += height(&range);
        }
        (layout, starts)
    }

    /// Where a window's place in column kx finds each tap, from where its row begins: `[kx, k]`.
    fn offsets(&self, layout: &Layout) -> Vec<usize> {
        let [kh, kw] = self.kernel;
        let mut offsets = Vec::with_capacity(self.pool[1] * self.depth());
        for kx in 0..self.pool[1] {
            for k in 0..self.depth() {
                let (channel, p, q) = (k / (kh * kw), k / kw % kh, k % kw);
                let row = channel * layout.rows + p * self.dilation[0];
                let column = kx * self.stride[1] + q * self.dilation[1];
                let (place, phase) = (column / layout.phases, column % layout.phases);
                offsets.push((row * layout.phases + phase) * layout.places + place);
            }
        }
        offsets
    }

    /// Bias and activation, and out.
    fn put(
        &self,
        i: Range<usize>,
        nr: usize,
        runs: &[Run],
        best: &mut [f32; MAX_TILE],
        place: &mut [u32; MAX_TILE],
        maps: &Maps,
    ) {
        let plane = self.grid[0] * self.grid[1];
        if let Some(bias) = maps.bias {
            for (row, line) in i.clone().zip(best.chunks_exact_mut(nr)) {
                let bias = bias[maps.first + row];
                line.iter_mut().for_each(|v| *v += bias);
            }
        }
        let used = &mut best[..i.len() * nr];
        maps.activation.apply(used);
        if maps.activation == Activation::Relu && maps.index.is_some() {
            first_of_zeros(used, place);
        }
        for (row, number) in i.enumerate() {
            for run in runs {
                let start = (run.image * maps.channels + maps.first + number) * plane + run.at;
                let range = row * nr + run.lane..row * nr + run.lane + run.len;
                // SAFETY: each element of the output comes once, to one task.
                let y = unsafe { maps.y.slice(start..start + run.len) };
                y.copy_from_slice(&best[range.clone()]);
                if let Some(index) = &maps.index {
                    // SAFETY: the same.
                    let index = unsafe { index.slice(start..start + run.len) };
                    words_mut(index).copy_from_slice(&place[range]);
                }
            }
        }
    }
}

fn grow<T: Clone>(vec: &mut Vec<T>, len: usize, value: T) {
    if vec.len() < len {
        vec.resize(len, value);
    }
}

/// A row of the image into phases, with zeros around it.
fn scatter(row: &[f32], pad: isize, layout: &Layout, to: &mut [f32]) {
    let (phases, places) = (layout.phases, layout.places);
    for (phase, to) in to.chunks_exact_mut(places).enumerate() {
        // Places whose column lies in the image: t·F + f - pad in 0..w.
        let shift = phase as isize - pad;
        let before = (-shift).max(0).unsigned_abs().div_ceil(phases).min(places);
        let first = (before * phases) as isize + shift;
        let first = usize::try_from(first).unwrap_or(usize::MAX).min(row.len());
        let count = (row.len() - first).div_ceil(phases).min(places - before);
        to[..before].fill(0.0);
        to[before + count..].fill(0.0);
        pick(phases, &row[first..], &mut to[before..before + count]);
    }
}

vectorized! {
    /// Every `step`-th number.
    fn pick(step: usize, from: &[f32], to: &mut [f32]) {
        match step {
            1 => to.copy_from_slice(&from[..to.len()]),
            2 => every::<2>(from, to),
            4 => every::<4>(from, to),
            _ => to.iter_mut().zip(from.iter().step_by(step)).for_each(|(t, f)| *t = *f),
        }
    }

    /// Fills the panel `[taps, nr]`: for each tap, from each (lane, start), a whole width. What is too much is
    /// overwritten by the next, or is never looked at.
    fn pack(nr: usize, strip: &[f32], taps: &[usize], from: &[(usize, usize)], panel: &mut [f32]) {
        match (nr, from) {
            (48, &[(0, start)]) => pack_one::<48>(strip, taps, start, panel),
            (48, _) => pack_all::<48>(strip, taps, from, panel),
            (24, _) => pack_all::<24>(strip, taps, from, panel),
            _ => unreachable!("the microkernels' widths"),
        }
    }

    /// Takes over what is greater, or NaN.
    fn merge(best: &mut [f32; MAX_TILE], at: &mut [u32; MAX_TILE], tile: &[f32; MAX_TILE], place: u32) {
        for i in 0..MAX_TILE {
            let wins = (tile[i] > best[i]) | tile[i].is_nan();
            best[i] = if wins { tile[i] } else { best[i] };
            at[i] = if wins { place } else { at[i] };
        }
    }

    /// The windows of which nothing is left behind relu.
    fn first_of_zeros(y: &[f32], place: &mut [u32; MAX_TILE]) {
        y.iter().zip(place).for_each(|(y, p)| *p = if *y == 0.0 { 0 } else { *p });
    }
}

#[inline(always)]
fn every<const STEP: usize>(from: &[f32], to: &mut [f32]) {
    let (groups, rest) = from.as_chunks::<STEP>();
    let whole = groups.len().min(to.len());
    for i in 0..whole {
        to[i] = groups[i][0];
    }
    if let (Some(last), Some(first)) = (to.get_mut(whole), rest.first()) {
        *last = *first;
    }
}

#[inline(always)]
fn pack_one<const NR: usize>(strip: &[f32], taps: &[usize], start: usize, panel: &mut [f32]) {
    for (tap, to) in taps.iter().zip(panel.as_chunks_mut::<NR>().0) {
        to.copy_from_slice(&strip[start + tap..][..NR]);
    }
}

#[inline(always)]
fn pack_all<const NR: usize>(
    strip: &[f32],
    taps: &[usize],
    from: &[(usize, usize)],
    panel: &mut [f32],
) {
    for (k, tap) in taps.iter().enumerate() {
        for &(lane, start) in from {
            panel[k * NR + lane..][..NR].copy_from_slice(&strip[start + tap..][..NR]);
        }
    }
}
