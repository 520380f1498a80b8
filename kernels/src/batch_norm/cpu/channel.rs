//! What is known of a channel: statistics, and the factors that follow from them.

use super::super::{BatchNorm, BatchNormGrad};

/// What a channel's numbers are moved and scaled by: mean, scale and bias.
pub fn factors(
    s: &BatchNorm,
    channel: usize,
    [mean, var]: [f64; 2],
    affine: &[&[f32]],
) -> [f32; 3] {
    let rstd = 1.0 / (var + s.eps).sqrt();
    match affine {
        [weight, bias] => {
            let scale = rstd * f64::from(weight[channel]);
            [mean as f32, scale as f32, bias[channel]]
        }
        _ => [mean as f32, rstd as f32, 0.0],
    }
}

/// Number `some`, or 0 where it is an infinity or NaN. Distances from some number of a channel are small where the channel
/// lies far from zero, and sum exactly.
pub fn finite(some: f32) -> f32 {
    if some.is_finite() { some } else { 0.0 }
}

/// The mean and the squares around it, from a rough mean, `Σ (x - rough)` and `Σ (x - rough)²`. What the rounding of the
/// mean left over corrects both; there is none of an infinity.
pub fn corrected(rough: f32, [rest, squares]: [f64; 2], count: f64) -> [f64; 2] {
    let mean = f64::from(rough) + if rest.is_finite() { rest / count } else { 0.0 };
    [mean, squares - rest * rest / count]
}

/// What the way back of a channel needs.
pub struct Channel {
    pub mean: f32,
    pub rstd: f32,
    pub weight: f32,
}

impl Channel {
    /// `flat`, `tilted` and `scale` of `dx = scale · (dy - flat - (x - mean) · tilted)`, from the channel's dweight and
    /// dbias.
    pub fn factors(&self, s: &BatchNormGrad, [dweight, dbias]: [f64; 2]) -> [f32; 3] {
        let count = s.forward.count() as f64;
        let scale = self.rstd * self.weight;
        match s.training {
            true => {
                let tilted = dweight * f64::from(self.rstd) / count;
                [(dbias / count) as f32, tilted as f32, scale]
            }
            false => [0.0, 0.0, scale],
        }
    }
}
