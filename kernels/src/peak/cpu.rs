//! All threads at once: chains of multiply-adds that stay in registers; copies of pieces.

use super::{A, B};
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

/// `y = x`.
pub fn copy(x: &[f32], y: &mut [f32]) {
    let out = Disjoint::new(y);
    for_ranges(x.len(), 4 * GRAIN, |range| {
        // SAFETY: ranges do not overlap.
        stream(&x[range.clone()], unsafe { out.slice(range) });
    });
}

/// Past the caches: an ordinary store reads its line from memory first, and a copy would then move three bytes for two.
#[cfg(target_arch = "x86_64")]
fn stream(x: &[f32], y: &mut [f32]) {
    use std::arch::x86_64::{__m128, _mm_loadu_ps, _mm_sfence, _mm_stream_ps};
    // SAFETY: four numbers are what a vector is.
    let (head, body, tail) = unsafe { y.align_to_mut::<__m128>() };
    let (first, rest) = x.split_at(head.len());
    let (middle, last) = rest.split_at(4 * body.len());
    head.copy_from_slice(first);
    tail.copy_from_slice(last);
    for (to, from) in body.iter_mut().zip(middle.chunks_exact(4)) {
        // SAFETY: `to` is aligned, `from` is as long; every x86-64 has SSE.
        unsafe { _mm_stream_ps(std::ptr::from_mut(to).cast(), _mm_loadu_ps(from.as_ptr())) };
    }
    // SAFETY: every x86-64 has SSE. Streamed numbers are then in their places for all who come later.
    unsafe { _mm_sfence() };
}

#[cfg(not(target_arch = "x86_64"))]
fn stream(x: &[f32], y: &mut [f32]) {
    y.copy_from_slice(x);
}
