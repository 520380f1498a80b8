//! The dispatches of every rung of the forward kernel and both gradients.

use super::Conv2dPool;
use crate::conv2d::plan::{PART, WORKGROUPS, sum_parts};
use crate::kernel::{Limits, Pass, Plan, Rung};
use crate::rung;

/// The words of `struct Shape` in every conv2d_pool shader.
fn params(s: &Conv2dPool) -> Vec<u32> {
    let words = s.out().into_iter().chain(s.window).map(|v| v as u32);
    crate::conv2d::plan::params(&s.conv)
        .into_iter()
        .chain(words)
        .collect()
}

/// Sizes that later rungs want to know when they are compiled.
fn sizes(s: &Conv2dPool) -> [(&'static str, f64); 4] {
    [
        ("KH", s.conv.kernel[0] as f64),
        ("KW", s.conv.kernel[1] as f64),
        ("WH", s.window[0] as f64),
        ("WW", s.window[1] as f64),
    ]
}

fn constants(s: &Conv2dPool, rung: &Rung) -> Vec<(&'static str, f64)> {
    let mut constants = vec![("ACTIVATION", s.conv.activation.code())];
    if !is_naive(rung) {
        constants.extend(sizes(s));
    }
    constants
}

fn is_naive(rung: &Rung) -> bool {
    rung.name.ends_with("_1_naive")
}

/// Rows and columns of a register-blocked tile.
const TILE: usize = 64;

pub fn forward(s: &Conv2dPool, rung: &Rung, limits: &Limits) -> Option<Plan> {
    let conv = &s.conv;
    let windows = s.y_len() / conv.out_channels;
    let (groups, terms) = if is_naive(rung) {
        (s.y_len().div_ceil(64), conv.taps() * s.places())
    } else {
        // Only whole windows stand in a tile.
        let columns = windows.div_ceil((TILE / s.places()).max(1));
        let rows = (conv.out_channels / conv.groups).div_ceil(TILE);
        (rows * columns * conv.groups, conv.taps())
    };
    if !is_naive(rung) && s.places() > TILE {
        return None;
    }
    let mut constants = constants(s, rung);
    constants.push(("BIAS", f64::from(u8::from(conv.bias))));
    // Without a bias something must still stand at its binding: `x` does, and is not read.
    let bindings = match conv.bias {
        true => [0, 1, 2, 3, 4],
        false => [0, 1, 0, 2, 3],
    };
    Some(
        Pass::of(rung, 5, params(s), limits.fold(groups))
            .with(&constants)
            .over(&bindings)
            .looping(2 * terms)
            .into(),
    )
}

pub fn weight_grad(s: &Conv2dPool, rung: &Rung, limits: &Limits) -> Option<Plan> {
    let conv = &s.conv;
    let (len, windows) = (conv.weight_len(), s.y_len() / conv.out_channels);
    let outputs = if conv.bias { 2 } else { 1 };
    let mut plan = Plan::default();
    if is_naive(rung) {
        let pass = Pass::of(rung, 5, params(s), limits.fold(len.div_ceil(64)));
        let pass = pass.with(&constants(s, rung)).looping(2 * windows);
        plan.passes.push(pass);
    } else {
        let groups = conv.taps().div_ceil(256) * conv.out_channels;
        // Enough parts to fill a card, each long enough to be worth it and short enough for one thread.
        let wanted = (4 * WORKGROUPS / groups).clamp(1, windows.div_ceil(PART));
        let wanted = wanted.max(windows.div_ceil(limits.iterations / 2));
        let part = windows.div_ceil(wanted);
        let parts = windows.div_ceil(part);
        let mut words = params(s);
        words.push(part as u32);
        let scratch = 4 + outputs;
        let split = Pass::of(rung, 5, words, limits.fold(groups * parts))
            .with(&constants(s, rung))
            .looping(2 * part);
        if parts == 1 {
            plan.passes.push(split);
        } else {
            plan.scratch.push(parts * len);
            plan.passes.push(split.over(&[0, 1, 2, 3, scratch]));
            plan.passes
                .push(sum_parts(len, parts, [scratch, 4], limits));
        }
    }
    if conv.bias {
        const BIAS: Rung = rung!("conv2d_pool_bias_grad");
        let pass = Pass::of(&BIAS, 3, params(s), limits.fold(conv.out_channels))
            .with(&[("ACTIVATION", conv.activation.code())])
            .over(&[1, 2, 5])
            .looping(windows.div_ceil(256));
        plan.passes.push(pass);
    }
    Some(plan)
}

pub fn input_grad(s: &Conv2dPool, rung: &Rung, limits: &Limits) -> Option<Plan> {
    let conv = &s.conv;
    let outputs = conv.out_channels / conv.groups;
    let (threads, terms) = if is_naive(rung) {
        (conv.x_len(), outputs * conv.kernel[0] * conv.kernel[1])
    } else {
        let blocks = (conv.c / conv.groups).div_ceil(4) * conv.groups;
        // Windows that can reach one pixel.
        let windows = [0, 1].map(|axis| {
            let reach = conv.dilation[axis] * (conv.kernel[axis] - 1);
            reach / conv.stride[axis] / s.window[axis] + 2
        });
        let threads = blocks * conv.n * conv.h * conv.w;
        (threads, outputs * windows[0] * windows[1])
    };
    Some(
        Pass::of(rung, 5, params(s), limits.fold(threads.div_ceil(64)))
            .with(&constants(s, rung))
            .looping(2 * terms)
            .into(),
    )
}
