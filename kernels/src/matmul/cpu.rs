//! The blocked product of `cpu::gemm`; bias and activation are applied to each tile while it is hot.
//!
//! A few rows by a matrix whose columns lie whole in memory, which is a Linear layer's answer about one window, are scalar
//! products instead: the weight is read once, from where it lies, and nothing is packed.

use super::Matmul;
use crate::activation::Activation;
use crate::cpu::gemm::{RowMajor, Sink, Strided, gemm};
use crate::cpu::{Disjoint, for_each};
use std::ops::Range;

/// Rows up to which scalar products are faster than packing.
const FEW: usize = 4;

/// Summed elements of one task.
const PIECE: usize = 128 * 1024;

pub fn matmul(s: &Matmul, inputs: &[&[f32]], y: &mut [f32]) {
    let [row, a_k, column, b_k] = s.strides();
    if s.m <= FEW && (a_k, b_k) == (1, 1) {
        return few_rows(s, inputs, y);
    }
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

/// `y[i, j] = a[i, ..] · b[j, ..]`, the bias and the activation.
fn few_rows(s: &Matmul, inputs: &[&[f32]], y: &mut [f32]) {
    let block = (PIECE / s.k).max(1);
    let out = Disjoint::new(y);
    for_each(s.n.div_ceil(block), |task| {
        let columns = task * block..s.n.min((task + 1) * block);
        for j in columns.clone() {
            for (i, a) in inputs[0].chunks_exact(s.k).enumerate() {
                // SAFETY: each column belongs to one task.
                let y = unsafe { out.slice(i * s.n + j..i * s.n + j + 1) };
                y[0] = dot(a, &inputs[1][j * s.k..(j + 1) * s.k]);
                if s.bias {
                    y[0] += inputs[2][j];
                }
            }
        }
        for i in 0..s.m {
            // SAFETY: as above.
            let y = unsafe { out.slice(i * s.n + columns.start..i * s.n + columns.end) };
            s.activation.apply(y);
        }
    });
}

crate::vectorized! {
    /// The sum of products, in sixty-four sums side by side.
    fn dot(a: &[f32], b: &[f32]) -> f32 {
        let mut sums = [0f32; 64];
        let (a, b) = (a.chunks_exact(64), b.chunks_exact(64));
        let rest: f32 = a.remainder().iter().zip(b.remainder()).map(|(a, b)| a * b).sum();
        for (a, b) in a.zip(b) {
            for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
                *sum += a * b;
            }
        }
        rest + sums.iter().sum::<f32>()
    }
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
