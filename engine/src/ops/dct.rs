//! Discrete cosine transform along an axis.
//!
//! `y[k] = Σ_n c[k, n]·x[n]` is a product with a fixed matrix, so `dx[n] = Σ_k c[k, n]·dy[k]`: the same matrix transposed.

use crate::error::{Error, Result};
use crate::tape::record;
use crate::tensor::Tensor;
use kernels::dct::{Dct, DctGrad};

impl Tensor {
    /// The first `kept` coefficients of the DCT-II along `axis`, which becomes so long; `ortho` scales them so that the
    /// matrix is orthogonal (SciPy's `norm="ortho"`). MFCCs are those of decibels along the mel bands.
    pub fn dct(&self, axis: usize, kept: usize, ortho: bool) -> Result<Tensor> {
        let [outer, n, inner] = self.shape().around("dct", axis)?;
        let kernel = Dct {
            outer,
            n,
            inner,
            kept,
            ortho,
        };
        let old = self.shape().clone();
        let mut shape = old.to_vec();
        match shape.get_mut(axis) {
            Some(length) => *length = kept,
            None => return Err(Error::shape("dct", &old, format!("has no axis {axis}"))),
        }
        let y = Tensor::launch(&kernel, &[self], shape)?;
        Ok(record(y, &[self], move |dy| {
            Ok(vec![Some(Tensor::launch(&DctGrad(kernel), &[&dy], old)?)])
        }))
    }
}
