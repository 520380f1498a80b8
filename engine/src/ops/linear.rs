//! The fully connected layer, with bias and activation in the same pass.
//!
//! `y = act(x·wᵀ + b)` with `w` lying `[out, in]`, as PyTorch keeps it. With `dz = dy·act'(y)`, the gradient before the
//! activation: `dx = dz·w`, `dw = dzᵀ·x`, and `b` was added to every row, so `db` is the sum of `dz` over the rows.

use super::activation::before_activation;
use crate::error::{Error, Result};
use crate::tape::{Place, record};
use crate::tensor::Tensor;
use kernels::Activation;
use kernels::matmul::Matmul;
use kernels::reduce::{Reduce, ReduceOp};

impl Tensor {
    /// `act(x·wᵀ + b)` along the last axis: `x [.., in]`, `weight [out, in]`, `bias [out]` give `[.., out]`.
    ///
    /// # Errors
    /// Shapes that do not go together, with both; whatever the device refuses.
    pub fn linear(
        &self,
        weight: &Tensor,
        bias: Option<&Tensor>,
        activation: Activation,
    ) -> Result<Tensor> {
        let x = self;
        let mismatch = |problem: &str| Error::shapes("linear", x.shape(), weight.shape(), problem);
        let Ok([n, k]) = <[usize; 2]>::try_from(&weight.shape()[..]) else {
            return Err(mismatch("the weight is not [out, in]"));
        };
        if x.shape().last() != Some(&k) {
            return Err(mismatch("the last axes differ"));
        }
        if let Some(bias) = bias.filter(|bias| bias.shape()[..] != [n]) {
            let problem = "the bias is not [out]";
            return Err(Error::shapes(
                "linear",
                bias.shape(),
                weight.shape(),
                problem,
            ));
        }
        let m = x.elements() / k.max(1);
        let mut shape = x.shape().to_vec();
        shape.pop();
        shape.push(n);
        let kernel = Matmul::new(m, n, k)
            .transposed(false, true)
            .with(bias.is_some(), activation);
        let inputs: Vec<&Tensor> = [x, weight].into_iter().chain(bias).collect();
        let y = Tensor::launch(&kernel, &inputs, shape)?;

        let (shape_x, shape_w) = (x.shape().clone(), weight.shape().clone());
        let saved_w = x.is_tracked().then(|| weight.detach());
        let saved_x = weight.is_tracked().then(|| x.detach());
        let place_w = weight.gradient_place();
        let place_b = bias.filter(|b| b.is_tracked()).map(Tensor::gradient_place);
        let saved_y = (activation != Activation::None).then(|| y.detach());
        Ok(record(y, &inputs, move |dy| {
            let dz = before_activation(activation, saved_y, dy)?;
            let dx = |w: Tensor| Tensor::launch(&Matmul::new(m, k, n), &[&dz, &w], shape_x);
            let dw = |x: Tensor| {
                let kernel = Matmul::new(n, k, m).transposed(true, false);
                Tensor::launch_into(place_w.buffer()?, &kernel, &[&dz, &x], shape_w)
            };
            let db = |place: Place| {
                let kernel = Reduce::new(ReduceOp::Sum, [1, m, n]);
                Tensor::launch_into(place.buffer()?, &kernel, &[&dz], [n])
            };
            Ok(vec![
                saved_w.map(dx).transpose()?,
                saved_x.map(dw).transpose()?,
                place_b.map(db).transpose()?,
            ])
        }))
    }
}
