//! Sums over winners: the innermost loops of the gradients on the CPU.
//!
//! A winner is a gradient and where its patch begins in a strip whose channels lie innermost, so that one row of the
//! kernel is one stretch of memory. A few rows of the patch, a few vectors each, stand in registers while all winners
//! of a list go by: sums of the weight gradient, or the weights that the input gradient spreads.

#[cfg(target_arch = "x86_64")]
use crate::cpu::{Level, level};

/// Where a patch begins, and its gradient.
pub type Winner = (u32, f32);

/// Stretches are padded to whole vectors of the widest kind.
pub const LANES: usize = 16;

/// Rows of patches or weights: `rows` stretches of `length` floats, a multiple of [`LANES`], `step` apart.
#[derive(Debug, Clone, Copy)]
pub struct Rows {
    pub rows: usize,
    pub length: usize,
    pub step: usize,
}

impl Rows {
    fn end(&self) -> usize {
        (self.rows - 1) * self.step + self.length
    }

    /// Panics where a winner's patch would pass the end of `strip`.
    fn check(&self, list: &[Winner], strip: &[f32], patch: &Rows, weights: &[f32]) {
        let last = list.iter().fold(0, |last, winner| last.max(winner.0)) as usize;
        assert!(last + patch.end() <= strip.len() && self.end() <= weights.len());
        assert!(self.rows == patch.rows && self.length == patch.length);
        assert!(self.length.is_multiple_of(LANES));
    }
}

/// `sums += Σ gradient · patch`
pub fn gather(list: &[Winner], strip: &[f32], patch: Rows, sums: &mut [f32], at: Rows) {
    if list.is_empty() {
        return;
    }
    at.check(list, strip, &patch, sums);
    let (strip, sums) = (strip.as_ptr(), sums.as_mut_ptr());
    each_block(at.rows, at.length, |block, row, column| {
        // SAFETY: checked above, and blocks cover rows and length exactly.
        unsafe {
            let strip = strip.add(row * patch.step + column);
            let sums = sums.add(row * at.step + column);
            (block.gather)(list, strip, patch.step, sums, at.step);
        }
    });
}

/// `patch += gradient · weights`, for each winner in order.
pub fn spread(list: &[Winner], strip: &mut [f32], patch: Rows, weights: &[f32], at: Rows) {
    if list.is_empty() {
        return;
    }
    at.check(list, strip, &patch, weights);
    let (strip, weights) = (strip.as_mut_ptr(), weights.as_ptr());
    each_block(at.rows, at.length, |block, row, column| {
        // SAFETY: as above.
        unsafe {
            let strip = strip.add(row * patch.step + column);
            let weights = weights.add(row * at.step + column);
            (block.spread)(list, strip, patch.step, weights, at.step);
        }
    });
}

/// What registers hold at a time, and the loops for it.
#[derive(Clone, Copy)]
struct Block {
    width: usize,
    gather: unsafe fn(&[Winner], *const f32, usize, *mut f32, usize),
    spread: unsafe fn(&[Winner], *mut f32, usize, *const f32, usize),
}

/// Cuts rows and columns into blocks.
fn each_block(rows: usize, length: usize, mut run: impl FnMut(&Block, usize, usize)) {
    for row in (0..rows).step_by(3) {
        let blocks = blocks((rows - row).min(3));
        let mut column = 0;
        while column < length {
            let fits = |block: &&Block| block.width <= length - column;
            let block = blocks.iter().find(fits).expect("the last one always fits");
            run(block, row, column);
            column += block.width;
        }
    }
}

/// The blocks of so many rows, widest first.
fn blocks(rows: usize) -> &'static [Block] {
    #[cfg(target_arch = "x86_64")]
    match level() {
        Level::Avx512 => return avx512::BLOCKS[rows - 1],
        Level::Avx2 => return avx2::BLOCKS[rows - 1],
        Level::Portable => {}
    }
    portable::BLOCKS[rows - 1]
}

/// The blocks of 1, 2 and 3 rows, each of these numbers of vectors.
macro_rules! blocks {
    ($lanes:literal: $($v:literal),*) => {
        pub const BLOCKS: [&[super::Block]; 3] = [
            &[$(super::Block { width: $v * $lanes, gather: gather::<1, $v>, spread: spread::<1, $v> }),*],
            &[$(super::Block { width: $v * $lanes, gather: gather::<2, $v>, spread: spread::<2, $v> }),*],
            &[$(super::Block { width: $v * $lanes, gather: gather::<3, $v>, spread: spread::<3, $v> }),*],
        ];
    };
}

#[cfg(target_arch = "x86_64")]
macro_rules! x86 {
    ($module:ident, $features:literal, $lanes:literal, [$($v:literal),*],
     $zero:ident, $load:ident, $set:ident, $fma:ident, $add:ident, $store:ident) => {
        mod $module {
            use super::Winner;
            use std::arch::x86_64::*;

            blocks!($lanes: $($v),*);

            /// # Safety
            /// R rows of V vectors can be read at every winner, and read and written at `sums`; the processor has
            /// the instructions.
            #[target_feature(enable = $features)]
            unsafe fn gather<const R: usize, const V: usize>(
                list: &[Winner], strip: *const f32, step: usize, sums: *mut f32, sums_step: usize,
            ) {
                let mut acc = [[$zero(); V]; R];
                for &(at, gradient) in list {
                    let gradient = $set(gradient);
                    for r in 0..R {
                        for v in 0..V {
                            // SAFETY: promised.
                            let x = unsafe { $load(strip.add(at as usize + r * step + v * $lanes)) };
                            acc[r][v] = $fma(gradient, x, acc[r][v]);
                        }
                    }
                }
                for r in 0..R {
                    for v in 0..V {
                        // SAFETY: promised.
                        unsafe {
                            let sums = sums.add(r * sums_step + v * $lanes);
                            $store(sums, $add($load(sums), acc[r][v]));
                        }
                    }
                }
            }

            /// # Safety
            /// R rows of V vectors can be read and written at every winner, and read at `weights`; the processor has
            /// the instructions.
            #[target_feature(enable = $features)]
            unsafe fn spread<const R: usize, const V: usize>(
                list: &[Winner], strip: *mut f32, step: usize, weights: *const f32, weights_step: usize,
            ) {
                let mut w = [[$zero(); V]; R];
                for r in 0..R {
                    for v in 0..V {
                        // SAFETY: promised.
                        w[r][v] = unsafe { $load(weights.add(r * weights_step + v * $lanes)) };
                    }
                }
                for &(at, gradient) in list {
                    let gradient = $set(gradient);
                    for r in 0..R {
                        for v in 0..V {
                            // SAFETY: promised.
                            unsafe {
                                let x = strip.add(at as usize + r * step + v * $lanes);
                                $store(x, $fma(gradient, w[r][v], $load(x)));
                            }
                        }
                    }
                }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
x86!(
    avx512,
    "avx512f",
    16,
    [6, 4, 3, 2, 1],
    _mm512_setzero_ps,
    _mm512_loadu_ps,
    _mm512_set1_ps,
    _mm512_fmadd_ps,
    _mm512_add_ps,
    _mm512_storeu_ps
);
#[cfg(target_arch = "x86_64")]
x86!(
    avx2,
    "avx2,fma",
    8,
    [4, 2, 1],
    _mm256_setzero_ps,
    _mm256_loadu_ps,
    _mm256_set1_ps,
    _mm256_fmadd_ps,
    _mm256_add_ps,
    _mm256_storeu_ps
);

mod portable {
    use super::Winner;

    blocks!(8: 1);

    /// # Safety
    /// As the others.
    unsafe fn gather<const R: usize, const V: usize>(
        list: &[Winner],
        strip: *const f32,
        step: usize,
        sums: *mut f32,
        sums_step: usize,
    ) {
        let mut acc = [[0f32; 8]; R];
        for &(at, gradient) in list {
            for r in 0..R {
                // SAFETY: promised.
                let x = unsafe { &*strip.add(at as usize + r * step).cast::<[f32; 8]>() };
                for i in 0..8 {
                    acc[r][i] += gradient * x[i];
                }
            }
        }
        for r in 0..R {
            // SAFETY: promised.
            let sums = unsafe { &mut *sums.add(r * sums_step).cast::<[f32; 8]>() };
            sums.iter_mut().zip(acc[r]).for_each(|(s, a)| *s += a);
        }
    }

    /// # Safety
    /// As the others.
    unsafe fn spread<const R: usize, const V: usize>(
        list: &[Winner],
        strip: *mut f32,
        step: usize,
        weights: *const f32,
        weights_step: usize,
    ) {
        for &(at, gradient) in list {
            for r in 0..R {
                // SAFETY: promised; weights and strip are different slices.
                let (x, w) = unsafe {
                    (
                        &mut *strip.add(at as usize + r * step).cast::<[f32; 8]>(),
                        &*weights.add(r * weights_step).cast::<[f32; 8]>(),
                    )
                };
                x.iter_mut().zip(w).for_each(|(x, w)| *x += gradient * w);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_over_winners_of_any_width() {
        for (rows, length) in [(1, 16), (2, 32), (3, 96), (5, 80), (4, 112)] {
            let patch = Rows {
                rows,
                length,
                step: 150,
            };
            let at = Rows {
                step: length,
                ..patch
            };
            let strip: Vec<f32> = (0..2000).map(|i| (i * 7 % 23) as f32 - 11.0).collect();
            let list = [(3, 2.0), (700, -1.0), (4, 0.5)];
            let mut sums = vec![1.0; rows * length];
            gather(&list, &strip, patch, &mut sums, at);
            let mut spread_to = strip.clone();
            spread(&list, &mut spread_to, patch, &sums, at);
            let mut want = strip.clone();
            for r in 0..rows {
                for i in 0..length {
                    let seen = |at: usize| strip[at + r * 150 + i];
                    let sum = 1.0 + 2.0 * seen(3) - seen(700) + 0.5 * seen(4);
                    assert_eq!(sums[r * length + i], sum);
                    for (at, gradient) in list {
                        want[at as usize + r * 150 + i] += gradient * sum;
                    }
                }
            }
            assert_eq!(spread_to, want, "whole numbers are exact");
        }
    }
}
