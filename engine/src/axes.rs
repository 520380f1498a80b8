//! What an operation needs to know of a shape, or why it cannot use it.

use crate::error::{Error, Result};
use crate::shape::{Shape, product};

impl Shape {
    /// The axes before `axis` multiplied, `axis`, and those behind it multiplied: how reductions see a tensor.
    pub fn around(&self, operation: &'static str, axis: usize) -> Result<[usize; 3]> {
        let Some(&length) = self.get(axis) else {
            return Err(Error::shape(operation, self, format!("has no axis {axis}")));
        };
        Ok([product(&self[..axis]), length, product(&self[axis + 1..])])
    }

    /// The four lengths of a batch of images.
    pub fn nchw(&self, operation: &'static str) -> Result<[usize; 4]> {
        <[usize; 4]>::try_from(&self[..])
            .map_err(|_| Error::shape(operation, self, "is not [n, c, h, w]"))
    }
}
