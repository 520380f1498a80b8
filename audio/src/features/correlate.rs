//! Sums over a short signal and another one, or itself, shifted: they find what repeats.

use kernels::vectorized;

/// Shifts that are summed up side by side: several vectors of them, so that the loop over them stays a loop. Nested
/// loops
/// over one vector each became gathers, at forty times the time.
const SHIFTS: usize = 64;

/// How much longer than its `length` a signal must be, by zeros, for so many shifts.
pub(super) fn padding(shifts: usize) -> usize {
    shifts.next_multiple_of(SHIFTS)
}

/// Σ f(short[i], x[i + k]) for SHIFTS successive k.
#[inline(always)]
fn sums(short: &[f32], x: &[f32], f: impl Fn(f32, f32) -> f32) -> [f32; SHIFTS] {
    let mut sums = [0f32; SHIFTS];
    for (a, shifted) in short.iter().zip(x.windows(SHIFTS)) {
        for (sum, b) in sums.iter_mut().zip(shifted) {
            *sum += f(*a, *b);
        }
    }
    sums
}

vectorized! {
    /// `out[k] = Σ x[i] · x[i + k]` over the first `length` numbers, behind which `x` has [`padding`] zeros.
    pub(super) fn products(x: &[f32], length: usize, out: &mut [f32]) {
        for (block, out) in out.chunks_mut(SHIFTS).enumerate() {
            let from = block * SHIFTS;
            let short = &x[..length.saturating_sub(from)];
            let sums = sums(short, &x[from..], |a, b| a * b);
            out.copy_from_slice(&sums[..out.len()]);
        }
    }

    /// `out[k] = Σ (x[i] - x[i + k])²` over the first `length` numbers, behind which `x` has [`padding`] zeros.
    pub(super) fn differences(x: &[f32], length: usize, out: &mut [f32]) {
        for (block, out) in out.chunks_mut(SHIFTS).enumerate() {
            let sums = sums(&x[..length], &x[block * SHIFTS..], |a, b| (a - b) * (a - b));
            out.copy_from_slice(&sums[..out.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::abs_diff_eq;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn sums_are_those_of_the_definition(
            signal in prop::collection::vec(-1f32..1.0, 1..200), share in 0f64..=1.0,
        ) {
            let length = signal.len();
            let shifts = 1 + (share * (length - 1) as f64) as usize;
            let mut x = signal.clone();
            x.resize(length + padding(shifts), 0.0);
            let (mut product, mut difference) = (vec![0.0; shifts], vec![0.0; shifts]);
            products(&x, length, &mut product);
            differences(&x, length, &mut difference);
            for k in 0..shifts {
                let sum = |f: fn(f32, f32) -> f32| (0..length).map(|i| f(x[i], x[i + k])).sum::<f32>();
                prop_assert!(abs_diff_eq!(product[k], sum(|a, b| a * b), epsilon = 1e-4));
                prop_assert!(abs_diff_eq!(difference[k], sum(|a, b| (a - b) * (a - b)), epsilon = 1e-4));
            }
        }
    }
}
