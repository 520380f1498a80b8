//! Sums and means along an axis.
//!
//! Every element of the axis is added to the same sum, so each gets the sum's gradient (a mean's, divided by the
//! length): `dx` is `dy` repeated along the axis.

use crate::error::Result;
use crate::shape::Shape;
use crate::tape::record;
use crate::tensor::Tensor;
use kernels::elementwise::{Elementwise, Expr, View};
use kernels::reduce::{Reduce, ReduceOp};

impl Tensor {
    /// The sum along `axis`, which disappears: `[2, 3, 4]` along 1 gives `[2, 4]`.
    ///
    /// # Errors
    /// No such axis; whatever the device refuses.
    pub fn sum(&self, axis: usize) -> Result<Tensor> {
        self.reduce(
            ReduceOp::Sum,
            self.shape().around("sum", axis)?,
            self.shape().without(axis),
        )
    }

    /// The mean along `axis`, which disappears: `[2, 3, 4]` along 1 gives `[2, 4]`.
    ///
    /// # Errors
    /// No such axis; whatever the device refuses.
    pub fn mean(&self, axis: usize) -> Result<Tensor> {
        self.reduce(
            ReduceOp::Mean,
            self.shape().around("mean", axis)?,
            self.shape().without(axis),
        )
    }

    /// The sum of all numbers, shape `[]`.
    pub fn sum_all(&self) -> Result<Tensor> {
        self.reduce(ReduceOp::Sum, [1, self.elements(), 1], Shape::default())
    }

    /// The mean of all numbers, shape `[]`.
    pub fn mean_all(&self) -> Result<Tensor> {
        self.reduce(ReduceOp::Mean, [1, self.elements(), 1], Shape::default())
    }

    fn reduce(&self, op: ReduceOp, around: [usize; 3], shape: Shape) -> Result<Tensor> {
        let y = Tensor::launch(&Reduce::new(op, around), &[self], shape)?;
        let (old, [outer, axis, inner]) = (self.shape().clone(), around);
        Ok(record(y, &[self], move |dy| {
            let expr = match op {
                ReduceOp::Mean => Expr::input(0) / axis as f32,
                _ => Expr::input(0),
            };
            let kernel = Elementwise {
                expr,
                len: old.elements(),
                views: vec![View {
                    outer,
                    repeat: axis,
                    inner,
                }],
                params: Vec::new(),
            };
            Ok(vec![Some(Tensor::launch(&kernel, &[&dy], old)?)])
        }))
    }
}
