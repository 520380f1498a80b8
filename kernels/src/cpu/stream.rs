//! Reading and writing what no cache can hold.
//!
//! An ordinary store reads its line from memory first, so that a copy moves three bytes for two, and drives out what
//! is read once more. A streamed one does neither, but who reads the numbers next finds them in memory: only outputs
//! that are too large to be found in a cache anyway are streamed. A block is made in the first-level cache and streamed
//! from there; meanwhile inputs of the blocks behind it are asked for, since the processor reads ahead only where
//! something is read.

use super::prefetch;
use std::ops::Range;

/// Numbers of an output, from which on it is streamed: more than the last-level cache of a few cores holds.
const LARGE: usize = 8 << 20;

/// Numbers of a block.
pub const BLOCK: usize = 512;

/// Numbers between what is read and what is asked for.
const AHEAD: usize = 2048;

/// Tasks of a streamed kernel, at most: settling costs each of them a wait for memory.
const TASKS: usize = 512;

/// How a kernel writes its output: streamed, or as usual.
#[derive(Debug, Clone, Copy)]
pub struct Way {
    streams: bool,
}

/// [`for_ranges`](super::for_ranges) of a kernel that writes `all` numbers in the way that `task` is told.
pub fn for_ranges(
    len: usize,
    grain: usize,
    all: usize,
    task: impl Fn(Range<usize>, Way) + Sync + Send,
) {
    let streams = cfg!(target_arch = "x86_64") && all >= LARGE;
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
            true => stream(x, y, &[]),
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
        let mut made = [0.0; BLOCK];
        let mut ahead = inputs.to_vec();
        for (number, y) in y.chunks_mut(BLOCK).enumerate() {
            let range = number * BLOCK..number * BLOCK + y.len();
            if !self.streams {
                block(range, y);
                continue;
            }
            for (ahead, input) in ahead.iter_mut().zip(inputs) {
                *ahead = &input[input.len().min(range.end + BLOCK)..];
            }
            let made = &mut made[..y.len()];
            block(range, made);
            stream(made, y, &ahead);
        }
    }
}

/// `y = x`, streamed, while as much of `ahead` is asked for; [`settle`] must follow.
#[cfg(target_arch = "x86_64")]
pub fn stream(x: &[f32], y: &mut [f32], ahead: &[&[f32]]) {
    use std::arch::x86_64::{__m128, _mm_loadu_ps, _mm_stream_ps, _mm_stream_si32};
    /// Numbers of a cache line.
    const LINE: usize = 16;
    // SAFETY: four numbers are what a vector is.
    let (head, body, tail) = unsafe { y.align_to_mut::<__m128>() };
    let (first, rest) = x.split_at(head.len());
    let (middle, last) = rest.split_at(4 * body.len());
    let lines = body.chunks_mut(LINE / 4).zip(middle.chunks(LINE));
    for (line, (to, from)) in lines.enumerate() {
        for (to, from) in to.iter_mut().zip(from.chunks_exact(4)) {
            // SAFETY: `to` is aligned, `from` is as long; every x86-64 has SSE.
            unsafe { _mm_stream_ps(std::ptr::from_mut(to).cast(), _mm_loadu_ps(from.as_ptr())) };
        }
        for ahead in ahead {
            prefetch(ahead.as_ptr().wrapping_add(line * LINE), 1);
        }
    }
    for (to, from) in head.iter_mut().zip(first).chain(tail.iter_mut().zip(last)) {
        // SAFETY: every x86-64 has SSE2.
        unsafe { _mm_stream_si32(std::ptr::from_mut(to).cast(), from.to_bits() as i32) };
    }
}

/// Streamed numbers are then in their places for all who come later.
#[cfg(target_arch = "x86_64")]
pub fn settle() {
    // SAFETY: every x86-64 has SSE.
    unsafe { std::arch::x86_64::_mm_sfence() };
}

#[cfg(not(target_arch = "x86_64"))]
pub fn stream(x: &[f32], y: &mut [f32], _: &[&[f32]]) {
    y.copy_from_slice(x);
}

#[cfg(not(target_arch = "x86_64"))]
pub fn settle() {}

/// Asks for as many numbers of `x` as are about to be read from `at` on, some way ahead. Rows that are read side by
/// side are more than the processor sees through by itself.
#[inline(always)]
pub fn fetch_ahead(x: &[f32], at: usize, len: usize) {
    let start = x.len().min(at.saturating_add(AHEAD));
    let end = x.len().min(start.saturating_add(len));
    prefetch(x[start..].as_ptr(), end - start);
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
}
