//! Slices picked by number along an axis.
//!
//! `y[o, k, i] = x[o, index[k], i]`, so the gradient of a slice of x is the sum of those of all places that it was picked
//! for, zero where it was not.

use crate::error::Result;
use crate::tape::record;
use crate::tensor::Tensor;
use kernels::Buffer;
use kernels::gather::{Gather, GatherGrad};

impl Tensor {
    /// The slices with these numbers (u32, see [`upload_u32`](kernels::Device::upload_u32)) along `axis`, in this order
    /// and as often as they are named; NaN where there is no such slice. PyTorch's `index_select`.
    ///
    /// # Errors
    /// No such axis, no numbers, an index on another device; whatever the device refuses.
    pub fn index_select(&self, axis: usize, index: &Buffer) -> Result<Tensor> {
        let [outer, rows, inner] = self.shape().around("index_select", axis)?;
        let kernel = Gather {
            outer,
            rows,
            inner,
            count: index.len(),
        };
        let mut shape = self.shape().to_vec();
        shape[axis] = index.len();
        let device = self.device();
        // Checks before anything is made of these lengths.
        kernels::Kernel::check(&kernel)?;
        let y = device.alloc(shape.iter().product())?;
        device.launch(&kernel, &[self.buffer(), index], &[&y])?;
        let (old, index) = (self.shape().clone(), index.clone());
        Ok(record(Tensor::from_buffer(y, shape)?, &[self], move |dy| {
            let dx = dy.device().alloc(old.elements())?;
            let inputs = [dy.buffer(), &index];
            dy.device().launch(&GatherGrad(kernel), &inputs, &[&dx])?;
            Ok(vec![Some(Tensor::from_buffer(dx, old)?)])
        }))
    }
}
