//! Forward: conv2d's strips, which pool on their way out. Backward: sums over the winners (`sparse.rs`).
//!
//! Where the sparse way does not serve (dilation along the row, channels that do not fill vectors), or the windows are so
//! small that little is left out, `dz` is spread out for a few images at a time and conv2d's gradients do the rest.

use super::Conv2dPool;
use super::pooled::Pooled;
use super::sparse::{self, total};
use crate::conv2d::patches::Images;
use crate::conv2d::strips::{Maps, Strips};
use crate::conv2d::{Conv2dInputGrad, Conv2dWeightGrad};
use crate::cpu::Disjoint;
use crate::cpu::gemm::Strided;
use crate::kernel::Kernel;

pub fn forward(s: &Conv2dPool, inputs: &[&[f32]], y: &mut [f32], index: &mut [f32]) {
    let conv = &s.conv;
    let (outputs, taps) = (conv.out_channels / conv.groups, conv.taps());
    let mut maps = Maps {
        y: Disjoint::new(y),
        index: Some(Disjoint::new(index)),
        channels: conv.out_channels,
        first: 0,
        bias: conv.bias.then(|| inputs[2]),
        activation: conv.activation,
    };
    for group in 0..conv.groups {
        maps.first = group * outputs;
        let weight = Strided {
            data: &inputs[1][maps.first * taps..][..outputs * taps],
            outer_stride: taps,
            k_stride: 1,
        };
        let strips = Strips {
            images: Images {
                data: inputs[0],
                channels: conv.c,
                first: group * conv.c / conv.groups,
                h: conv.h,
                w: conv.w,
            },
            n: conv.n,
            c: conv.c / conv.groups,
            kernel: conv.kernel,
            stride: conv.stride,
            dilation: conv.dilation,
            pad: conv.pad.map(|[before, _]| before as isize),
            pool: s.window,
            grid: s.out(),
        };
        strips.product(outputs, &weight, &maps);
    }
}

/// Windows smaller than this leave out too little.
const SPARSE: usize = 4;

pub fn weight_grad(s: &Conv2dPool, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
    let &[x, dy, y, index] = inputs else { return };
    let pooled = Pooled::new(s, [dy, y, index]);
    let (dw, db) = match outputs {
        [dw] => (dw, None),
        [dw, db] => (dw, Some(db)),
        _ => return,
    };
    let sums = match s.places() >= SPARSE && sparse::gathers(s) {
        true => sparse::weight_grad(&pooled, x, dw),
        false => dense_weight_grad(s, x, &pooled, dw),
    };
    if let Some(db) = db {
        db.copy_from_slice(&sums);
    }
}

/// `dw` by way of `dz`; gives `db`.
fn dense_weight_grad(s: &Conv2dPool, x: &[f32], pooled: &Pooled, dw: &mut [f32]) -> Vec<f32> {
    let image = s.conv.x_len() / s.conv.n;
    let plane = s.conv.y_len() / s.conv.n / s.conv.out_channels;
    let mut db = vec![0f32; s.conv.out_channels];
    dw.fill(0.0);
    let mut part = vec![0f32; dw.len()];
    pooled.in_pieces(|conv, range, dz| {
        let x = &x[range.start * image..range.end * image];
        Conv2dWeightGrad(conv).cpu(&[x, dz], &mut [&mut part]);
        dw.iter_mut().zip(&part).for_each(|(d, p)| *d += p);
        for maps in dz.chunks_exact(plane * db.len()) {
            let maps = maps.chunks_exact(plane);
            db.iter_mut()
                .zip(maps)
                .for_each(|(d, map)| *d += total(map));
        }
    });
    db
}

pub fn input_grad(s: &Conv2dPool, inputs: &[&[f32]], dx: &mut [f32]) {
    let &[dy, y, index, weight] = inputs else {
        return;
    };
    let pooled = Pooled::new(s, [dy, y, index]);
    if s.places() >= SPARSE && sparse::spreads(s) {
        return sparse::input_grad(&pooled, weight, dx);
    }
    let image = s.conv.x_len() / s.conv.n;
    pooled.in_pieces(|conv, range, dz| {
        let dx = &mut dx[range.start * image..range.end * image];
        Conv2dInputGrad(conv).cpu(&[dz, weight], &mut [dx]);
    });
}
