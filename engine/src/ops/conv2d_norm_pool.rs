//! Convolution, batch normalisation and max-pooling as one step, in training.
//!
//! `p = pool(act(norm(x)))` with `x = act₀(w ⋆ input + b)`. The derivatives are those of the three; what is gained is what
//! never goes to memory. Normalising keeps the order of a channel's numbers or turns it round, so the winners are found in
//! `x` while it is read for the statistics, and only they are normalised. On the way back `dp` stands at the winners, and
//! what the statistics take out of it is made from `x`, place by place, together with `act₀'(x)`: the convolution's
//! gradient is written at once, in the place of `x`: there is no other map of its size.

use super::activation::before_activation;
use super::batch_norm::{BatchNormOptions, shape};
use super::conv2d::{ConvOptions, Convolution};
use super::max_pool2d::PoolOptions;
use crate::error::Result;
use crate::tape::record;
use crate::tensor::Tensor;
use kernels::batch_norm_pool::{BatchNormPool, BatchNormPoolGrad};
use kernels::{Activation, Kernel};

/// What stands behind the convolution.
#[derive(Clone, Copy)]
pub struct NormPool<'a> {
    /// The running mean and variance.
    pub running: [&'a Tensor; 2],
    /// Weight and bias.
    pub affine: Option<[&'a Tensor; 2]>,
    /// Of the normalisation.
    pub norm: BatchNormOptions,
    /// Of the pooling.
    pub pool: PoolOptions,
}

impl Tensor {
    /// [`conv2d`](Tensor::conv2d), [`batch_norm`](Tensor::batch_norm), then [`max_pool2d`](Tensor::max_pool2d): the same
    /// numbers and gradients, in less time and memory where the normalisation trains and windows stand side by side.
    pub fn conv2d_batch_norm_max_pool2d(
        &self,
        weight: &Tensor,
        bias: Option<&Tensor>,
        options: ConvOptions,
        behind: NormPool,
    ) -> Result<Tensor> {
        let NormPool {
            running,
            affine,
            norm,
            pool,
        } = behind;
        if !norm.training || pool != PoolOptions::new(pool.kernel) {
            let x = self.conv2d(weight, bias, options)?;
            return x.batch_norm(running, affine, norm)?.max_pool2d(pool);
        }
        let (conv, x) = Convolution::forward(self, weight, bias, options)?;
        let [n, c, h, w] = x.shape().nchw("conv2d")?;
        let forward = BatchNormPool {
            norm: shape(&x, running, affine, norm)?,
            size: [h, w],
            window: pool.kernel,
        };
        forward.check()?;
        let (device, len) = (x.device(), forward.y_len());
        let [y, index, won] = [device.alloc(len)?, device.alloc(len)?, device.alloc(len)?];
        let stats = device.alloc(2 * c)?;
        let mut read = vec![x.buffer()];
        read.extend(affine.into_iter().flatten().map(Tensor::buffer));
        let [mean, var] = running.map(Tensor::buffer);
        device.launch(&forward, &read, &[&y, &index, &won, &stats, mean, var])?;
        let [oh, ow] = forward.out();
        let y = Tensor::from_buffer(y, [n, c, oh, ow])?;
        let saved_y = (norm.activation != Activation::None).then(|| y.detach());
        let scale = affine.map(|[weight, _]| weight.detach());
        let places = affine.map(|small| small.map(Tensor::gradient_place));
        let of_conv = [self, weight].into_iter().chain(bias);
        let conv_inputs = of_conv.clone().count();
        let inputs: Vec<&Tensor> = of_conv.chain(affine.into_iter().flatten()).collect();
        Ok(record(y, &inputs, move |dy| {
            let dy = before_activation(norm.activation, saved_y, dy)?;
            let device = dy.device().clone();
            let [dweight, dbias] = match &places {
                Some([weight, bias]) => [weight.buffer()?, bias.buffer()?],
                None => [device.alloc(c)?, device.alloc(c)?],
            };
            let mut read = vec![dy.buffer(), &index, &won, &stats];
            read.extend(scale.as_ref().map(Tensor::buffer));
            let kernel = BatchNormPoolGrad {
                forward,
                before: options.activation,
            };
            // From here on x is the gradient before the convolution's activation.
            device.launch(&kernel, &read, &[x.buffer(), &dweight, &dbias])?;
            drop((index, won, dy));
            let db = conv.bias_gradient(&x)?;
            let mut gradients = conv.backward(x, db)?;
            gradients.truncate(conv_inputs);
            if scale.is_some() {
                for small in [dweight, dbias] {
                    gradients.push(Some(Tensor::from_buffer(small, [c])?));
                }
            }
            Ok(gradients)
        }))
    }
}
