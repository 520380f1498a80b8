//! Two passes over each clip, both vectorised: its maximum, then the logarithms.

use super::{DB_PER_OCTAVE, PowerToDb, Reference};
use crate::cpu::{Disjoint, GRAIN, for_ranges, math};
use crate::vectorized;

pub fn power_to_db(s: &PowerToDb, x: &[f32], y: &mut [f32]) {
    let reference = match s.reference {
        Reference::Max => 0.0,
        Reference::Value(value) => db(value.max(s.amin)),
    };
    for (x, y) in x.chunks(s.len).zip(y.chunks_mut(s.len)) {
        let (offset, floor) = s.bounds(db(loudest(x, s.amin)), reference);
        let y = Disjoint::new(y);
        for_ranges(s.len, GRAIN, |range| {
            // SAFETY: the ranges do not overlap.
            let out = unsafe { y.slice(range.clone()) };
            map(&x[range], s.amin, offset, floor, out);
        });
    }
}

/// 10·log10, from the natural logarithm.
#[inline(always)]
fn db(power: f32) -> f32 {
    const DB: f32 = (DB_PER_OCTAVE / std::f64::consts::LN_2) as f32;
    DB * math::ln(power)
}

vectorized! {
    fn loudest(x: &[f32], amin: f32) -> f32 {
        // Sixteen maxima side by side, since one would make every step wait for the one before.
        let mut lanes = [amin; 16];
        let blocks = x.chunks_exact(16);
        let rest = blocks.remainder();
        for block in blocks {
            for (most, v) in lanes.iter_mut().zip(block) {
                *most = if *v > *most { *v } else { *most };
            }
        }
        lanes.iter().chain(rest).fold(amin, |most, v| most.max(*v))
    }

    fn map(x: &[f32], amin: f32, offset: f32, floor: f32, y: &mut [f32]) {
        for (x, y) in x.iter().zip(y) {
            let value = db(if *x > amin { *x } else { amin }) - offset;
            *y = if value > floor { value } else { floor };
        }
    }
}
