//! 2-D max-pooling.
//!
//! Each window passes its largest number on; so each `dy` goes back to the place it came from, and a place that won in
//! several overlapping windows gets their sum. Of equal numbers the first in row-major order wins, a NaN beats every
//! number, and padding never wins: PyTorch's conventions. The places are noted on the way forward.

use crate::error::Result;
use crate::tape::record;
use crate::tensor::Tensor;
use kernels::max_pool2d::{MaxPool2d, MaxPool2dGrad};
use kernels::{Buffer, Kernel};

/// The window of a pooling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolOptions {
    /// Height and width of the window.
    pub kernel: [usize; 2],
    /// Its step; usually the window itself.
    pub stride: [usize; 2],
    /// Places before and after, along height and width, that never win; at most half the window.
    pub pad: [[usize; 2]; 2],
}

impl PoolOptions {
    /// Windows side by side, without padding.
    pub fn new(kernel: [usize; 2]) -> Self {
        PoolOptions {
            kernel,
            stride: kernel,
            pad: [[0; 2]; 2],
        }
    }
}

impl Tensor {
    /// The largest number of each window: `[n, c, h, w]` gives `[n, c, oh, ow]`, with
    /// `oh = (h + pad - kernel) / stride + 1` rounded down (PyTorch's `MaxPool2d`).
    pub fn max_pool2d(&self, options: PoolOptions) -> Result<Tensor> {
        let (pool, y) = Pool::forward(self, options)?;
        Ok(record(y, &[self], move |dy| {
            Ok(vec![Some(pool.backward(dy)?)])
        }))
    }

    /// The largest number along `axis`, which disappears. A pooling whose window is the whole axis, so ties and NaN
    /// go as there.
    pub fn max(&self, axis: usize) -> Result<Tensor> {
        let [outer, length, inner] = self.shape().around("max", axis)?;
        self.reshape([outer, 1, length, inner])?
            .max_pool2d(PoolOptions::new([length, 1]))?
            .reshape(self.shape().without(axis))
    }
}

/// A pooling on its way back: the places that won.
pub(super) struct Pool {
    kernel: MaxPool2d,
    index: Buffer,
}

impl Pool {
    pub(super) fn forward(x: &Tensor, options: PoolOptions) -> Result<(Self, Tensor)> {
        let [n, c, h, w] = x.shape().nchw("max_pool2d")?;
        let kernel = MaxPool2d {
            n,
            c,
            h,
            w,
            kernel: options.kernel,
            stride: options.stride,
            pad: options.pad,
        };
        kernel.check()?;
        let [oh, ow] = kernel.output();
        let device = x.device();
        let (y, index) = (
            device.alloc(n * c * oh * ow)?,
            device.alloc(n * c * oh * ow)?,
        );
        device.launch(&kernel, &[x.buffer()], &[&y, &index])?;
        Ok((
            Pool { kernel, index },
            Tensor::from_buffer(y, [n, c, oh, ow])?,
        ))
    }

    pub(super) fn backward(self, dy: Tensor) -> Result<Tensor> {
        let k = self.kernel;
        let device = dy.device();
        let dx = device.alloc(k.n * k.c * k.h * k.w)?;
        device.launch(&MaxPool2dGrad(k), &[dy.buffer(), &self.index], &[&dx])?;
        Tensor::from_buffer(dx, [k.n, k.c, k.h, k.w])
    }
}
