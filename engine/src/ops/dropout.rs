//! Dropout: numbers left out at random, the others scaled up so that sums keep their mean.
//!
//! `y = 0` with probability `p`, else `x / (1 - p)`; so `dx` is `0` or `dy / (1 - p)` at the same places. Which places
//! is a function of seed, stream and position (Philox), the same on every device: nothing is kept for the way back, the
//! mask is drawn again.

use super::elementwise::elementwise;
use crate::error::{Error, Result};
use crate::tensor::Tensor;
use kernels::elementwise::Expr;

impl Tensor {
    /// Each number 0 with probability `p`, else divided by `1 - p`. `seed` and `stream` say which numbers: a training
    /// run has one seed, and each layer and step its own stream.
    pub fn dropout(&self, p: f32, seed: u64, stream: u64) -> Result<Tensor> {
        if !(0.0..1.0).contains(&p) {
            return Err(Error::option(
                "dropout",
                format!("p = {p} is not in [0, 1)"),
            ));
        }
        let words = [seed, stream]
            .into_iter()
            .flat_map(|n| [n as u32, (n >> 32) as u32]);
        let params: Vec<u32> = [p.to_bits()].into_iter().chain(words).collect();
        elementwise(&Expr::input(0).dropout(0, 1), &[self], &params)
    }
}
