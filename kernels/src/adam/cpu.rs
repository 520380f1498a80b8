//! One vectorised pass over the four buffers, a piece to each thread.

use super::Factors;
use crate::cpu::{Disjoint, GRAIN, for_ranges};
use crate::vectorized;

pub fn adam(f: &Factors, gradient: &[f32], p: &mut [f32], m: &mut [f32], v: &mut [f32]) {
    let (p, m, v) = (Disjoint::new(p), Disjoint::new(m), Disjoint::new(v));
    for_ranges(gradient.len(), GRAIN, |range| {
        // SAFETY: the ranges do not overlap.
        let (p, m, v) = unsafe {
            (
                p.slice(range.clone()),
                m.slice(range.clone()),
                v.slice(range.clone()),
            )
        };
        step(f, &gradient[range], p, m, v);
    });
}

vectorized! {
    fn step(f: &Factors, gradient: &[f32], p: &mut [f32], m: &mut [f32], v: &mut [f32]) {
        let f = *f;
        for (((g, p), m), v) in gradient.iter().zip(p).zip(m).zip(v) {
            let g = g + f.weight_decay * *p;
            *m = f.beta1 * *m + f.rest1 * g;
            *v = f.beta2 * *v + f.rest2 * g * g;
            *p -= f.rate * *m / (v.sqrt() * f.scale2 + f.eps);
        }
    }
}
