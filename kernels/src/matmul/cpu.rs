//! The blocked product of `cpu::gemm`; bias and activation are applied to each tile while it is hot.

use super::Matmul;
use crate::activation::Activation;
use crate::cpu::gemm::{RowMajor, Sink, Strided, gemm};
use std::ops::Range;

pub fn matmul(s: &Matmul, inputs: &[&[f32]], y: &mut [f32]) {
    let [row, a_k, column, b_k] = s.strides();
    let a = Strided {
        data: inputs[0],
        outer_stride: row,
        k_stride: a_k,
    };
    let b = Strided {
        data: inputs[1],
        outer_stride: column,
        k_stride: b_k,
    };
    let rows = RowMajor::new(y, s.n);
    let bias = s.bias.then(|| inputs[2]);
    gemm(
        s.m,
        s.n,
        s.k,
        &a,
        &b,
        &Epilogue {
            rows,
            bias,
            activation: s.activation,
        },
    );
}

/// Adds the bias of each column and applies the activation on the way to `y`.
struct Epilogue<'a> {
    rows: RowMajor<'a>,
    bias: Option<&'a [f32]>,
    activation: Activation,
}

impl Sink for Epilogue<'_> {
    fn put(&self, i: Range<usize>, j: Range<usize>, tile: &[f32], stride: usize) {
        if self.bias.is_none() && self.activation == Activation::None {
            return self.rows.put(i, j, tile, stride);
        }
        for (row, values) in i.zip(tile.chunks(stride)) {
            // SAFETY: each element of C comes once, to one task.
            let y = unsafe { self.rows.part(row, j.clone()) };
            match self.bias {
                None => y.copy_from_slice(&values[..j.len()]),
                Some(bias) => (y.iter_mut().zip(values).zip(&bias[j.clone()]))
                    .for_each(|((y, v), b)| *y = v + b),
            }
            self.activation.apply(y);
        }
    }
}
