//! 2-D convolution, with bias and activation in the same pass, and where it is followed by max-pooling, as one step.
//!
//! `y = act(w ⋆ x + b)`. With `dz = dy·act'(y)`, the gradient before the activation: `dx` spreads each `dz` back over
//! the inputs that its window saw, weighted by `w`; `dw` sums each `dz` times the inputs that the weight met; `b` was
//! added to a whole channel, so `db` is the sum of `dz` over images and places.
//!
//! **With max-pooling behind it**, `p = pool(act(w ⋆ x + b))`: pooling hands each `dp` to the one place that won, where
//! `y = p`. So `act'` can be taken at `p` instead of `y`, before the gradient is spread, and `db` summed there too. Where
//! the windows stand side by side, one kernel does all of it and the un-pooled map is never written; on the way back
//! `dw` and `dx` are sums over the winners alone. Where windows overlap or are padded, the map is written, but not kept.

use super::activation::before_activation;
use super::max_pool2d::{Pool, PoolOptions};
use crate::error::{Error, Result};
use crate::tape::{InputGradients, Place, record};
use crate::tensor::Tensor;
use kernels::conv2d::{Conv2d, Conv2dInputGrad, Conv2dWeightGrad};
use kernels::conv2d_pool::{Conv2dPool, Conv2dPoolInputGrad, Conv2dPoolWeightGrad};
use kernels::reduce::{Reduce, ReduceOp};
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
    ///
    /// # Errors
    /// Shapes that do not go together, with both; whatever the device refuses.
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
            let db = conv.bias_gradient(&dz)?;
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
        if pool == PoolOptions::new(pool.kernel) {
            return self.conv2d_pool(weight, bias, options, pool.kernel);
        }
        let (conv, y) = Convolution::forward(self, weight, bias, options)?;
        let (pool, p) = Pool::forward(&y, pool)?;
        drop(y);
        let saved_p = (options.activation != Activation::None).then(|| p.detach());
        let inputs: Vec<&Tensor> = [self, weight].into_iter().chain(bias).collect();
        Ok(record(p, &inputs, move |dp| {
            let dp = before_activation(options.activation, saved_p, dp)?;
            let db = conv.bias_gradient(&dp)?;
            let dz = pool.backward(dp)?;
            conv.backward(dz, db)
        }))
    }

    /// The two as one kernel: for windows that stand side by side.
    fn conv2d_pool(
        &self,
        weight: &Tensor,
        bias: Option<&Tensor>,
        options: ConvOptions,
        window: [usize; 2],
    ) -> Result<Tensor> {
        let conv = shape(self, weight, bias, options)?;
        let kernel = Conv2dPool { conv, window };
        kernel.check()?;
        let device = self.device();
        let (y, index) = (device.alloc(kernel.y_len())?, device.alloc(kernel.y_len())?);
        let inputs: Vec<&Tensor> = [self, weight].into_iter().chain(bias).collect();
        let read: Vec<_> = inputs.iter().map(|t| t.buffer()).collect();
        device.launch(&kernel, &read, &[&y, &index])?;
        let [oh, ow] = kernel.out();
        let y = Tensor::from_buffer(y, [conv.n, conv.out_channels, oh, ow])?;
        let saved = y.detach();
        // Each where its gradient is wanted; one launch gives those of weight and bias.
        let learns = weight.is_tracked() || bias.is_some_and(Tensor::is_tracked);
        let x = learns.then(|| self.detach());
        let w = self.is_tracked().then(|| weight.detach());
        let (place_w, place_b) = (weight.gradient_place(), bias.map(Tensor::gradient_place));
        Ok(record(y, &inputs, move |dy| {
            let pooled = [dy.buffer(), saved.buffer(), &index];
            let device = dy.device();
            let (mut dw, mut db) = (None, None);
            if let Some(x) = x {
                let weight = place_w.buffer()?;
                let bias = place_b.map(|place| place.buffer()).transpose()?;
                let read: Vec<_> = [x.buffer()].into_iter().chain(pooled).collect();
                let written: Vec<_> = [&weight].into_iter().chain(&bias).collect();
                device.launch(&Conv2dPoolWeightGrad(kernel), &read, &written)?;
                dw = Some(Tensor::from_buffer(weight, weight_shape(&conv))?);
                let db_tensor = |db| Tensor::from_buffer(db, [conv.out_channels]);
                db = bias.map(db_tensor).transpose()?;
            }
            let dx = |w: Tensor| {
                let dx = device.alloc(conv.x_len())?;
                let read: Vec<_> = pooled.into_iter().chain([w.buffer()]).collect();
                device.launch(&Conv2dPoolInputGrad(kernel), &read, &[&dx])?;
                Tensor::from_buffer(dx, [conv.n, conv.c, conv.h, conv.w])
            };
            Ok(vec![w.map(dx).transpose()?, dw, db])
        }))
    }
}

/// The kernel for these tensors.
fn shape(
    x: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    options: ConvOptions,
) -> Result<Conv2d> {
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
    Ok(kernel)
}

fn weight_shape(k: &Conv2d) -> [usize; 4] {
    [k.out_channels, k.c / k.groups, k.kernel[0], k.kernel[1]]
}

/// A convolution on its way back: what its gradients need.
pub(super) struct Convolution {
    kernel: Conv2d,
    /// Kept where the weight needs a gradient.
    x: Option<Tensor>,
    /// Kept where the input needs one: the first layer's does not.
    weight: Option<Tensor>,
    /// Where the weight's gradient goes, and the bias', where it needs one.
    place_w: Place,
    place_b: Option<Place>,
}

impl Convolution {
    pub(super) fn forward(
        x: &Tensor,
        weight: &Tensor,
        bias: Option<&Tensor>,
        options: ConvOptions,
    ) -> Result<(Self, Tensor)> {
        let kernel = shape(x, weight, bias, options)?;
        let out = kernel.out_channels;
        let [oh, ow] = kernel.out();
        let inputs: Vec<&Tensor> = [x, weight].into_iter().chain(bias).collect();
        let y = Tensor::launch(&kernel, &inputs, [kernel.n, out, oh, ow])?;
        let back = Convolution {
            kernel: Conv2d {
                bias: false,
                activation: Activation::None,
                ..kernel
            },
            x: weight.is_tracked().then(|| x.detach()),
            weight: x.is_tracked().then(|| weight.detach()),
            place_w: weight.gradient_place(),
            place_b: bias.filter(|b| b.is_tracked()).map(Tensor::gradient_place),
        };
        Ok((back, y))
    }

    /// `[n, c, h, w]` summed to `[c]`: along the planes first, as they lie in memory.
    pub(super) fn bias_gradient(&self, dz: &Tensor) -> Result<Option<Tensor>> {
        let Some(place) = &self.place_b else {
            return Ok(None);
        };
        let [n, c, h, w] = dz.shape().nchw("conv2d")?;
        let sums = dz.viewed([n, c, h * w]).sum(2)?;
        let kernel = Reduce::new(ReduceOp::Sum, [1, n, c]);
        Tensor::launch_into(place.buffer()?, &kernel, &[&sums], [c]).map(Some)
    }

    pub(super) fn backward(self, dz: Tensor, db: Option<Tensor>) -> InputGradients {
        let k = self.kernel;
        let dw = |x: Tensor| {
            Tensor::launch_into(
                self.place_w.buffer()?,
                &Conv2dWeightGrad(k),
                &[&x, &dz],
                weight_shape(&k),
            )
        };
        let dw = self.x.map(dw).transpose()?;
        let dx = |w: Tensor| Tensor::launch(&Conv2dInputGrad(k), &[&dz, &w], [k.n, k.c, k.h, k.w]);
        let dx = self.weight.map(dx).transpose()?;
        Ok(vec![dx, dw, db])
    }
}
