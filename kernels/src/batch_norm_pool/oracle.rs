//! The definitions: batch_norm's and max_pool2d's, one after the other.

use super::{BatchNormPool, BatchNormPoolGrad};
use crate::batch_norm::BatchNormGrad;
use crate::kernel::Kernel;

/// Where in `x` place `place` of the window of output `at` stands.
pub fn position(s: &BatchNormPool, at: usize, place: usize) -> usize {
    let ([oh, ow], [down, across]) = (s.out(), s.window);
    let row = at / ow % oh * down + place / across;
    at / (oh * ow) * s.norm.plane + row * s.size[1] + at % ow * across + place % across
}

pub fn forward(s: &BatchNormPool, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
    let x = inputs[0];
    // z, stats, and the running statistics, which start as they were.
    let mut whole: Vec<Vec<f64>> = vec![vec![0.0; x.len()], outputs[3].clone()];
    whole.extend_from_slice(&outputs[4..]);
    s.norm.oracle(inputs, &mut whole);
    let negative = |i: usize| {
        let weight = inputs.get(1);
        weight.is_some_and(|weight| weight[i / s.norm.plane % s.norm.c] < 0.0)
    };
    let turned = x.iter().enumerate();
    let turned: Vec<f64> = turned
        .map(|(i, x)| if negative(i) { -x } else { *x })
        .collect();
    let mut found = [vec![0.0; s.y_len()], vec![0.0; s.y_len()]];
    s.pool().oracle(&[&turned], &mut found);
    let ([oh, ow], [down, across]) = (s.out(), s.window);
    for (at, place) in found[1].iter().enumerate() {
        let place = *place as usize;
        let i = at / (oh * ow) * s.norm.plane + place;
        let (row, column) = (place / s.size[1], place % s.size[1]);
        outputs[0][at] = whole[0][i];
        outputs[1][at] = (row % down * across + column % across) as f64;
        outputs[2][at] = x[i];
    }
    outputs[3..].clone_from_slice(&whole[1..]);
}

pub fn grad(s: &BatchNormPoolGrad, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
    let (x, dy, index) = (inputs[0], inputs[1], inputs[2]);
    let mut dz = vec![0.0; x.len()];
    for (at, gradient) in dy.iter().enumerate() {
        dz[position(&s.forward, at, index[at] as usize)] = *gradient;
    }
    let norm = BatchNormGrad {
        forward: s.forward.norm,
        training: true,
    };
    let inputs: Vec<&[f64]> = [x, &dz, inputs[4]]
        .into_iter()
        .chain(inputs.get(5).copied())
        .collect();
    norm.oracle(&inputs, outputs);
    for (dx, x) in outputs[0].iter_mut().zip(x) {
        *dx *= s.before.slope_oracle(*x);
    }
}
