//! What the optimizers' kernels share: how they take a gradient in.
//!
//! `g = clamp(scale · gradient, ±limit) + penalty[i / 64] · p`. The scale, a single number on the device, is what
//! [`clip_norm`](crate::clip_norm) found, or 1; the limit clips by value (infinite: not at all); the penalty is L2, and
//! may differ from one 64 words to the next: the parameters of a whole network lie in one buffer, each of them from a
//! multiple of 64 on ([`Device::zeros_together`](crate::Device::zeros_together)).

use crate::error::{Result, elements};
use crate::kernel::{Arg, Kernel, Limits, Pass, Rung};

/// Words that share a penalty.
pub const BLOCK: usize = crate::buffer::PLACE;

/// The inputs of every optimizer.
pub(crate) fn inputs(len: usize) -> Vec<Arg> {
    vec![
        Arg::f32("gradient", len),
        Arg::f32("scale", 1),
        Arg::f32("penalty", len.div_ceil(BLOCK)),
    ]
}

/// What the inputs are in tests.
pub(crate) fn sample(input: &'static str, unit: f64) -> f64 {
    match input {
        "scale" => 0.75 + 0.25 * unit,
        "penalty" => 0.1 * (unit + 1.0),
        _ => unit,
    }
}

/// Whether there are parameters, fractions lie in [0, 1), and others are not negative.
pub(crate) fn check(
    kernel: &dyn Kernel,
    len: usize,
    limit: f64,
    fractions: &[(&str, f64)],
    others: &[(&str, f64)],
) -> Result<()> {
    elements(kernel.name(), &[len])?;
    if len == 0 {
        return Err(kernel.error("no parameters".into()));
    }
    if limit.is_nan() || limit <= 0.0 {
        return Err(kernel.error(format!("limit must be above 0, not {limit}")));
    }
    for (name, value) in fractions {
        if !(0.0..1.0).contains(value) {
            return Err(kernel.error(format!("{name} must lie in [0, 1), not be {value}")));
        }
    }
    for (name, value) in others {
        if !(*value >= 0.0 && value.is_finite()) {
            return Err(kernel.error(format!("{name} must be 0 or more, not {value}")));
        }
    }
    Ok(())
}

/// The definition: the gradient of parameter `i`, whose value is `p`.
pub(crate) fn oracle(inputs: &[&[f64]], limit: f64, i: usize, p: f64) -> f64 {
    let scaled = inputs[0][i] * inputs[1][0];
    // A NaN stays one.
    let clipped = match scaled {
        g if g > limit => limit,
        g if g < -limit => -limit,
        g => g,
    };
    clipped + inputs[2][i / BLOCK] * p
}

/// The same for the CPU's loops.
#[derive(Clone, Copy)]
pub(crate) struct Taken {
    pub scale: f32,
    pub limit: f32,
}

impl Taken {
    #[inline(always)]
    pub fn gradient(self, gradient: f32, penalty: f32, p: f32) -> f32 {
        let g = gradient * self.scale;
        let g = if g > self.limit { self.limit } else { g };
        let g = if g < -self.limit { -self.limit } else { g };
        g + penalty * p
    }
}

/// One dispatch of `rung`, a thread to a word; the parameters are the number of words and `factors`.
pub(crate) fn pass(rung: &Rung, limits: &Limits, len: usize, factors: &[f32]) -> Pass {
    let mut params = vec![len as u32];
    params.extend(factors.iter().map(|f| f.to_bits()));
    Pass::of(rung, 6, params, limits.fold(len.div_ceil(64)))
}
