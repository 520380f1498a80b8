//! Convolution, and what follows it in the same breath (bias, activation, max-pooling), strip by strip in the cache.
//!
//! A task takes a few rows of the (pooled) output and copies what they see of the image, zeros at the edges included,
//! into a *strip* that fits the second-level cache. Column `t·F + f` of a padded image row goes to place `t` of the
//! row's phase `f`, where F is the distance of neighbouring windows: what neighbours in the output see at one tap are
//! then neighbours in memory, so that the matrix product's panels are filled by copies of fixed length that look at no
//! edge. Sums of different places of a pooling window come out in tiles of the same shape, whose maximum is taken
//! number by number while they are hot: the un-pooled map is never written. A tile is handed out as soon as it is
//! complete: what it waits for in memory, it waits for while the next one is multiplied.
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

/// Some rows of the output.
pub struct Task {
    /// Each as image and row, in order.
    pub rows: Vec<[usize; 2]>,
    /// For each row of their windows: the kernel's rows with which it sees the image.
    pub seen: Vec<Range<usize>>,
}

impl Task {
    /// The kernel's rows with which anything of a window sees the image.
    pub fn kernel(&self) -> Range<usize> {
        whole(&self.seen)
    }
}

/// Windows look further up with their first rows and further down with their last.
pub(super) fn whole(seen: &[Range<usize>]) -> Range<usize> {
    seen[seen.len() - 1].start..seen[0].end
}

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

impl Strips<'_> {
    /// Taps in one row of the kernel.
    pub fn taps(&self) -> usize {
        self.c * self.kernel[1]
    }

    /// `maps = max over the window of (a · patches)`, with bias and activation; `a` has `m` rows of `c·kh·kw`.
    pub fn product(&self, m: usize, a: &impl Panels, maps: &Maps) {
        let kernel = Microkernel::best();
        let packed = self.weights(kernel, m, a);
        let tasks = self.tasks(kernel.nr);
        for_each(tasks.len(), |task| {
            SCRATCH.with_borrow_mut(|scratch| {
                self.task(kernel, m, &tasks[task], &packed, maps, scratch);
            });
        });
    }

    /// `a` in tiles' rows, taps in the order kernel row, channel, kernel column: those of a task are then one stretch.
    fn weights(&self, kernel: Microkernel, m: usize, a: &impl Panels) -> Vec<f32> {
        let ([kh, kw], mr, depth) = (self.kernel, kernel.mr, self.kernel[0] * self.taps());
        let strips = m.div_ceil(mr);
        let mut packed = vec![0f32; strips * mr * depth];
        let shared = Disjoint::new(&mut packed);
        for_ranges(strips, GRAIN / (mr * depth), |range| {
            let mut scratch = vec![0f32; mr * depth];
            for strip in range {
                let first = strip * mr;
                a.pack(first, mr.min(m - first), mr, 0..depth, &mut scratch);
                // SAFETY: every strip of the weights is packed by one task.
                let own = unsafe { shared.slice(first * depth..(first + mr) * depth) };
                for (i, to) in own.chunks_exact_mut(kw * mr).enumerate() {
                    let (p, channel) = (i / self.c, i % self.c);
                    to.copy_from_slice(&scratch[(channel * kh + p) * kw * mr..][..kw * mr]);
                }
            }
        });
        packed
    }

    fn task(
        &self,
        kernel: Microkernel,
        m: usize,
        task: &Task,
        a: &[f32],
        maps: &Maps,
        scratch: &mut Scratch,
    ) {
        let (mr, nr, depth) = (kernel.mr, kernel.nr, self.kernel[0] * self.taps());
        let columns = self.grid[1];
        let (layout, starts) = self.cut(task, nr, &mut scratch.strip);
        let offsets = self.offsets(task, &layout);
        let (strips, places) = (m.div_ceil(mr), self.pool[0] * self.pool[1]);
        grow(&mut scratch.panel, (SLAB + 1) * nr, 0.0);
        grow(&mut scratch.best, strips, [0.0; MAX_TILE]);
        grow(&mut scratch.place, strips, [0; MAX_TILE]);
        grow(&mut scratch.sums, strips, [0.0; MAX_TILE]);
        let mut runs = Vec::new();
        let mut from = Vec::new();
        for first in (0..task.rows.len() * columns).step_by(nr) {
            let last = (task.rows.len() * columns).min(first + nr);
            runs.clear();
            let mut at = first;
            while at < last {
                let (row, column) = (at / columns, at % columns);
                let len = (columns - column).min(last - at);
                let [image, whole] = task.rows[row];
                runs.push(Run {
                    lane: at - first,
                    len,
                    image,
                    at: whole * columns + column,
                    start: starts[row] + column,
                });
                at += len;
            }
            for place in 0..places {
                let [ky, kx] = [place / self.pool[1], place % self.pool[1]];
                let down = ky * self.stride[0] * layout.row();
                from.clear();
                from.extend(runs.iter().map(|run| (run.lane, run.start + down)));
                let seen = task.seen[ky].start * self.taps()..task.seen[ky].end * self.taps();
                let slab = seen.len().div_ceil(seen.len().div_ceil(SLAB));
                for begin in seen.clone().step_by(slab) {
                    let range = begin..seen.end.min(begin + slab);
                    let taps = &offsets[kx * depth..][range.clone()];
                    pack(nr, &scratch.strip, taps, &from, &mut scratch.panel);
                    for strip in 0..strips {
                        let a = &a[(strip * depth + range.start) * mr..];
                        let sums = match place {
                            0 => &mut scratch.best[strip],
                            _ => &mut scratch.sums[strip],
                        };
                        match begin == seen.start {
                            true => kernel.run(range.len(), a, &scratch.panel, sums),
                            false => kernel.add(range.len(), a, &scratch.panel, nr, sums),
                        }
                        if range.end < seen.end {
                            continue;
                        }
                        let (best, at) = (&mut scratch.best[strip], &mut scratch.place[strip]);
                        match place {
                            0 if maps.index.is_none() => {}
                            0 => at.fill(0),
                            _ => merge(best, at, &scratch.sums[strip], place as u32),
                        }
                        if place + 1 == places {
                            let i = strip * mr..m.min((strip + 1) * mr);
                            self.put(i, nr, &runs, best, at, maps);
                        }
                    }
                }
            }
        }
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
            shift(nr, &bias[maps.first..][i.clone()], best);
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

pub(super) fn grow<T: Clone>(vec: &mut Vec<T>, len: usize, value: T) {
    if vec.len() < len {
        vec.resize(len, value);
    }
}

vectorized! {
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

    /// Adds to each row of a tile.
    fn shift(nr: usize, by: &[f32], tile: &mut [f32; MAX_TILE]) {
        for (row, by) in tile.chunks_exact_mut(nr).zip(by) {
            row.iter_mut().for_each(|v| *v += by);
        }
    }

    /// The windows of which nothing is left behind relu.
    fn first_of_zeros(y: &[f32], place: &mut [u32; MAX_TILE]) {
        y.iter().zip(place).for_each(|(y, p)| *p = if *y == 0.0 { 0 } else { *p });
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
