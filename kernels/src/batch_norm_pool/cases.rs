//! Maps of the papers' networks, odd shapes, and bad ones.

use super::{BatchNormPool, BatchNormPoolGrad};
use crate::activation::Activation;
use crate::batch_norm::BatchNorm;
use crate::draw::Draw;
use crate::kernel::{Case, Kernel};

/// The cases of `batch_norm_pool` and `batch_norm_pool_grad`.
pub fn cases() -> Vec<Case> {
    let new = BatchNormPool::new;
    let back = |forward, before| BatchNormPoolGrad { forward, before };
    let mut cases = Vec::new();
    for (name, shape) in [
        ("ajufo-crnn-1", new([20, 64, 128, 660], [2, 2])),
        ("ajufo-crnn-2", new([20, 128, 64, 330], [4, 2])),
        ("ajufo-crnn-3", new([20, 128, 16, 165], [4, 2])),
    ] {
        cases.push(Case::bench(name, shape));
        cases.push(Case::bench(name, back(shape, Activation::Elu)));
    }
    let relu = new([32, 56, 1, 126], [1, 2]).with(Activation::Relu);
    cases.push(Case::bench("dwivedi-crnn", relu));
    cases.push(Case::bench("dwivedi-crnn", back(relu, Activation::None)));
    for (name, shape, before) in [
        ("two", new([2, 1, 1, 1], [1, 1]), Activation::None),
        (
            "rows",
            new([7, 3, 1, 65], [1, 2]).with(Activation::Relu),
            Activation::None,
        ),
        (
            "2x2",
            new([3, 5, 31, 33], [2, 2]).with(Activation::Elu),
            Activation::Elu,
        ),
        ("2x4", new([1, 7, 33, 65], [2, 4]), Activation::Relu),
        (
            "4x2",
            new([2, 5, 64, 31], [4, 2]).with(Activation::Tanh),
            Activation::Tanh,
        ),
        ("4x4", new([2, 3, 65, 36], [4, 4]).plain(), Activation::Elu),
        (
            "3x1",
            new([2, 4, 31, 7], [3, 1]).with(Activation::Sigmoid),
            Activation::Sigmoid,
        ),
        (
            "whole-plane",
            new([5, 3, 7, 31], [7, 31]),
            Activation::LeakyRelu,
        ),
        (
            "several-bands",
            new([2, 2, 130, 66], [2, 2]),
            Activation::Elu,
        ),
        (
            "wide",
            new([1, 1, 2, 20_001], [2, 2]).plain(),
            Activation::None,
        ),
    ] {
        cases.push(Case::proof(name, shape));
        cases.push(Case::proof(name, back(shape, before)));
    }
    let shape = new([2, 3, 4, 6], [2, 2]);
    let bad = |norm| BatchNormPool { norm, ..shape };
    cases.extend([
        Case::bad("empty-side", "empty side", new([2, 0, 4, 4], [2, 2])),
        Case::bad(
            "one-number",
            "one number a channel",
            new([1, 3, 1, 1], [1, 1]),
        ),
        Case::bad("no-window", "does not fit", new([2, 3, 4, 4], [0, 2])),
        Case::bad(
            "window-too-high",
            "does not fit",
            back(new([2, 3, 4, 4], [5, 2]), Activation::None),
        ),
        Case::bad("window-too-wide", "does not fit", new([2, 3, 4, 4], [2, 5])),
        Case::bad(
            "other-plane",
            "do not have 25 numbers",
            bad(BatchNorm::new([2, 3, 25])),
        ),
        Case::bad("huge", "2^31", new([2, 2, usize::MAX, 2], [2, 2])),
    ]);
    cases
}

/// A random shape of each; not all of them are possible.
pub fn random(d: &mut Draw) -> Vec<Box<dyn Kernel>> {
    let shape = |d: &mut Draw| {
        // As many numbers a channel, at least, as batch_norm's.
        let ([n, c, h, w], window) = (d.image(), d.pair(1, 5));
        let shape = BatchNormPool::new([n, c, h + 32, w], window).with(d.activation());
        if d.flag() { shape } else { shape.plain() }
    };
    let grad = BatchNormPoolGrad {
        forward: shape(d),
        before: d.activation(),
    };
    vec![Box::new(shape(d)), Box::new(grad)]
}
