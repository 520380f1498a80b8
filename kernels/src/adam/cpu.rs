//! One vectorised pass over the four buffers, a piece to each thread.

use super::Factors;
use crate::cpu::{Disjoint, GRAIN, for_ranges};
use crate::gradient::{BLOCK, Taken};
use crate::vectorized;

pub fn adam(f: &Factors, inputs: &[&[f32]], p: &mut [f32], m: &mut [f32], v: &mut [f32]) {
    let [gradient, scale, penalty] = [inputs[0], inputs[1], inputs[2]];
    let taken = Taken {
        scale: scale[0],
        limit: f.limit,
    };
    let (p, m, v) = (Disjoint::new(p), Disjoint::new(m), Disjoint::new(v));
    // Pieces are whole blocks.
    for_ranges(gradient.len(), GRAIN, |range| {
        // SAFETY: the ranges do not overlap.
        let [p, m, v] = unsafe { [&p, &m, &v].map(|all| all.slice(range.clone())) };
        step(
            f,
            taken,
            &gradient[range.clone()],
            &penalty[range.start / BLOCK..],
            p,
            m,
            v,
        );
    });
}

vectorized! {
    fn step(f: &Factors, taken: Taken, gradient: &[f32], penalty: &[f32], p: &mut [f32], m: &mut [f32], v: &mut [f32]) {
        let f = *f;
        let blocks = gradient.chunks(BLOCK).zip(p.chunks_mut(BLOCK)).zip(m.chunks_mut(BLOCK)).zip(v.chunks_mut(BLOCK));
        for ((((gradient, p), m), v), penalty) in blocks.zip(penalty) {
            for (((g, p), m), v) in gradient.iter().zip(p).zip(m).zip(v) {
                let g = taken.gradient(*g, *penalty, *p);
                *m = f.beta1 * *m + f.rest1 * g;
                *v = f.beta2 * *v + f.rest2 * g * g;
                *p = *p * f.keep - f.rate * *m / (v.sqrt() * f.scale2 + f.eps);
            }
        }
    }
}
