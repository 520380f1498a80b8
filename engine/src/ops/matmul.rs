//! Matrix products.
//!
//! `y = a·b`, so `da = dy·bᵀ` and `db = aᵀ·dy`: each sum runs over the axis that the two factors do not share with the
//! result. With a factor lying transposed in memory, its gradient is transposed too.

use crate::error::{Error, Result};
use crate::shape::Shape;
use crate::tape::record;
use crate::tensor::Tensor;
use kernels::matmul::Matmul;

/// Rows and columns.
fn sides(t: &Tensor, transposed: bool) -> Result<[usize; 2]> {
    match (<[usize; 2]>::try_from(&t.shape()[..]), transposed) {
        (Ok([rows, columns]), false) => Ok([rows, columns]),
        (Ok([columns, rows]), true) => Ok([rows, columns]),
        (Err(_), _) => Err(Error::shape("matmul", t.shape(), "is not a matrix")),
    }
}

impl Tensor {
    /// The product of two matrices: `[m, k] · [k, n]` gives `[m, n]`.
    ///
    /// # Errors
    /// Shapes that do not go together, with both; whatever the device refuses.
    pub fn matmul(&self, b: &Tensor) -> Result<Tensor> {
        self.matmul_transposed(b, false, false)
    }

    /// The same with factors that lie transposed in memory: `a` as `[k, m]`, `b` as `[n, k]`.
    pub fn matmul_transposed(
        &self,
        b: &Tensor,
        transpose_a: bool,
        transpose_b: bool,
    ) -> Result<Tensor> {
        let a = self;
        let (ta, tb) = (transpose_a, transpose_b);
        let ([m, k], [k_of_b, n]) = (sides(a, ta)?, sides(b, tb)?);
        if k != k_of_b {
            let problem = format!("sums of {k} meet sums of {k_of_b}");
            return Err(Error::shapes("matmul", a.shape(), b.shape(), problem));
        }
        let y = Tensor::launch(&Matmul::new(m, n, k).transposed(ta, tb), &[a, b], [m, n])?;
        let (shape_a, shape_b): (Shape, Shape) = (a.shape().clone(), b.shape().clone());
        let saved_b = a.is_tracked().then(|| b.detach());
        let saved_a = b.is_tracked().then(|| a.detach());
        Ok(record(y, &[a, b], move |dy| {
            let da = |b: Tensor| match ta {
                false => Tensor::launch(
                    &Matmul::new(m, k, n).transposed(false, !tb),
                    &[&dy, &b],
                    shape_a,
                ),
                true => Tensor::launch(
                    &Matmul::new(k, m, n).transposed(tb, true),
                    &[&b, &dy],
                    shape_a,
                ),
            };
            let db = |a: Tensor| match tb {
                false => Tensor::launch(
                    &Matmul::new(k, n, m).transposed(!ta, false),
                    &[&a, &dy],
                    shape_b,
                ),
                true => Tensor::launch(
                    &Matmul::new(n, k, m).transposed(true, ta),
                    &[&dy, &a],
                    shape_b,
                ),
            };
            Ok(vec![
                saved_b.map(da).transpose()?,
                saved_a.map(db).transpose()?,
            ])
        }))
    }
}
