//! The definitions: batch_norm's and max_pool2d's, one after the other.

use super::{BatchNormPool, BatchNormPoolGrad};
use crate::kernel::Kernel;

/// Where in `x` place `place` of the window of output `at` stands.
fn position(s: &BatchNormPool, at: usize, place: usize) -> usize {
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
    let BatchNormPoolGrad { forward: s, before } = s;
    let &[dy, index, won, stats, ref weight @ ..] = inputs else {
        return;
    };
    let (c, count) = (s.norm.c, (s.norm.n * s.norm.plane) as f64);
    let [oh, ow] = s.out();
    let normal = |channel: usize, x: f64| (x - stats[channel]) * stats[c + channel];
    let [x, dweight, dbias] = outputs else { return };
    let mut dz = vec![0.0; x.len()];
    dweight.fill(0.0);
    dbias.fill(0.0);
    for (at, gradient) in dy.iter().enumerate() {
        let channel = at / (oh * ow) % c;
        dz[position(s, at, index[at] as usize)] = *gradient;
        dbias[channel] += gradient;
        dweight[channel] += gradient * normal(channel, won[at]);
    }
    for (i, x) in x.iter_mut().enumerate() {
        let channel = i / s.norm.plane % c;
        let weight = weight.first().map_or(1.0, |weight| weight[channel]);
        let through = (dbias[channel] + normal(channel, *x) * dweight[channel]) / count;
        *x = before.oracle_grad(*x, weight * stats[c + channel] * (dz[i] - through));
    }
}
