//! The definition.

use super::{ClipNorm, EPS};

pub fn clip_norm(s: &ClipNorm, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
    let sum: f64 = inputs.iter().flat_map(|g| g.iter()).map(|g| g * g).sum();
    let norm = sum.sqrt();
    // A NaN is not above 1 and stays.
    outputs[0][0] = match s.max_norm / (norm + EPS) {
        scale if scale > 1.0 => 1.0,
        scale => scale,
    };
    outputs[1][0] = norm;
}
