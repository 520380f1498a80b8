//! 2-D average pooling, and pooling over whole planes.
//!
//! Each output is the sum of its window divided by the window's places; so each of these places gets `dy / places`, and
//! one that lies in several overlapping windows gets their sum. Global pooling is a window as large as the plane.

use super::max_pool2d::PoolOptions;
use crate::error::Result;
use crate::tape::record;
use crate::tensor::Tensor;
use kernels::avg_pool2d::{AvgPool2d, AvgPool2dGrad};

impl Tensor {
    /// The mean of each window: `[n, c, h, w]` gives `[n, c, oh, ow]`, with `oh = (h + pad - kernel) / stride + 1`
    /// rounded down. Padding is zeros, which count among the places that a sum is divided by only if `count_include_pad`
    /// (PyTorch's `AvgPool2d`).
    pub fn avg_pool2d(&self, options: PoolOptions, count_include_pad: bool) -> Result<Tensor> {
        let [n, c, h, w] = self.shape().nchw("avg_pool2d")?;
        let kernel = AvgPool2d {
            count_include_pad,
            ..AvgPool2d::new([n, c, h, w], options.kernel).with(options.stride, options.pad)
        };
        kernels::Kernel::check(&kernel)?;
        let [oh, ow] = kernel.output();
        let y = Tensor::launch(&kernel, &[self], [n, c, oh, ow])?;
        Ok(record(y, &[self], move |dy| {
            let dx = Tensor::launch(&AvgPool2dGrad(kernel), &[&dy], [n, c, h, w])?;
            Ok(vec![Some(dx)])
        }))
    }

    /// The mean of each plane: `[n, c, h, w]` gives `[n, c]`.
    pub fn global_avg_pool(&self) -> Result<Tensor> {
        let [n, c, h, w] = self.shape().nchw("global_avg_pool")?;
        self.avg_pool2d(PoolOptions::new([h, w]), true)?
            .reshape([n, c])
    }

    /// The largest number of each plane: `[n, c, h, w]` gives `[n, c]`. Ties and NaN go as in
    /// [`max_pool2d`](Tensor::max_pool2d).
    pub fn global_max_pool(&self) -> Result<Tensor> {
        let [n, c, h, w] = self.shape().nchw("global_max_pool")?;
        self.max_pool2d(PoolOptions::new([h, w]))?.reshape([n, c])
    }
}
