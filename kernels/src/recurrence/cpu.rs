//! The walk along time on the CPU.
//!
//! Examples are independent of each other, so a task takes a few of them through all steps: no thread ever waits for
//! another between two steps, and states and sums stay in the first-level cache. The weights are packed once. What a
//! step makes of its sums is up to the cell.

use super::Recurrence;
use crate::cpu::gemm::Strided;
use crate::cpu::packed::Packed;
use crate::cpu::{Disjoint, for_each};
use std::ops::Range;

/// What a step makes of its sums.
pub trait Cell: Sync {
    /// How many gates.
    const GATES: usize;

    /// Takes the state `h` of one example (and a second one, `c`) a step further; `u = W_hh·h + b_hh`. `row` is the
    /// step's row of everything that lies `[n, t, …]`.
    fn step(&self, row: usize, u: &[f32], h: &mut [f32], c: &mut [f32]);
}

/// A step on the way back.
pub trait CellGrad: Sync {
    /// How many gates.
    const GATES: usize;

    /// From the gradients of the states behind the step, `dh` and `dc`, to that of its sums, `du`; leaves in `dh` and
    /// `dc` what reaches the states before it without passing through `W_hh`.
    fn step(&self, row: usize, dh: &mut [f32], dc: &mut [f32], du: &mut [f32]);
}

/// Examples in tasks: as many as the product takes at once, an even number of tasks where there are several.
fn tasks(s: &Recurrence, rows: usize, task: impl Fn(Range<usize>) + Sync + Send) {
    let count = s.n.div_ceil(rows).next_multiple_of(2).min(s.n);
    let rows = s.n.div_ceil(count);
    for_each(s.n.div_ceil(rows), |i| {
        task(i * rows..s.n.min((i + 1) * rows))
    });
}

/// All steps forward, `y` on the way.
pub fn forward<C: Cell>(
    s: &Recurrence,
    cell: &C,
    w_hh: &[f32],
    b_hh: Option<&[f32]>,
    y: &mut [f32],
) {
    let (h, gates) = (s.h, C::GATES * s.h);
    let transposed = Strided {
        data: w_hh,
        outer_stride: h,
        k_stride: 1,
    };
    let weights = Packed::new(gates, h, &transposed);
    let y = Disjoint::new(y);
    tasks(s, weights.rows(), |examples| {
        let mut state = vec![0f32; examples.len() * h];
        let mut second = state.clone();
        let mut sums = vec![0f32; examples.len() * gates];
        let mut scratch = Vec::new();
        for step in 0..s.t {
            weights.multiply(&state, b_hh, &mut sums, &mut scratch);
            let states = state.chunks_exact_mut(h).zip(second.chunks_exact_mut(h));
            for ((example, u), (state, second)) in
                examples.clone().zip(sums.chunks_exact(gates)).zip(states)
            {
                cell.step(example * s.t + s.time(step), u, state, second);
                if let Some(at) = s.output(example, step) {
                    // SAFETY: every example belongs to one task.
                    unsafe { y.slice(at..at + h) }.copy_from_slice(state);
                }
            }
        }
    });
}

/// All steps back.
pub fn backward<C: CellGrad>(s: &Recurrence, cell: &C, w_hh: &[f32], dy: &[f32]) {
    let (h, gates) = (s.h, C::GATES * s.h);
    let plain = Strided {
        data: w_hh,
        outer_stride: 1,
        k_stride: h,
    };
    let weights = Packed::new(h, gates, &plain);
    tasks(s, weights.rows(), |examples| {
        let mut dh = vec![0f32; examples.len() * h];
        let mut dc = dh.clone();
        let mut through = dh.clone();
        let mut du = vec![0f32; examples.len() * gates];
        let mut scratch = Vec::new();
        for step in (0..s.t).rev() {
            let states = dh.chunks_exact_mut(h).zip(dc.chunks_exact_mut(h));
            for ((example, du), (dh, dc)) in
                examples.clone().zip(du.chunks_exact_mut(gates)).zip(states)
            {
                if let Some(at) = s.output(example, step) {
                    dh.iter_mut().zip(&dy[at..]).for_each(|(d, dy)| *d += dy);
                }
                cell.step(example * s.t + s.time(step), dh, dc, du);
            }
            if step > 0 {
                weights.multiply(&du, None, &mut through, &mut scratch);
                dh.iter_mut().zip(&through).for_each(|(d, t)| *d += t);
            }
        }
    });
}
