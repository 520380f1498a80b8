//! The definitions: conv2d's and max_pool2d's, one after the other.

use super::Conv2dPool;
use crate::conv2d::{Conv2d, Conv2dInputGrad, Conv2dWeightGrad};
use crate::kernel::Kernel;
use crate::max_pool2d::MaxPool2dGrad;

/// Where place `place` of the window of output `at` stands in the plane of the convolution, and back.
fn position(s: &Conv2dPool, at: usize, place: usize) -> usize {
    let ([oh, ow], [_, width]) = (s.out(), s.conv.out());
    let (a, b) = (at / ow % oh, at % ow);
    let (p, q) = (place / s.window[1], place % s.window[1]);
    (a * s.window[0] + p) * width + b * s.window[1] + q
}

fn place(s: &Conv2dPool, position: usize) -> usize {
    let width = s.conv.out()[1];
    position / width % s.window[0] * s.window[1] + position % width % s.window[1]
}

pub fn forward(s: &Conv2dPool, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
    let mut z = [vec![0.0; s.conv.y_len()]];
    s.conv.oracle(inputs, &mut z);
    s.pool().oracle(&[&z[0]], outputs);
    for index in &mut outputs[1] {
        *index = place(s, *index as usize) as f64;
    }
}

/// The gradient before the activation: at the pooled map, and at the un-pooled one.
fn before(s: &Conv2dPool, dy: &[f64], y: &[f64], index: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let pooled: Vec<f64> = dy
        .iter()
        .zip(y)
        .map(|(dy, y)| s.conv.activation.oracle_grad(*y, *dy))
        .collect();
    let positions: Vec<f64> = index
        .iter()
        .enumerate()
        .map(|(at, place)| position(s, at, *place as usize) as f64)
        .collect();
    let mut dz = [vec![0.0; s.conv.y_len()]];
    MaxPool2dGrad(s.pool()).oracle(&[&pooled, &positions], &mut dz);
    let [dz] = dz;
    (pooled, dz)
}

pub fn weight_grad(s: &Conv2dPool, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
    let (pooled, dz) = before(s, inputs[1], inputs[2], inputs[3]);
    let plain = Conv2d {
        bias: false,
        ..s.conv
    };
    Conv2dWeightGrad(plain).oracle(&[inputs[0], &dz], &mut outputs[..1]);
    if let Some(db) = outputs.get_mut(1) {
        let [oh, ow] = s.out();
        db.fill(0.0);
        for (at, gradient) in pooled.iter().enumerate() {
            db[at / (oh * ow) % s.conv.out_channels] += gradient;
        }
    }
}

pub fn input_grad(s: &Conv2dPool, inputs: &[&[f64]], dx: &mut Vec<f64>) {
    let (_, dz) = before(s, inputs[0], inputs[1], inputs[2]);
    Conv2dInputGrad(s.conv).oracle(&[&dz, inputs[3]], std::slice::from_mut(dx));
}
