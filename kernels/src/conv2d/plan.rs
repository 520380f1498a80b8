//! The dispatches of every rung of the three directions.

use super::Conv2d;
use crate::kernel::{Limits, Pass, Plan, Rung};

/// The words of `struct Shape` in every conv2d shader.
fn params(s: &Conv2d) -> Vec<u32> {
    let [oh, ow] = s.out();
    [
        s.n,
        s.c,
        s.h,
        s.w,
        s.out_channels,
        oh,
        ow,
        s.kernel[0],
        s.kernel[1],
        s.stride[0],
        s.stride[1],
        s.pad[0][0],
        s.pad[1][0],
        s.dilation[0],
        s.dilation[1],
        s.groups,
    ]
    .map(|v| v as u32)
    .to_vec()
}

pub fn forward(s: &Conv2d, rung: &Rung, limits: &Limits) -> Option<Plan> {
    let groups = limits.fold(s.y_len().div_ceil(64));
    // Without a bias something must still stand at its binding: `x` does, and is not read.
    let (bias, y) = if s.bias { (2, 3) } else { (0, 2) };
    let constants = [
        ("BIAS", f64::from(u8::from(s.bias))),
        ("ACTIVATION", s.activation.code()),
    ];
    Some(
        Pass::of(rung, 4, params(s), groups)
            .with(&constants)
            .over(&[0, 1, bias, y])
            .into(),
    )
}

pub fn input_grad(s: &Conv2d, rung: &Rung, limits: &Limits) -> Option<Plan> {
    Some(Pass::of(rung, 3, params(s), limits.fold(s.x_len().div_ceil(64))).into())
}

pub fn weight_grad(s: &Conv2d, rung: &Rung, limits: &Limits) -> Option<Plan> {
    Some(Pass::of(rung, 3, params(s), limits.fold(s.weight_len().div_ceil(64))).into())
}
