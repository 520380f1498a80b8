//! The same numbers under another shape. Nothing is moved, so the gradient is the same numbers under the old shape.

use crate::error::{Error, Result};
use crate::shape::{Shape, product};
use crate::tape::record;
use crate::tensor::Tensor;

impl Tensor {
    /// The same numbers under another shape of as many elements; costs nothing.
    pub fn reshape(&self, shape: impl Into<Shape>) -> Result<Tensor> {
        let shape = shape.into();
        if shape.elements() != self.elements() {
            let problem = "they hold different numbers of elements";
            return Err(Error::shapes("reshape", self.shape(), &shape, problem));
        }
        let old = self.shape().clone();
        Ok(record(self.viewed(shape), &[self], move |dy| {
            Ok(vec![Some(dy.viewed(old))])
        }))
    }

    /// `[n, …]` as `[n, everything else]`.
    pub fn flatten(&self) -> Result<Tensor> {
        let n = self.shape().first().copied().unwrap_or(1);
        let rest = product(self.shape().get(1..).unwrap_or_default());
        self.reshape([n, rest])
    }
}
