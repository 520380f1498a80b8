//! Maps of the papers' networks, odd shapes, and bad ones.

use super::{BatchNorm, BatchNormGrad, BatchNormInference};
use crate::activation::Activation;
use crate::draw::Draw;
use crate::kernel::{Case, Kernel};

/// The cases of `batch_norm`, `batch_norm_inference` and `batch_norm_grad`.
pub fn cases() -> Vec<Case> {
    let new = BatchNorm::new;
    let training = |forward| BatchNormGrad {
        forward,
        training: true,
    };
    let running = |forward| BatchNormGrad {
        forward,
        training: false,
    };
    let mut cases = Vec::new();
    for (name, shape) in [
        ("ajufo-cnn-1", new([20, 32, 126 * 658])),
        ("georgopoulos-1", new([32, 32, 128 * 128])),
        ("ajufo-crnn-2", new([20, 128, 64 * 330])),
        ("small-planes", new([32, 512, 7 * 7])),
        ("linear", new([128, 1024, 1])),
    ] {
        cases.push(Case::bench(name, shape));
        cases.push(Case::bench(name, BatchNormInference(shape)));
        cases.push(Case::bench(name, training(shape)));
    }
    for (name, shape) in [
        ("two", new([2, 1, 1])),
        ("rows", new([33, 7, 1]).with(Activation::Relu)),
        ("long-column", new([5000, 1, 1])),
        ("one-image", new([1, 3, 65])),
        ("odd", new([7, 5, 31]).with(Activation::Tanh)),
        ("even", new([2, 65, 64]).with(Activation::Elu)),
        ("plain", new([3, 4, 36]).plain()),
        ("several-planes", new([5, 3, 1055])),
        ("long-planes", new([3, 2, 4100])),
        ("long", new([1, 1, 20_001]).plain()),
        (
            "all-at-once",
            BatchNorm {
                momentum: 1.0,
                eps: 0.5,
                ..new([4, 3, 9])
            },
        ),
        (
            "frozen",
            BatchNorm {
                momentum: 0.0,
                ..new([4, 3, 9]).with(Activation::Sigmoid)
            },
        ),
    ] {
        cases.push(Case::proof(name, shape));
        cases.push(Case::proof(name, BatchNormInference(shape)));
        cases.push(Case::proof(name, training(shape)));
    }
    cases.push(Case::proof("through-running", running(new([7, 5, 31]))));
    cases.push(Case::proof(
        "through-running-plain",
        running(new([1, 5, 1]).plain()),
    ));
    cases.push(Case::proof("single", BatchNormInference(new([1, 3, 1]))));
    let of = |eps, momentum| BatchNorm {
        eps,
        momentum,
        ..new([2, 3, 4])
    };
    cases.extend([
        Case::bad("empty-side", "empty side", new([2, 0, 4])),
        Case::bad("one-number", "one number a channel", new([1, 3, 1])),
        Case::bad(
            "one-number-back",
            "one number a channel",
            training(new([1, 3, 1])),
        ),
        Case::bad("no-eps", "above 0", BatchNormInference(of(0.0, 0.1))),
        Case::bad("eps-nan", "above 0", of(f64::NAN, 0.1)),
        Case::bad("momentum", "[0, 1]", of(1e-5, 1.5)),
        Case::bad("momentum-nan", "[0, 1]", of(1e-5, f64::NAN)),
        Case::bad("too-large", "2^31", new([1 << 16, 1 << 15, 1])),
        Case::bad("huge", "2^31", running(new([usize::MAX, 2, 2]))),
    ]);
    cases
}

/// A random shape of each; not all of them are possible.
pub fn random(d: &mut Draw) -> Vec<Box<dyn Kernel>> {
    let shape = |d: &mut Draw| {
        // Few numbers may lie so close together that their deviations are rounding alone.
        let (long, short) = (d.within(32, 10_000), d.within(1, 6));
        let [n, plane] = d.of(&[[long, short], [short, long]]);
        let shape = [n, d.within(1, 20), plane];
        BatchNorm {
            affine: d.flag(),
            eps: d.of(&[1e-5, 1e-3, 0.1]),
            momentum: d.within(0, 10) as f64 / 10.0,
            ..BatchNorm::new(shape).with(d.activation())
        }
    };
    let grad = BatchNormGrad {
        forward: shape(d),
        training: d.flag(),
    };
    vec![
        Box::new(shape(d)),
        Box::new(BatchNormInference(shape(d))),
        Box::new(grad),
    ]
}
