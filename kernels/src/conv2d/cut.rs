//! Cutting strips: what a task of a convolution sees of the images, laid out so that panels are filled by plain copies.

use super::strips::Task;
use super::strips::{Strips, grow};
use crate::cpu::prefetch;
use crate::vectorized;

/// Channels that are asked for before they are copied: a channel's rows are few, and its next ones far away.
const AHEAD: usize = 2;

/// How a strip lies in memory: `[channel, row, phase, place]`.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    phases: usize,
    /// Length of a phase.
    places: usize,
    /// Rows of all images' parts.
    rows: usize,
}

impl Layout {
    pub fn row(&self) -> usize {
        self.phases * self.places
    }
}

/// The part of a phase that lies in the image: from which place on, from which column, how many.
#[derive(Debug, Clone, Copy)]
struct Span {
    place: usize,
    column: usize,
    len: usize,
}

impl Strips<'_> {
    /// Phases of a row of the image.
    pub fn phases(&self) -> usize {
        self.pool[1] * self.stride[1]
    }

    /// Columns in one phase, of those that the output sees.
    pub fn places(&self) -> usize {
        let last = (self.grid[1] * self.pool[1] - 1) * self.stride[1];
        (last + self.dilation[1] * (self.kernel[1] - 1) + 1).div_ceil(self.phases())
    }

    /// Copies what a task sees; gives the layout and where each row of the output begins to look. Behind the strip
    /// another tile's width can be read.
    pub fn cut(&self, task: &Task, nr: usize, strip: &mut Vec<f32>) -> (Layout, Vec<usize>) {
        let kernel = task.kernel();
        let height = |part: &[[usize; 2]]| self.height(part.len(), kernel.len());
        // Neighbouring rows of one image.
        let parts: Vec<_> = task.rows.chunk_by(|[a, _], [b, _]| a == b).collect();
        let layout = Layout {
            phases: self.phases(),
            places: self.places(),
            rows: parts.iter().map(|part| height(part)).sum(),
        };
        grow(strip, self.c * layout.rows * layout.row() + nr, 0.0);
        let spans: Vec<_> = (0..layout.phases).map(|i| self.span(i, &layout)).collect();
        let images = &self.images;
        let size = images.h * images.w;
        // In the order of the strip: stores wait for memory more than loads do.
        let mut lines = strip.chunks_exact_mut(layout.row());
        for channel in 0..self.c {
            for part in &parts {
                let [image, row] = part[0];
                let plane = (image * images.channels + images.first + channel) * size;
                let top = row * self.step() + kernel.start * self.dilation[0];
                let top = top as isize - self.pad[0];
                for (r, to) in (0..height(part)).zip(&mut lines) {
                    match usize::try_from(top + r as isize) {
                        Ok(y) if y < images.h => {
                            let at = plane + y * images.w;
                            let later = images.data.as_ptr().wrapping_add(at + AHEAD * size);
                            prefetch(later, images.w);
                            scatter(&images.data[at..][..images.w], &spans, &layout, to);
                        }
                        _ => to.fill(0.0),
                    }
                }
            }
        }
        let mut starts = Vec::with_capacity(task.rows.len());
        let mut at = 0;
        for part in parts {
            starts.extend((0..part.len()).map(|i| (at + i * self.step()) * layout.row()));
            at += height(part);
        }
        (layout, starts)
    }

    /// Places of a phase whose column lies in the image: `t·F + f - pad` in `0..w`.
    fn span(&self, phase: usize, layout: &Layout) -> Span {
        let (phases, places, w) = (layout.phases, layout.places, self.images.w);
        let shift = phase as isize - self.pad[1];
        let place = (-shift).max(0).unsigned_abs().div_ceil(phases).min(places);
        let column = (place * phases) as isize + shift;
        let column = usize::try_from(column).map_or(w, |column| column.min(w));
        let len = (w - column).div_ceil(phases).min(places - place);
        Span { place, column, len }
    }

    /// Where a window's place in column kx finds each tap, from where its row begins: `[kx, tap]`, taps as the weights
    /// are packed. Rows of the kernel that the task does not see find anything.
    pub fn offsets(&self, task: &Task, layout: &Layout) -> Vec<usize> {
        let [kh, kw] = self.kernel;
        let mut offsets = Vec::with_capacity(self.pool[1] * kh * self.taps());
        for kx in 0..self.pool[1] {
            for p in 0..kh {
                let down = p.saturating_sub(task.kernel().start) * self.dilation[0];
                for row in (0..self.c).map(|channel| channel * layout.rows + down) {
                    offsets.extend((0..kw).map(|q| {
                        let column = kx * self.stride[1] + q * self.dilation[1];
                        let (place, phase) = (column / layout.phases, column % layout.phases);
                        (row * layout.phases + phase) * layout.places + place
                    }));
                }
            }
        }
        offsets
    }
}

vectorized! {
    /// A row of the image into phases, with zeros around it.
    fn scatter(row: &[f32], spans: &[Span], layout: &Layout, to: &mut [f32]) {
        for (span, to) in spans.iter().zip(to.chunks_exact_mut(layout.places)) {
            to[..span.place].fill(0.0);
            to[span.place + span.len..].fill(0.0);
            let to = &mut to[span.place..][..span.len];
            let from = &row[span.column..];
            match layout.phases {
                1 => to.copy_from_slice(&from[..span.len]),
                2 => every::<2>(from, to),
                4 => every::<4>(from, to),
                step => to.iter_mut().zip(from.iter().step_by(step)).for_each(|(t, f)| *t = *f),
            }
        }
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
