//! A matrix that is packed once and multiplied by a few rows at a time: a recurrent layer's weights, once for each step.

use super::gemm::{Panels, Strided};
use super::microkernel::{MAX_TILE, Microkernel};

/// `B[depth, columns]` in the order that the microkernel reads.
pub struct Packed {
    kernel: Microkernel,
    columns: usize,
    depth: usize,
    strips: Vec<f32>,
}

impl Packed {
    /// Packs `b`.
    pub fn new(columns: usize, depth: usize, b: &impl Panels) -> Self {
        let kernel = Microkernel::best();
        let nr = kernel.nr;
        let mut strips = vec![0f32; columns.div_ceil(nr) * nr * depth];
        for (strip, out) in strips.chunks_exact_mut(nr * depth).enumerate() {
            let first = strip * nr;
            b.pack(first, nr.min(columns - first), nr, 0..depth, out);
        }
        Packed {
            kernel,
            columns,
            depth,
            strips,
        }
    }

    /// How many rows one product takes.
    pub fn rows(&self) -> usize {
        self.kernel.mr
    }

    /// `c[i, j] = Σ_p a[i, p] · b[p, j] + bias[j]` for as many rows as `c` holds: at most [`Packed::rows`].
    pub fn multiply(&self, a: &[f32], bias: Option<&[f32]>, c: &mut [f32], scratch: &mut Vec<f32>) {
        let Microkernel { mr, nr, .. } = self.kernel;
        let (columns, depth) = (self.columns, self.depth);
        scratch.resize(depth * mr, 0.0);
        let a = Strided {
            data: a,
            outer_stride: depth,
            k_stride: 1,
        };
        a.pack(0, c.len() / columns, mr, 0..depth, scratch);
        let mut tile = [0f32; MAX_TILE];
        for (strip, b) in self.strips.chunks_exact(nr * depth).enumerate() {
            self.kernel.run(depth, scratch, b, &mut tile);
            let first = strip * nr;
            let range = first..columns.min(first + nr);
            for (c, tile) in c.chunks_exact_mut(columns).zip(tile.chunks_exact(nr)) {
                let c = &mut c[range.clone()];
                match bias {
                    None => c.copy_from_slice(&tile[..range.len()]),
                    Some(bias) => (c.iter_mut().zip(tile).zip(&bias[range.clone()]))
                        .for_each(|((c, sum), b)| *c = sum + b),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packed_matrix_multiplies_few_rows() {
        let whole = |i: usize, m: usize| (i * 7 % m) as f32 - (m / 2) as f32;
        for (rows, depth, columns) in [(1, 1, 1), (3, 7, 31), (4, 33, 96), (2, 65, 130)] {
            let a: Vec<f32> = (0..rows * depth).map(|i| whole(i, 23)).collect();
            let b: Vec<f32> = (0..depth * columns).map(|i| whole(i, 19)).collect();
            let bias: Vec<f32> = (0..columns).map(|i| whole(i, 5)).collect();
            let strided = Strided {
                data: &b,
                outer_stride: 1,
                k_stride: columns,
            };
            let packed = Packed::new(columns, depth, &strided);
            assert!(rows <= packed.rows());
            let mut c = vec![f32::NAN; rows * columns];
            packed.multiply(&a, Some(&bias), &mut c, &mut Vec::new());
            for (at, c) in c.iter().enumerate() {
                let (i, j) = (at / columns, at % columns);
                let products = (0..depth).map(|p| a[i * depth + p] * b[p * columns + j]);
                assert_eq!(
                    *c,
                    products.sum::<f32>() + bias[j],
                    "whole numbers are exact"
                );
            }
        }
    }
}
