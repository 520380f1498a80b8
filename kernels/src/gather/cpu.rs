//! Slice by slice. On the way back every task has rows of its own, and goes through the whole index for them.

use super::Gather;
use crate::cpu::{Disjoint, GRAIN, for_each, for_ranges};
use crate::kernel::words;
use crate::vectorized;

pub fn gather(s: &Gather, x: &[f32], index: &[f32], y: &mut [f32]) {
    let (index, y) = (words(index), Disjoint::new(y));
    for_ranges(s.outer * s.count, GRAIN / s.inner, |range| {
        // SAFETY: every slice belongs to one task.
        let y = unsafe { y.slice(range.start * s.inner..range.end * s.inner) };
        let (mut o, mut k) = (range.start / s.count, range.start % s.count);
        for y in y.chunks_exact_mut(s.inner) {
            match index[k] as usize {
                r if r < s.rows => y.copy_from_slice(&x[(o * s.rows + r) * s.inner..][..s.inner]),
                _ => y.fill(f32::NAN),
            }
            k += 1;
            if k == s.count {
                (o, k) = (o + 1, 0);
            }
        }
    });
}

/// Tasks that share one `outer`, at most: each reads the index.
const BLOCKS: usize = 16;

pub fn gather_grad(s: &Gather, dy: &[f32], index: &[f32], dx: &mut [f32]) {
    let (index, dx) = (words(index), Disjoint::new(dx));
    let block = s.rows.div_ceil(BLOCKS).max(GRAIN / s.inner).max(1);
    let blocks = s.rows.div_ceil(block);
    for_each(s.outer * blocks, |task| {
        let (o, first) = (task / blocks, task % blocks * block);
        let count = block.min(s.rows - first);
        let start = (o * s.rows + first) * s.inner;
        // SAFETY: every block belongs to one task.
        let dx = unsafe { dx.slice(start..start + count * s.inner) };
        dx.fill(0.0);
        let dy = &dy[o * s.count * s.inner..][..s.count * s.inner];
        for (&r, dy) in index.iter().zip(dy.chunks_exact(s.inner)) {
            // Wraps around above the block where r lies below it.
            let r = (r as usize).wrapping_sub(first);
            if r < count {
                add(&mut dx[r * s.inner..][..s.inner], dy);
            }
        }
    });
}

vectorized! {
    fn add(sum: &mut [f32], terms: &[f32]) {
        sum.iter_mut().zip(terms).for_each(|(s, t)| *s += t);
    }
}
