//! Matrix products with the cosines, which are worked out anew for each launch: fewer than the numbers they meet.

use super::Dct;
use crate::cpu::gemm::{RowMajor, Strided, gemm};

pub fn dct(s: &Dct, x: &[f32], y: &mut [f32]) {
    let cosines = cosines(s);
    // Row k of the matrix.
    let matrix = Strided {
        data: &cosines,
        outer_stride: s.n,
        k_stride: 1,
    };
    product(s, [s.kept, s.n], matrix, x, y);
}

pub fn gradient(s: &Dct, dy: &[f32], dx: &mut [f32]) {
    let cosines = cosines(s);
    // Its column j.
    let matrix = Strided {
        data: &cosines,
        outer_stride: 1,
        k_stride: s.n,
    };
    product(s, [s.n, s.kept], matrix, dy, dx);
}

/// `[kept, n]`
fn cosines(s: &Dct) -> Vec<f32> {
    let row = |k: usize| (0..s.n).map(move |j| s.factor(k, j) as f32);
    (0..s.kept).flat_map(row).collect()
}

/// `y[outer, rows, inner] = matrix[rows, depth] · x[outer, depth, inner]`.
fn product(s: &Dct, [rows, depth]: [usize; 2], matrix: Strided, x: &[f32], y: &mut [f32]) {
    if s.inner == 1 {
        // All at once, as the product of x with the transposed matrix.
        let x = Strided {
            data: x,
            outer_stride: depth,
            k_stride: 1,
        };
        return gemm(s.outer, rows, depth, &x, &matrix, &RowMajor::new(y, rows));
    }
    let (x, y) = (
        x.chunks_exact(depth * s.inner),
        y.chunks_exact_mut(rows * s.inner),
    );
    for (x, y) in x.zip(y) {
        let x = Strided {
            data: x,
            outer_stride: 1,
            k_stride: s.inner,
        };
        gemm(
            rows,
            s.inner,
            depth,
            &matrix,
            &x,
            &RowMajor::new(y, s.inner),
        );
    }
}
