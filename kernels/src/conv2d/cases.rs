//! The convolutions of the papers' networks, odd ones, and bad ones; each in all three directions.

use super::{Conv2d, Conv2dInputGrad, Conv2dWeightGrad};
use crate::activation::Activation;
use crate::draw::Draw;
use crate::kernel::{Case, Kernel, Role};

/// The cases of `conv2d`, `conv2d_input_grad` and `conv2d_weight_grad`.
pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let relu = |conv: Conv2d| conv.with(true, Activation::Relu);
    for (name, conv) in [
        ("ajufo-1", relu(Conv2d::new([20, 1, 128, 660], 32, [3, 3]))),
        ("ajufo-2", relu(Conv2d::new([20, 32, 63, 164], 64, [3, 3]))),
        (
            "ajufo-crnn-1",
            relu(Conv2d::new([20, 1, 128, 660], 64, [3, 3]).padded(1)),
        ),
        (
            "ajufo-crnn-2",
            relu(Conv2d::new([20, 64, 64, 330], 128, [3, 3]).padded(1)),
        ),
        (
            "ajufo-crnn-3",
            relu(Conv2d::new([20, 128, 16, 165], 128, [3, 3]).padded(1)),
        ),
        (
            "ajufo-crnn-4",
            relu(Conv2d::new([20, 128, 4, 82], 128, [3, 3]).padded(1)),
        ),
        (
            "georgopoulos-1",
            relu(Conv2d::new([32, 1, 128, 128], 32, [3, 3]).padded(1)),
        ),
        (
            "georgopoulos-2",
            relu(Conv2d::new([32, 32, 64, 64], 64, [3, 3]).padded(1)),
        ),
        (
            "georgopoulos-3",
            relu(Conv2d::new([32, 64, 32, 32], 128, [3, 3]).padded(1)),
        ),
    ] {
        every_direction(&mut cases, name, conv, Role::Bench);
    }
    let strided = |conv: Conv2d, stride: [usize; 2]| Conv2d { stride, ..conv };
    for (name, conv) in [
        ("one", Conv2d::new([1, 1, 1, 1], 1, [1, 1])),
        ("plain", Conv2d::new([2, 3, 7, 33], 5, [3, 3])),
        ("wide-row", Conv2d::new([1, 2, 5, 131], 9, [3, 5])),
        ("padded", Conv2d::new([2, 3, 9, 7], 4, [3, 3]).padded(1)),
        (
            "uneven-padding",
            Conv2d {
                pad: [[0, 1], [1, 0]],
                ..Conv2d::new([2, 3, 8, 7], 4, [2, 2])
            },
        ),
        (
            "strided",
            strided(Conv2d::new([2, 3, 31, 17], 4, [3, 3]).padded(1), [2, 3]),
        ),
        (
            "stride-above-kernel",
            strided(Conv2d::new([1, 2, 13, 11], 3, [2, 2]), [3, 4]),
        ),
        (
            "dilated",
            Conv2d {
                dilation: [2, 3],
                ..Conv2d::new([2, 2, 11, 17], 3, [3, 3]).padded(2)
            },
        ),
        (
            "grouped",
            Conv2d {
                groups: 2,
                ..Conv2d::new([2, 4, 7, 9], 6, [3, 3]).padded(1)
            },
        ),
        (
            "depthwise",
            Conv2d {
                groups: 5,
                ..Conv2d::new([1, 5, 7, 7], 5, [3, 3])
            },
        ),
        (
            "everything",
            Conv2d {
                groups: 3,
                dilation: [2, 1],
                pad: [[1, 2], [2, 0]],
                ..strided(Conv2d::new([2, 6, 15, 13], 9, [3, 2]), [2, 1])
            },
        ),
        (
            "all-padding-windows",
            Conv2d::new([1, 2, 3, 4], 3, [3, 2]).padded(5),
        ),
        // Rows that fill tiles, and see the image with a part of the kernel.
        (
            "wide-padded",
            Conv2d::new([3, 3, 4, 82], 9, [3, 3]).padded(1),
        ),
        (
            "wide-dilated",
            Conv2d {
                dilation: [3, 2],
                ..Conv2d::new([3, 3, 6, 70], 9, [3, 3]).padded(4)
            },
        ),
        (
            "wide-everything",
            Conv2d {
                groups: 2,
                dilation: [2, 1],
                pad: [[5, 3], [2, 0]],
                ..strided(Conv2d::new([4, 4, 7, 140], 6, [4, 2]), [2, 2])
            },
        ),
        (
            "wide-all-padding-windows",
            Conv2d::new([2, 2, 3, 100], 3, [3, 2]).padded(5),
        ),
        ("tall", Conv2d::new([3, 2, 65, 1], 3, [3, 1])),
        ("column", Conv2d::new([2, 3, 1, 31], 4, [1, 5]).padded(0)),
        (
            "many-channels",
            Conv2d::new([1, 41, 5, 6], 65, [3, 3]).padded(1),
        ),
        ("one-by-one", Conv2d::new([2, 7, 5, 6], 31, [1, 1])),
        ("long-weight-sum", Conv2d::new([4, 1, 40, 40], 3, [3, 3])),
    ] {
        every_direction(&mut cases, name, conv, Role::Proof);
    }
    let plain = Conv2d::new([2, 3, 7, 9], 5, [3, 3]);
    for (name, activation) in ["bias", "relu", "leaky-relu", "elu", "tanh", "sigmoid"]
        .into_iter()
        .zip(Activation::ALL)
    {
        cases.push(Case::proof(name, plain.with(true, activation)));
    }
    for (name, message, conv) in [
        (
            "kernel-too-large",
            "larger than input",
            Conv2d::new([1, 1, 2, 9], 1, [3, 3]),
        ),
        (
            "no-stride",
            "at least 1",
            Conv2d {
                stride: [0, 1],
                ..plain
            },
        ),
        ("empty-axis", "empty axis", Conv2d { n: 0, ..plain }),
        (
            "groups-do-not-divide",
            "do not divide",
            Conv2d { groups: 2, ..plain },
        ),
        (
            "too-large",
            "2^31",
            Conv2d {
                n: 1 << 28,
                ..plain
            },
        ),
        (
            "overflow",
            "2^31",
            Conv2d {
                pad: [[usize::MAX, 0], [0, 0]],
                ..plain
            },
        ),
        // Three answers out of a padded row of 32 million.
        (
            "padding-too-large",
            "2^31",
            Conv2d {
                c: 128,
                pad: [[1, 1], [16_000_000; 2]],
                stride: [1, 16_000_000],
                ..plain
            },
        ),
    ] {
        cases.push(Case::bad(name, message, conv));
    }
    cases
}

fn every_direction(cases: &mut Vec<Case>, name: &'static str, conv: Conv2d, role: Role) {
    cases.push(Case {
        name,
        kernel: Box::new(conv),
        role,
    });
    cases.push(Case {
        name,
        kernel: Box::new(Conv2dInputGrad(conv)),
        role,
    });
    cases.push(Case {
        name,
        kernel: Box::new(Conv2dWeightGrad(conv)),
        role,
    });
}

/// A random shape of each; not all of them are possible.
pub fn random(d: &mut Draw) -> Vec<Box<dyn Kernel>> {
    vec![
        Box::new(any(d)),
        Box::new(Conv2dInputGrad(any(d))),
        Box::new(Conv2dWeightGrad(any(d))),
    ]
}

/// Any convolution.
pub fn any(d: &mut Draw) -> Conv2d {
    let groups = d.of(&[1, 1, 1, 2, 3]);
    let ([n, c, h, w], kernel) = (d.image(), d.pair(1, 5));
    let outputs = groups * d.within(1, 8);
    Conv2d {
        stride: d.pair(1, 3),
        pad: [d.pair(0, 3), d.pair(0, 3)],
        dilation: d.pair(1, 2),
        groups,
        ..Conv2d::new([n, c.next_multiple_of(groups), h, w], outputs, kernel)
    }
    .with(d.flag(), d.activation())
}
