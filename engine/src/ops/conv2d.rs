//! 2-D convolution, with bias and activation in the same pass, and where it is followed by max-pooling, as one step.
//!
//! `y = act(w ⋆ x + b)`. With `dz = dy·act'(y)`, the gradient before the activation: `dx` spreads each `dz` back over
//! the inputs that its window saw, weighted by `w`; `dw` sums each `dz` times the inputs that the weight met; `b` was
//! added to a whole channel, so `db` is the sum of `dz` over images and places.
//!
//! **With max-pooling behind it**, `p = pool(act(w ⋆ x + b))`: pooling hands each `dp` to the one place that won, where
//! `y = p`. So `act'` can be taken at `p` instead of `y`, before the gradient is spread, and `db` summed there too: the
//! same numbers, but both passes run over the small pooled map, and the large `y` need not be kept for the way back.

use super::activation::before_activation;
use super::max_pool2d::{Pool, PoolOptions};
use crate::error::{Error, Result};
use crate::tape::{InputGradients, record};
use crate::tensor::Tensor;
use kernels::conv2d::{Conv2d, Conv2dInputGrad, Conv2dWeightGrad};
use kernels::{Activation, Kernel};

/// How a convolution's window moves. The default: step 1, no padding, no gaps, one group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConvOptions {
    /// Step of the window along height and width.
    pub stride: [usize; 2],
    /// Zeros before and after, along height and width.
    pub pad: [[usize; 2]; 2],
    /// Distance of the window's taps.
    pub dilation: [usize; 2],
    /// Into how many groups the channels are cut, each seeing only its own.
    pub groups: usize,
    /// What the sums pass through.
    pub activation: Activation,
}

impl Default for ConvOptions {
    fn default() -> Self {
        ConvOptions {
            stride: [1, 1],
            pad: [[0; 2]; 2],
            dilation: [1, 1],
            groups: 1,
            activation: Activation::None,
        }
    }
}

impl Tensor {
    /// `x [n, c, h, w]` through `weight [out, c / groups, kh, kw]` and `bias [out]`: `[n, out, oh, ow]`, with
    /// `oh = (h + pad - dilation·(kh - 1) - 1) / stride + 1` rounded down (PyTorch's `Conv2d`).
    pub fn conv2d(
        &self,
        weight: &Tensor,
        bias: Option<&Tensor>,
        options: ConvOptions,
    ) -> Result<Tensor> {
        let (conv, y) = Convolution::forward(self, weight, bias, options)?;
        let saved_y = (options.activation != Activation::None).then(|| y.detach());
        let inputs: Vec<&Tensor> = [self, weight].into_iter().chain(bias).collect();
        Ok(record(y, &inputs, move |dy| {
            let dz = before_activation(options.activation, saved_y, dy)?;
            let db = conv.wants_bias.then(|| channel_sums(&dz)).transpose()?;
            conv.backward(dz, db)
        }))
    }

    /// [`conv2d`](Tensor::conv2d), then [`max_pool2d`](Tensor::max_pool2d): the same numbers and gradients, in less
    /// time and memory.
    pub fn conv2d_max_pool2d(
        &self,
        weight: &Tensor,
        bias: Option<&Tensor>,
        options: ConvOptions,
        pool: PoolOptions,
    ) -> Result<Tensor> {
        let (conv, y) = Convolution::forward(self, weight, bias, options)?;
        let (pool, p) = Pool::forward(&y, pool)?;
        drop(y);
        let saved_p = (options.activation != Activation::None).then(|| p.detach());
        let inputs: Vec<&Tensor> = [self, weight].into_iter().chain(bias).collect();
        Ok(record(p, &inputs, move |dp| {
            let dp = before_activation(options.activation, saved_p, dp)?;
            let db = conv.wants_bias.then(|| channel_sums(&dp)).transpose()?;
            let dz = pool.backward(dp)?;
            conv.backward(dz, db)
        }))
    }
}

/// `[n, c, h, w]` summed to `[c]`: along the planes first, as they lie in memory.
fn channel_sums(dz: &Tensor) -> Result<Tensor> {
    let [n, c, h, w] = dz.shape().nchw("conv2d")?;
    dz.viewed([n, c, h * w]).sum(2)?.sum(0)
}

/// A convolution on its way back: what its gradients need.
struct Convolution {
    kernel: Conv2d,
    /// Kept where the weight needs a gradient.
    x: Option<Tensor>,
    /// Kept where the input needs one: the first layer's does not.
    weight: Option<Tensor>,
    wants_bias: bool,
}

impl Convolution {
    fn forward(
        x: &Tensor,
        weight: &Tensor,
        bias: Option<&Tensor>,
        options: ConvOptions,
    ) -> Result<(Self, Tensor)> {
        let [n, c, h, w] = x.shape().nchw("conv2d")?;
        let [out, per_group, kh, kw] = weight.shape().nchw("conv2d")?;
        let kernel = Conv2d {
            n,
            c,
            h,
            w,
            out_channels: out,
            kernel: [kh, kw],
            stride: options.stride,
            pad: options.pad,
            dilation: options.dilation,
            groups: options.groups,
            bias: bias.is_some(),
            activation: options.activation,
        };
        kernel.check()?;
        if per_group != c / options.groups {
            let problem = format!(
                "the weight is for {per_group} channels, there are {}",
                c / options.groups
            );
            return Err(Error::shapes("conv2d", x.shape(), weight.shape(), problem));
        }
        if let Some(bias) = bias.filter(|bias| bias.shape()[..] != [out]) {
            let problem = "the bias is not [out]";
            return Err(Error::shapes(
                "conv2d",
                bias.shape(),
                weight.shape(),
                problem,
            ));
        }
        let [oh, ow] = kernel.out();
        let inputs: Vec<&Tensor> = [x, weight].into_iter().chain(bias).collect();
        let y = Tensor::launch(&kernel, &inputs, [n, out, oh, ow])?;
        let back = Convolution {
            kernel: Conv2d {
                bias: false,
                activation: Activation::None,
                ..kernel
            },
            x: weight.is_tracked().then(|| x.detach()),
            weight: x.is_tracked().then(|| weight.detach()),
            wants_bias: bias.is_some_and(Tensor::is_tracked),
        };
        Ok((back, y))
    }

    fn backward(self, dz: Tensor, db: Option<Tensor>) -> InputGradients {
        let k = self.kernel;
        let dw = |x: Tensor| {
            let shape = [k.out_channels, k.c / k.groups, k.kernel[0], k.kernel[1]];
            Tensor::launch(&Conv2dWeightGrad(k), &[&x, &dz], shape)
        };
        let dw = self.x.map(dw).transpose()?;
        let dx = |w: Tensor| Tensor::launch(&Conv2dInputGrad(k), &[&dz, &w], [k.n, k.c, k.h, k.w]);
        let dx = self.weight.map(dx).transpose()?;
        Ok(vec![dx, dw, db])
    }
}
