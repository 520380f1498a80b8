//! All threads at once: chains of multiply-adds that stay in registers; copies of pieces.

use super::{A, B};
use crate::cpu::stream::{settle, stream};
use crate::cpu::{Disjoint, Level, for_ranges, level};
use crate::vectorized;

/// Numbers that one thread takes at once.
const GRAIN: usize = 1 << 18;

/// `steps` multiply-adds on each number.
pub fn fma(x: &[f32], y: &mut [f32], steps: usize) {
    let out = Disjoint::new(y);
    // Few numbers with many steps are worth a thread too.
    let grain = (GRAIN / steps.max(1)).clamp(1024, GRAIN);
    for_ranges(x.len(), grain, |range| {
        // SAFETY: ranges do not overlap.
        let y = unsafe { out.slice(range.clone()) };
        let x = &x[range];
        match level() {
            // Eight chains of 16 numbers, or of 8: what hides the latency and fits the registers.
            Level::Avx512 => wide(x, y, steps),
            Level::Avx2 => narrow(x, y, steps),
            // x86-64 without FMA would call a function for it.
            Level::Portable if cfg!(target_arch = "x86_64") => {
                chains::<64>(x, y, steps, |v| v * A + B);
            }
            Level::Portable => narrow(x, y, steps),
        }
    });
}

vectorized! {
    fn wide(x: &[f32], y: &mut [f32], steps: usize) {
        chains::<128>(x, y, steps, |v| v.mul_add(A, B));
    }

    fn narrow(x: &[f32], y: &mut [f32], steps: usize) {
        chains::<64>(x, y, steps, |v| v.mul_add(A, B));
    }
}

#[inline(always)]
fn chains<const N: usize>(x: &[f32], y: &mut [f32], steps: usize, step: impl Fn(f32) -> f32) {
    for (x, y) in x.chunks(N).zip(y.chunks_mut(N)) {
        let mut values = [0.0f32; N];
        values[..x.len()].copy_from_slice(x);
        for _ in 0..steps {
            values.iter_mut().for_each(|v| *v = step(*v));
        }
        y.copy_from_slice(&values[..x.len()]);
    }
}

/// `y = x`, past the caches.
pub fn copy(x: &[f32], y: &mut [f32]) {
    let out = Disjoint::new(y);
    for_ranges(x.len(), 4 * GRAIN, |range| {
        // SAFETY: ranges do not overlap.
        stream(&x[range.clone()], unsafe { out.slice(range) }, &[], 0);
        settle();
    });
}
