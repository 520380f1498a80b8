//! The definition.

use super::{Reduce, ReduceOp};

pub fn reduce(s: &Reduce, x: &[f64], y: &mut [f64]) {
    for outer in 0..s.outer {
        for inner in 0..s.inner {
            let values = (0..s.axis).map(|a| x[(outer * s.axis + a) * s.inner + inner]);
            let greatest = || {
                let mut best = (f64::NAN, 0);
                for (at, value) in values.clone().enumerate() {
                    let greater = value > best.0 || (value.is_nan() && !best.0.is_nan());
                    if at == 0 || greater {
                        best = (value, at);
                    }
                }
                best
            };
            y[outer * s.inner + inner] = match s.op {
                ReduceOp::Sum => values.sum(),
                ReduceOp::Mean => values.sum::<f64>() / s.axis as f64,
                ReduceOp::Max => greatest().0,
                ReduceOp::ArgMax => greatest().1 as f64,
            };
        }
    }
}
