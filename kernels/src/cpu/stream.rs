//! Reading and writing what no cache can hold.
//!
//! An ordinary store reads its line from memory first, so that a copy moves three bytes for two, and drives out what
//! is read once more. A streamed one does neither, but who reads the numbers next finds them in memory: only outputs
//! that are too large to be found in a cache anyway are streamed. A block is made in the first-level cache and streamed
//! from there; meanwhile inputs of the blocks behind it are asked for, since the processor reads ahead only where
//! something is read.

use super::prefetch;
use std::ops::Range;

/// Numbers of an output that is not streamed, at most: as many as the last-level cache of a few cores holds.
const LARGE: usize = 6 << 20;

/// Numbers of a cache line.
const LINE: usize = 16;

/// Numbers of a block.
pub const BLOCK: usize = 512;

/// Numbers between what is read and what is asked for.
const AHEAD: usize = 2048;

/// Numbers of a run that is collected, at most: it should stay in the first-level cache.
const RUN: usize = 8192;

/// Tasks of a streamed kernel, at most: settling costs each of them a wait for memory.
const TASKS: usize = 512;

/// How a kernel writes its output: streamed, or as usual.
#[derive(Debug, Clone, Copy)]
pub struct Way {
    streams: bool,
}

/// [`for_ranges`](super::for_ranges) of a kernel whose outputs have `all` numbers each, and are written in the way that `task` is told.
pub fn for_ranges(
    len: usize,
    grain: usize,
    all: usize,
    task: impl Fn(Range<usize>, Way) + Sync + Send,
) {
    let streams = cfg!(target_arch = "x86_64") && all > LARGE;
    let grain = match streams {
        true => grain.max(len.div_ceil(TASKS)),
        false => grain,
    };
    super::for_ranges(len, grain, |range| {
        task(range, Way { streams });
        if streams {
            settle();
        }
    });
}

impl Way {
    /// `y = x`
    pub fn copy(self, x: &[f32], y: &mut [f32]) {
        match self.streams {
            true => stream(x, y, &[], 0),
            false => y.copy_from_slice(x),
        }
    }

    /// Fills `y` block by block, from `inputs` that begin where it does and may go on behind it.
    pub fn fill(
        self,
        y: &mut [f32],
        inputs: &[&[f32]],
        mut block: impl FnMut(Range<usize>, &mut [f32]),
    ) {
        let (mut made, mut done) = ([0.0; BLOCK], 0);
        // Streamed blocks end where lines do: a line that is written in part is written twice.
        let mut next = if self.streams {
            BLOCK - LINE + before_line(y)
        } else {
            BLOCK
        };
        while done < y.len() {
            let range = done..y.len().min(done + next);
            (done, next) = (range.end, BLOCK);
            let y = &mut y[range.clone()];
            if !self.streams {
                block(range, y);
                continue;
            }
            let (made, ahead) = (&mut made[..y.len()], range.end + BLOCK);
            block(range, made);
            stream(made, y, inputs, ahead);
        }
    }
}

/// An output that is written run by run, from its start on. What is streamed is collected until it fills lines, since
/// runs seldom do; long runs are written as usual.
pub struct Runs<'a> {
    left: &'a mut [f32],
    way: Way,
    made: Vec<f32>,
    filled: usize,
}

impl<'a> Runs<'a> {
    /// Nothing of `y` is written yet.
    pub fn of(y: &'a mut [f32], way: Way) -> Self {
        Runs {
            left: y,
            way,
            made: Vec::new(),
            filled: 0,
        }
    }

    /// The next `len` numbers, all of which the caller writes.
    #[inline(always)]
    pub fn next(&mut self, len: usize) -> &mut [f32] {
        if !self.way.streams {
            return self.take(len);
        }
        if len > RUN {
            self.write(self.filled);
            return self.take(len);
        }
        let head = before_line(self.left);
        if self.filled >= BLOCK + head {
            self.write(self.filled - (self.filled - head) % LINE);
        }
        let start = self.filled;
        self.filled += len;
        if self.made.len() < self.filled {
            self.made.resize(self.filled, 0.0);
        }
        &mut self.made[start..self.filled]
    }

    /// Streams the first `count` numbers of those made.
    fn write(&mut self, count: usize) {
        let run = self.take(count);
        stream(&self.made[..count], run, &[], 0);
        self.made.copy_within(count..self.filled, 0);
        self.filled -= count;
    }

    fn take(&mut self, count: usize) -> &'a mut [f32] {
        let (run, left) = std::mem::take(&mut self.left).split_at_mut(count);
        self.left = left;
        run
    }
}

impl Drop for Runs<'_> {
    fn drop(&mut self) {
        self.write(self.filled);
    }
}

/// `y = x`, streamed, while as much of `inputs` is asked for from number `ahead` on; [`settle`] must follow.
#[cfg(target_arch = "x86_64")]
pub fn stream(x: &[f32], y: &mut [f32], inputs: &[&[f32]], ahead: usize) {
    use std::arch::x86_64::{_mm_loadu_ps, _mm_stream_ps, _mm_stream_si32};
    let (head, rest) = y.split_at_mut(before_line(y).min(y.len()));
    let (first, x) = x.split_at(head.len());
    let ((lines, tail), (from, last)) = (rest.as_chunks_mut::<LINE>(), x.as_chunks::<LINE>());
    for (line, (to, from)) in lines.iter_mut().zip(from).enumerate() {
        for at in (0..LINE).step_by(4) {
            // SAFETY: `at + 4` numbers are in both; `to` begins a line, so that it is aligned; every x86-64 has SSE.
            unsafe { _mm_stream_ps(to.as_mut_ptr().add(at), _mm_loadu_ps(from.as_ptr().add(at))) };
        }
        for input in inputs {
            prefetch(input.as_ptr().wrapping_add(ahead + line * LINE), 1);
        }
    }
    for (to, from) in head.iter_mut().zip(first).chain(tail.iter_mut().zip(last)) {
        // SAFETY: every x86-64 has SSE2.
        unsafe { _mm_stream_si32(std::ptr::from_mut(to).cast(), from.to_bits() as i32) };
    }
}

/// How many numbers of `y` lie before the first line of the cache that begins in it.
#[cfg(target_arch = "x86_64")]
fn before_line(y: &[f32]) -> usize {
    (y.as_ptr() as usize / 4).wrapping_neg() % LINE
}

/// Streamed numbers are then in their places for all who come later.
#[cfg(target_arch = "x86_64")]
pub fn settle() {
    // SAFETY: every x86-64 has SSE.
    unsafe { std::arch::x86_64::_mm_sfence() };
}

#[cfg(not(target_arch = "x86_64"))]
pub fn stream(x: &[f32], y: &mut [f32], _: &[&[f32]], _: usize) {
    y.copy_from_slice(x);
}

#[cfg(not(target_arch = "x86_64"))]
fn before_line(_: &[f32]) -> usize {
    0
}

#[cfg(not(target_arch = "x86_64"))]
pub fn settle() {}

/// Asks for `count` numbers, some way behind number `from` of `x`, whether or not there are any. Rows that are read side by
/// side are more than the processor sees through by itself.
#[inline(always)]
pub fn fetch_ahead(x: &[f32], from: usize, count: usize) {
    prefetch(x.as_ptr().wrapping_add(from + AHEAD), count);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streamed_numbers_are_those_written_as_usual() {
        let x: Vec<f32> = (0..3 * BLOCK).map(|i| i as f32).collect();
        for streams in [false, true] {
            let way = Way { streams };
            for (start, len) in [
                (0, 0),
                (1, 1),
                (3, 2),
                (5, 33),
                (2, BLOCK),
                (7, 2 * BLOCK + 5),
            ] {
                let mut y = vec![-1.0f32; 3 * BLOCK];
                way.copy(&x[..len], &mut y[start..start + len]);
                let mut z = vec![-1.0f32; 3 * BLOCK];
                let from = &x[1..];
                way.fill(&mut z[start..start + len], &[from], |block, z| {
                    z.iter_mut()
                        .zip(&from[block])
                        .for_each(|(z, x)| *z = x - 1.0);
                });
                settle();
                let mut want = vec![-1.0f32; 3 * BLOCK];
                want[start..start + len].copy_from_slice(&x[..len]);
                assert!(
                    y == want && z == want,
                    "{len} from {start} on, streamed: {streams}"
                );
            }
        }
    }

    /// Runs shorter and longer than lines, blocks and what is collected, in an output that begins within a line.
    #[test]
    fn streamed_runs_are_those_written_as_usual() {
        for streams in [false, true] {
            for (start, runs) in [
                (0, vec![5; 400]),
                (3, vec![1]),
                (7, vec![658, 658, 3, 658, RUN + 1, 2, 600]),
                (1, vec![2048, RUN]),
                (2, vec![]),
            ] {
                let len: usize = runs.iter().sum();
                let mut y = vec![-1.0f32; start + len + 3];
                let mut want = y.clone();
                let mut written = Runs::of(&mut y[start..start + len], Way { streams });
                let mut at = start;
                for &run in &runs {
                    for value in written.next(run) {
                        *value = at as f32;
                        want[at] = at as f32;
                        at += 1;
                    }
                }
                drop(written);
                settle();
                assert!(y == want, "{runs:?} from {start} on, streamed: {streams}");
            }
        }
    }
}
