//! Transposes: 16 × 16 numbers at a time in registers where the processor has AVX-512, so that neither side is walked
//! in steps.

#[cfg(target_arch = "x86_64")]
use super::{Level, level, prefetch};

/// Numbers in a block's side.
const SIDE: usize = 16;

/// Numbers between what is read and what is asked for: rows lie far apart, and the next block of each further on.
#[cfg(target_arch = "x86_64")]
const AHEAD: usize = 64;

/// `to[c·to_step + r] = from[r·from_step + c]` for `rows` × `columns` numbers.
///
/// # Panics
/// If a slice is too short.
pub fn transpose(
    from: &[f32],
    from_step: usize,
    [rows, columns]: [usize; 2],
    to: &mut [f32],
    to_step: usize,
) {
    if rows == 0 || columns == 0 {
        return;
    }
    assert!(
        (rows - 1) * from_step + columns <= from.len()
            && (columns - 1) * to_step + rows <= to.len(),
        "{rows} × {columns} numbers, {from_step} and {to_step} apart, of {} into {}",
        from.len(),
        to.len()
    );
    if (rows, to_step) == (1, 1) {
        return to[..columns].copy_from_slice(&from[..columns]);
    }
    if (columns, from_step) == (1, 1) {
        return to[..rows].copy_from_slice(&from[..rows]);
    }
    #[cfg(target_arch = "x86_64")]
    if level() == Level::Avx512 {
        for column in (0..columns).step_by(SIDE) {
            for row in (0..rows).step_by(SIDE) {
                let size = [(rows - row).min(SIDE), (columns - column).min(SIDE)];
                // SAFETY: the processor has AVX-512; the block lies within both slices, as asserted.
                unsafe {
                    let from = from.as_ptr().add(row * from_step + column);
                    let to = to.as_mut_ptr().add(column * to_step + row);
                    avx512(from, from_step, size, to, to_step);
                }
            }
        }
        return;
    }
    for column in (0..columns).step_by(SIDE) {
        let count = (columns - column).min(SIDE);
        for row in 0..rows {
            let from = &from[row * from_step + column..][..count];
            let slots = to[column * to_step + row..].iter_mut().step_by(to_step);
            slots.zip(from).for_each(|(slot, value)| *slot = *value);
        }
    }
}

/// One block of at most 16 × 16.
///
/// # Safety
/// `rows` stretches of `columns` numbers can be read, `columns` stretches of `rows` numbers written; the processor has
/// AVX-512 F.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn avx512(
    from: *const f32,
    from_step: usize,
    [rows, columns]: [usize; 2],
    to: *mut f32,
    to_step: usize,
) {
    use std::arch::x86_64::*;
    let mask = |count: usize| ((1u32 << count) - 1) as __mmask16;
    let mut r = [_mm512_setzero_ps(); SIDE];
    for (i, r) in r.iter_mut().enumerate().take(rows) {
        prefetch(from.wrapping_add(i * from_step + AHEAD), 1);
        // SAFETY: promised; what the mask leaves out is not touched.
        *r = unsafe { _mm512_maskz_loadu_ps(mask(columns), from.add(i * from_step)) };
    }
    // Pairs of rows, then fours: lane L of u[4g + c] holds column 4L + c of rows 4g to 4g + 3.
    let mut u = [_mm512_setzero_pd(); SIDE];
    for g in 0..4 {
        let pair = |i: usize| (r[4 * g + i], r[4 * g + i + 1]);
        let ((a, b), (c, d)) = (pair(0), pair(2));
        let low = _mm512_castps_pd(_mm512_unpacklo_ps(a, b));
        let high = _mm512_castps_pd(_mm512_unpackhi_ps(a, b));
        let next_low = _mm512_castps_pd(_mm512_unpacklo_ps(c, d));
        let next_high = _mm512_castps_pd(_mm512_unpackhi_ps(c, d));
        u[4 * g] = _mm512_unpacklo_pd(low, next_low);
        u[4 * g + 1] = _mm512_unpackhi_pd(low, next_low);
        u[4 * g + 2] = _mm512_unpacklo_pd(high, next_high);
        u[4 * g + 3] = _mm512_unpackhi_pd(high, next_high);
    }
    // Lanes of the four groups of rows together.
    for c in 0..4 {
        let lane = |g: usize| _mm512_castpd_ps(u[4 * g + c]);
        let even = _mm512_shuffle_f32x4::<0x88>(lane(0), lane(1));
        let odd = _mm512_shuffle_f32x4::<0xdd>(lane(0), lane(1));
        let next_even = _mm512_shuffle_f32x4::<0x88>(lane(2), lane(3));
        let next_odd = _mm512_shuffle_f32x4::<0xdd>(lane(2), lane(3));
        let out = [
            _mm512_shuffle_f32x4::<0x88>(even, next_even),
            _mm512_shuffle_f32x4::<0x88>(odd, next_odd),
            _mm512_shuffle_f32x4::<0xdd>(even, next_even),
            _mm512_shuffle_f32x4::<0xdd>(odd, next_odd),
        ];
        for (l, out) in out.into_iter().enumerate() {
            if 4 * l + c < columns {
                // SAFETY: promised.
                unsafe { _mm512_mask_storeu_ps(to.add((4 * l + c) * to_step), mask(rows), out) };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_finds_its_place_and_nothing_else_is_touched() {
        for [rows, columns] in [[1, 1], [16, 16], [7, 33], [40, 5], [48, 31], [0, 4]] {
            let (from_step, to_step) = (columns + 3, rows + 2);
            let from: Vec<f32> = (0..rows * from_step).map(|i| i as f32).collect();
            let mut to = vec![-1.0; columns * to_step];
            transpose(&from, from_step, [rows, columns], &mut to, to_step);
            for (at, value) in to.iter().enumerate() {
                let (column, row) = (at / to_step, at % to_step);
                let want = match row < rows {
                    true => from[row * from_step + column],
                    false => -1.0,
                };
                assert_eq!(*value, want);
            }
        }
        // A single row or column is a copy.
        let mut to = [0.0; 3];
        transpose(&[1.0, 2.0, 3.0], 9, [1, 3], &mut to, 1);
        assert_eq!(to, [1.0, 2.0, 3.0]);
        transpose(&[4.0, 5.0], 1, [2, 1], &mut to, 9);
        assert_eq!(to, [4.0, 5.0, 3.0]);
    }
}
