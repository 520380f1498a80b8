//! The innermost loop of the matrix product: a tile of C in registers, `k` rank-one updates.
//!
//! `tile[i][j] = Σ_k a[k][i] · b[k][j]` with `a` packed as `[k, MR]` and `b` as `[k, NR]`. The tile is sized for the
//! register file: with AVX-512 8 × 48 takes 24 of 32 registers for sums, 3 for `b` and 1 for the broadcast of `a`;
//! with AVX2 4 × 24 takes 12 + 3 + 1 of 16. Eight (four) rows fit the channel counts of networks, which are multiples
//! of eight.

#[cfg(target_arch = "x86_64")]
use super::{Level, level};

/// The largest tile.
pub const MAX_TILE: usize = 8 * 48;

/// A tile shape and the loop that fills it.
#[derive(Clone, Copy)]
pub struct Microkernel {
    /// Rows of a tile.
    pub mr: usize,
    /// Columns of a tile.
    pub nr: usize,
    run: Run,
    add: Run,
}

/// `k`, `a`, `b`, the distance of `b`'s rows, the tile.
type Run = unsafe fn(usize, *const f32, *const f32, usize, &mut [f32; MAX_TILE]);

impl Microkernel {
    /// The best for this processor.
    pub fn best() -> Self {
        #[cfg(target_arch = "x86_64")]
        match level() {
            Level::Avx512 => {
                return Microkernel {
                    mr: 8,
                    nr: 48,
                    run: avx512::<false>,
                    add: avx512::<true>,
                };
            }
            Level::Avx2 => {
                return Microkernel {
                    mr: 4,
                    nr: 24,
                    run: avx2::<false>,
                    add: avx2::<true>,
                };
            }
            Level::Portable => {}
        }
        Microkernel::portable()
    }

    /// The one that runs everywhere.
    pub fn portable() -> Self {
        Microkernel {
            mr: 4,
            nr: 24,
            run: portable::<false>,
            add: portable::<true>,
        }
    }

    /// Fills `tile` (row-major, `nr` columns) from `k` packed rows of `a` and `b`.
    ///
    /// # Panics
    /// If `a` or `b` is shorter than `k` rows.
    pub fn run(&self, k: usize, a: &[f32], b: &[f32], tile: &mut [f32; MAX_TILE]) {
        assert!(a.len() >= k * self.mr && b.len() >= k * self.nr);
        // SAFETY: both are long enough, and `best` has asked for the instructions.
        unsafe { (self.run)(k, a.as_ptr(), b.as_ptr(), self.nr, tile) }
    }

    /// Adds to `tile` from `k` packed rows of `a`, and of `b` rows that begin `step` apart.
    ///
    /// # Panics
    /// If `a` or `b` is too short.
    pub fn add(&self, k: usize, a: &[f32], b: &[f32], step: usize, tile: &mut [f32; MAX_TILE]) {
        assert!(k > 0 && a.len() >= k * self.mr && b.len() >= (k - 1) * step + self.nr);
        // SAFETY: as above.
        unsafe { (self.add)(k, a.as_ptr(), b.as_ptr(), step, tile) }
    }
}

/// # Safety
/// `a` and `b` hold `k` rows of 4 and 24 floats, those of `b` beginning `step` apart.
unsafe fn portable<const ADD: bool>(
    k: usize,
    a: *const f32,
    b: *const f32,
    step: usize,
    tile: &mut [f32; MAX_TILE],
) {
    let mut acc = [[0f32; 24]; 4];
    for p in 0..k {
        // SAFETY: row p < k.
        let (a, b) = unsafe {
            (
                &*a.add(4 * p).cast::<[f32; 4]>(),
                &*b.add(step * p).cast::<[f32; 24]>(),
            )
        };
        for i in 0..4 {
            for j in 0..24 {
                acc[i][j] += a[i] * b[j];
            }
        }
    }
    for (row, acc) in tile.chunks_exact_mut(24).zip(acc) {
        row.iter_mut()
            .zip(acc)
            .for_each(|(t, a)| *t = if ADD { *t + a } else { a });
    }
}

#[cfg(target_arch = "x86_64")]
macro_rules! x86 {
    ($name:ident, $features:literal, $vector:ident, $mr:literal, $lanes:literal,
     $zero:ident, $load:ident, $broadcast:ident, $fma:ident, $add:ident, $store:ident) => {
        /// # Safety
        /// `a` and `b` hold `k` rows of MR and NR floats, those of `b` beginning `step` apart; the processor has the
        /// instructions.
        #[target_feature(enable = $features)]
        unsafe fn $name<const ADD: bool>(
            k: usize,
            a: *const f32,
            b: *const f32,
            step: usize,
            tile: &mut [f32; MAX_TILE],
        ) {
            use std::arch::x86_64::*;
            let mut acc: [[$vector; 3]; $mr] = [[$zero(); 3]; $mr];
            let (mut a, mut b) = (a, b);
            for _ in 0..k {
                // SAFETY: row p < k of both.
                unsafe {
                    let row = [$load(b), $load(b.add($lanes)), $load(b.add(2 * $lanes))];
                    for i in 0..$mr {
                        let scale = $broadcast(*a.add(i));
                        for j in 0..3 {
                            acc[i][j] = $fma(scale, row[j], acc[i][j]);
                        }
                    }
                    a = a.add($mr);
                    b = b.add(step);
                }
            }
            for i in 0..$mr {
                for j in 0..3 {
                    // SAFETY: the tile holds MR rows of NR floats.
                    unsafe {
                        let tile = tile.as_mut_ptr().add((3 * i + j) * $lanes);
                        let sum = acc[i][j];
                        $store(tile, if ADD { $add($load(tile), sum) } else { sum });
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
    __m512,
    8,
    16,
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
    __m256,
    4,
    8,
    _mm256_setzero_ps,
    _mm256_loadu_ps,
    _mm256_set1_ps,
    _mm256_fmadd_ps,
    _mm256_add_ps,
    _mm256_storeu_ps
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_version_agrees_with_the_sum() {
        for kernel in [Microkernel::best(), Microkernel::portable()] {
            let (k, mr, nr) = (37, kernel.mr, kernel.nr);
            let a: Vec<f32> = (0..k * mr).map(|i| (i * 7 % 23) as f32 - 11.0).collect();
            let b: Vec<f32> = (0..k * nr).map(|i| (i * 5 % 19) as f32 - 9.0).collect();
            let mut tile = [f32::NAN; MAX_TILE];
            kernel.run(k, &a, &b, &mut tile);
            for i in 0..mr {
                for j in 0..nr {
                    let sum: f32 = (0..k).map(|p| a[p * mr + i] * b[p * nr + j]).sum();
                    assert_eq!(tile[i * nr + j], sum, "whole numbers are exact");
                }
            }
            // Once more on top: overlapping rows of b.
            let before = tile;
            kernel.add(k - 5, &a, &b, 3, &mut tile);
            for i in 0..mr {
                for j in 0..nr {
                    let sum: f32 = (0..k - 5).map(|p| a[p * mr + i] * b[p * 3 + j]).sum();
                    assert_eq!(tile[i * nr + j], before[i * nr + j] + sum);
                }
            }
        }
    }
}
