//! Small and odd shapes of every recurrent kernel, and bad ones. Those of the papers' layers stand with the kernels.

use super::Recurrence;
use crate::activation::Activation;
use crate::draw::Draw;
use crate::kernel::{Case, Kernel};

/// The cases of a kernel and of its gradient.
pub fn cases<F: Kernel + 'static, G: Kernel + 'static>(
    forward: fn(Recurrence) -> F,
    grad: fn(Recurrence) -> G,
    papers: &[(&'static str, Recurrence)],
) -> Vec<Case> {
    let new = Recurrence::new;
    let proofs = [
        ("one", new([1, 1, 1])),
        ("one-step", new([3, 1, 7])),
        ("one-example", new([1, 31, 33])),
        ("7-by-31", new([2, 7, 31])),
        ("backward", new([2, 5, 33]).backward()),
        ("last", new([33, 3, 7]).last()),
        ("last-backward", new([2, 4, 65]).backward().last()),
        ("no-bias", new([2, 3, 16]).without_bias()),
        ("beyond-a-workgroup", new([1, 2, 270])),
    ];
    let activations = [
        ("none", Activation::None),
        ("relu", Activation::Relu),
        ("leaky-relu", Activation::LeakyRelu),
        ("elu", Activation::Elu),
        ("sigmoid", Activation::Sigmoid),
    ];
    let activations = activations.map(|(name, act)| (name, new([3, 4, 9]).with(act)));
    let bad = [
        ("no-examples", "empty side", new([0, 3, 5])),
        ("no-steps", "empty side", new([3, 0, 5])),
        ("no-state", "empty side", new([3, 5, 0])),
        (
            "columns-past-the-end",
            "do not fit",
            Recurrence {
                column: 3,
                ..new([3, 5, 4])
            },
        ),
        (
            "columns-overflow",
            "do not fit",
            Recurrence {
                column: usize::MAX,
                ..new([3, 5, 4])
            },
        ),
        ("too-many-steps", "2^31", new([1 << 12, 1 << 12, 64])),
        ("too-many-weights", "2^31", new([1, 1, 1 << 16])),
        (
            "too-many-columns",
            "2^31",
            Recurrence {
                columns: 1 << 30,
                ..new([3, 5, 4])
            },
        ),
    ];
    let mut cases = Vec::new();
    for (name, shape) in papers {
        cases.extend([
            Case::bench(name, forward(*shape)),
            Case::bench(name, grad(*shape)),
        ]);
    }
    for (name, shape) in proofs.into_iter().chain(activations) {
        cases.extend([
            Case::proof(name, forward(shape)),
            Case::proof(name, grad(shape)),
        ]);
    }
    for (name, message, shape) in bad {
        cases.extend([
            Case::bad(name, message, forward(shape)),
            Case::bad(name, message, grad(shape)),
        ]);
    }
    cases
}

/// Any recurrence.
pub fn any(d: &mut Draw) -> Recurrence {
    let shape = [d.within(1, 40), d.within(1, 12), d.within(1, 70)];
    let others = d.within(0, 5);
    Recurrence {
        bias: d.flag(),
        activation: d.activation(),
        reverse: d.flag(),
        last: d.flag(),
        columns: shape[2] + others,
        column: d.within(0, others),
        ..Recurrence::new(shape)
    }
}
