//! Convolution and pooling as the papers' networks have them, odd ones, and bad ones; each with both gradients.

use super::{Conv2dPool, Conv2dPoolInputGrad, Conv2dPoolWeightGrad};
use crate::activation::Activation;
use crate::conv2d::Conv2d;
use crate::conv2d::cases::any;
use crate::draw::Draw;
use crate::kernel::{Case, Kernel, Role};

/// The cases of `conv2d_pool`, `conv2d_pool_weight_grad` and `conv2d_pool_input_grad`.
pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |role, name, window, conv| {
        every_direction(&mut cases, name, Conv2dPool { conv, window }, role);
    };
    let relu = |conv: Conv2d| conv.with(true, Activation::Relu);
    let new = Conv2d::new;
    for (name, window, conv) in [
        ("ajufo-1", [2, 4], new([20, 1, 128, 660], 32, [3, 3])),
        ("ajufo-2", [2, 4], new([20, 32, 63, 164], 64, [3, 3])),
        (
            "georgopoulos-1",
            [2, 2],
            new([32, 1, 128, 128], 32, [3, 3]).padded(1),
        ),
        (
            "georgopoulos-2",
            [2, 2],
            new([32, 32, 64, 64], 64, [3, 3]).padded(1),
        ),
        (
            "georgopoulos-3",
            [2, 2],
            new([32, 64, 32, 32], 128, [3, 3]).padded(1),
        ),
    ] {
        add(Role::Bench, name, window, relu(conv));
    }
    let strided = |conv: Conv2d, stride: [usize; 2]| Conv2d { stride, ..conv };
    for (name, window, conv) in [
        ("one", [1, 1], new([1, 1, 1, 1], 1, [1, 1])),
        ("plain", [2, 2], new([2, 3, 7, 33], 5, [3, 3])),
        (
            "many-dead-windows",
            [2, 4],
            relu(new([2, 1, 9, 31], 7, [3, 3])),
        ),
        (
            "rows-left-over",
            [3, 4],
            new([1, 2, 10, 33], 9, [3, 5]).with(false, Activation::LeakyRelu),
        ),
        (
            "whole-vectors",
            [2, 4],
            relu(new([2, 16, 9, 35], 10, [3, 3])),
        ),
        (
            "padded",
            [2, 2],
            new([2, 16, 9, 7], 4, [3, 3])
                .padded(1)
                .with(true, Activation::Tanh),
        ),
        (
            "uneven-padding",
            [2, 3],
            Conv2d {
                pad: [[0, 1], [1, 0]],
                ..new([2, 8, 8, 7], 4, [2, 2]).with(true, Activation::Elu)
            },
        ),
        (
            "strided",
            [2, 2],
            strided(new([2, 3, 31, 31], 4, [3, 3]).padded(1), [2, 3]),
        ),
        (
            "strided-vectors",
            [2, 2],
            strided(new([1, 32, 13, 17], 3, [2, 3]).padded(1), [1, 2]),
        ),
        (
            "dilated",
            [2, 2],
            Conv2d {
                dilation: [2, 3],
                ..new([2, 2, 11, 17], 3, [3, 3])
                    .padded(2)
                    .with(true, Activation::Sigmoid)
            },
        ),
        (
            "dilated-rows",
            [2, 2],
            Conv2d {
                dilation: [2, 1],
                ..new([1, 16, 11, 9], 3, [3, 3]).padded(2)
            },
        ),
        (
            "grouped",
            [2, 2],
            Conv2d {
                groups: 2,
                ..relu(new([2, 32, 7, 9], 6, [3, 3]).padded(1))
            },
        ),
        (
            "all-padding-windows",
            [2, 2],
            new([1, 2, 3, 4], 3, [3, 2]).padded(5),
        ),
        (
            "wide-padded",
            [2, 2],
            relu(new([3, 3, 6, 130], 9, [5, 3]).padded(2)),
        ),
        ("tall", [4, 1], new([3, 2, 65, 1], 3, [3, 1])),
        ("wide-window", [1, 31], new([1, 1, 3, 65], 2, [1, 1])),
        ("window-above-64", [9, 9], new([1, 2, 10, 11], 3, [2, 2])),
        (
            "many-channels",
            [2, 2],
            relu(new([1, 41, 5, 6], 65, [3, 3]).padded(1)),
        ),
        (
            "long-weight-sum",
            [2, 2],
            relu(new([4, 1, 40, 40], 3, [3, 3])),
        ),
    ] {
        add(Role::Proof, name, window, conv);
    }
    let plain = new([2, 3, 7, 9], 5, [3, 3]);
    for (name, message, window, conv) in [
        ("no-window", "does not fit", [0, 2], plain),
        ("window-too-large", "does not fit", [6, 2], plain),
        ("window-huge", "does not fit", [2, usize::MAX], plain),
        (
            "kernel-too-large",
            "larger than input",
            [1, 1],
            new([1, 1, 2, 9], 1, [3, 3]),
        ),
        ("empty-axis", "empty axis", [2, 2], Conv2d { n: 0, ..plain }),
        (
            "too-large",
            "2^31",
            [2, 2],
            Conv2d {
                n: 1 << 28,
                ..plain
            },
        ),
    ] {
        add(Role::Bad(message), name, window, conv);
    }
    cases
}

fn every_direction(cases: &mut Vec<Case>, name: &'static str, pool: Conv2dPool, role: Role) {
    cases.push(Case {
        name,
        kernel: Box::new(pool),
        role,
    });
    cases.push(Case {
        name,
        kernel: Box::new(Conv2dPoolWeightGrad(pool)),
        role,
    });
    // Nobody asks a first layer for its input's gradient.
    if role == Role::Bench && pool.conv.c == 1 {
        return;
    }
    cases.push(Case {
        name,
        kernel: Box::new(Conv2dPoolInputGrad(pool)),
        role,
    });
}

/// A random shape of each; not all of them are possible.
pub fn random(d: &mut Draw) -> Vec<Box<dyn Kernel>> {
    let shape = |d: &mut Draw| {
        let mut conv = any(d);
        if d.flag() {
            // Whole vectors of channels have a way of their own.
            conv.c = 16 * conv.groups;
        }
        Conv2dPool {
            conv,
            window: d.pair(1, 4),
        }
    };
    vec![
        Box::new(shape(d)),
        Box::new(Conv2dPoolWeightGrad(shape(d))),
        Box::new(Conv2dPoolInputGrad(shape(d))),
    ]
}
