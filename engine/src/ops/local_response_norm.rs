//! Local response normalisation: each number divided by a power of the squares of its neighbours across channels.
//!
//! `y[c] = x[c]·s[c]^-beta` with `s[c] = k + alpha / size · Σ x[i]²` over the neighbours `i` of `c`. So `x[j]` has two
//! ways into the result: it is divided itself, `dy[j]·s[j]^-beta`; and it makes the `s` of every channel `c` that it is a
//! neighbour of larger, by `2·alpha / size·x[j]`, which takes `beta·x[c]·s[c]^(-beta - 1)` from `y[c]` for each.

use crate::error::{Error, Result};
use crate::tape::record;
use crate::tensor::Tensor;
use kernels::local_response_norm::{LocalResponseNorm, LocalResponseNormGrad};

/// Which neighbours count, and how much.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LocalResponseNormOptions {
    /// Channels in a sum: `size / 2` before, `(size - 1) / 2` behind, and the number's own.
    pub size: usize,
    /// The weight of their mean square.
    pub alpha: f64,
    /// The power.
    pub beta: f64,
    /// What the sum starts from.
    pub k: f64,
}

impl LocalResponseNormOptions {
    /// PyTorch's defaults.
    pub fn new(size: usize) -> Self {
        LocalResponseNormOptions {
            size,
            alpha: 1e-4,
            beta: 0.75,
            k: 1.0,
        }
    }
}

impl Tensor {
    /// `x / (k + alpha / size · Σ x²)^beta`, the sum over neighbouring channels of `x [n, c, ..]` (PyTorch's
    /// `local_response_norm`).
    pub fn local_response_norm(&self, options: LocalResponseNormOptions) -> Result<Tensor> {
        let [n, c, places @ ..] = &self.shape()[..] else {
            let problem = "is not [n, c, ..]";
            return Err(Error::shape("local_response_norm", self.shape(), problem));
        };
        let LocalResponseNormOptions {
            size,
            alpha,
            beta,
            k,
        } = options;
        let kernel =
            LocalResponseNorm::new([*n, *c, places.iter().product()], size).with(alpha, beta, k);
        let y = Tensor::launch(&kernel, &[self], self.shape())?;
        let x = self.detach();
        Ok(record(y, &[self], move |dy| {
            let dx = Tensor::launch(&LocalResponseNormGrad(kernel), &[&x, &dy], x.shape())?;
            Ok(vec![Some(dx)])
        }))
    }
}
