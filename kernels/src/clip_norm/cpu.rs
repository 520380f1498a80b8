//! Pieces of fixed length over the threads, sixteen sums side by side; the pieces' sums added in f64, in order.

use super::{ClipNorm, EPS, PIECE};
use crate::cpu::{Disjoint, for_each};
use crate::vectorized;

pub fn clip_norm(s: &ClipNorm, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
    let pieces: Vec<&[f32]> = inputs.iter().flat_map(|g| g.chunks(PIECE)).collect();
    let mut sums = vec![0f32; pieces.len()];
    let shared = Disjoint::new(&mut sums);
    for_each(pieces.len().div_ceil(4), |task| {
        for i in 4 * task..pieces.len().min(4 * task + 4) {
            // SAFETY: every piece has a place of its own.
            let sum = unsafe { shared.slice(i..i + 1) };
            sum[0] = squares(pieces[i]);
        }
    });
    let sum: f64 = sums.iter().map(|s| f64::from(*s)).sum();
    let norm = sum.sqrt();
    outputs[0][0] = match s.max_norm / (norm + EPS) {
        scale if scale > 1.0 => 1.0,
        scale => scale as f32,
    };
    outputs[1][0] = norm as f32;
}

vectorized! {
    fn squares(values: &[f32]) -> f32 {
        let mut sums = [0f32; 16];
        let (whole, rest) = values.as_chunks::<16>();
        for v in whole {
            for (sum, v) in sums.iter_mut().zip(v) {
                *sum += v * v;
            }
        }
        sums.iter().sum::<f32>() + rest.iter().map(|v| v * v).sum::<f32>()
    }
}
