//! Images in another height and width.
//!
//! Every output is a sum of inputs with fixed weights, so every input's gradient is the sum of the gradients of the
//! outputs that read it, with the same weights.

use crate::error::Result;
use crate::tape::record;
use crate::tensor::Tensor;
use kernels::Kernel;
use kernels::resize2d::{Resize2d, Resize2dGrad};

pub use kernels::resize2d::Mode as ResizeMode;

impl Tensor {
    /// `[n, c, h, w]` as `[n, c, oh, ow]`: PyTorch's `interpolate` with `mode="bilinear", align_corners=False`, or
    /// with `mode="area"`.
    pub fn resize(&self, to: [usize; 2], mode: ResizeMode) -> Result<Tensor> {
        let [n, c, h, w] = self.shape().nchw("resize")?;
        let kernel = Resize2d {
            planes: n * c,
            from: [h, w],
            to,
            mode,
        };
        kernel.check()?;
        let y = Tensor::launch(&kernel, &[self], [n, c, to[0], to[1]])?;
        Ok(record(y, &[self], move |dy| {
            Ok(vec![Some(Tensor::launch(
                &Resize2dGrad(kernel),
                &[&dy],
                [n, c, h, w],
            )?)])
        }))
    }
}
