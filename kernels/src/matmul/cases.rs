//! Shapes of the papers' Linear layers, odd ones, and bad ones.

use super::Matmul;
use crate::activation::Activation;
use crate::draw::Draw;
use crate::kernel::{Case, Kernel};

/// The cases of `matmul`.
pub fn cases() -> Vec<Case> {
    let mut cases = vec![
        Case::bench("square-1024", Matmul::new(1024, 1024, 1024)),
        Case::bench(
            "ajufo-linear",
            Matmul::new(20, 64, 76_800).transposed(false, true),
        ),
        Case::bench(
            "ajufo-linear-weight-grad",
            Matmul::new(64, 76_800, 20).transposed(true, false),
        ),
        Case::bench(
            "georgopoulos-linear",
            Matmul::new(32, 256, 32_768).transposed(false, true),
        ),
        Case::bench(
            "recurrent-input",
            Matmul::new(64 * 160, 192, 64).transposed(false, true),
        ),
        Case::bench(
            "ajufo-linear-one-window",
            Matmul::new(1, 64, 76_800)
                .transposed(false, true)
                .with(true, Activation::Relu),
        ),
        Case::bad("empty-side", "empty side", Matmul::new(3, 0, 5)),
        Case::bad("too-large", "2^31", Matmul::new(1 << 20, 1 << 20, 1)),
        Case::proof("long-sum", Matmul::new(3, 5, 5000)),
        Case::proof("very-long-sum", Matmul::new(2, 3, 76_800)),
        Case::proof("tall", Matmul::new(300, 65, 300).transposed(false, true)),
        Case::proof(
            "few-rows",
            Matmul::new(4, 65, 3_000)
                .transposed(false, true)
                .with(true, Activation::Tanh),
        ),
        Case::proof(
            "few-short-rows",
            Matmul::new(3, 7, 130).transposed(false, true),
        ),
        Case::proof("one", Matmul::new(1, 1, 1)),
        Case::proof("row", Matmul::new(1, 130, 65)),
        Case::proof("column", Matmul::new(130, 1, 33).transposed(false, true)),
    ];
    for (name, a, b) in [
        ("nn", false, false),
        ("nt", false, true),
        ("tn", true, false),
        ("tt", true, true),
    ] {
        cases.push(Case::proof(name, Matmul::new(67, 71, 33).transposed(a, b)));
    }
    for (name, activation) in ["bias", "relu", "leaky-relu", "elu", "tanh", "sigmoid"]
        .into_iter()
        .zip(Activation::ALL)
    {
        cases.push(Case::proof(
            name,
            Matmul::new(31, 65, 7).with(true, activation),
        ));
    }
    cases
}

/// A random shape of each; not all of them are possible.
pub fn random(d: &mut Draw) -> Vec<Box<dyn Kernel>> {
    let shape = Matmul::new(d.within(1, 150), d.within(1, 150), d.within(1, 400));
    let shape = shape.transposed(d.flag(), d.flag());
    vec![Box::new(shape.with(d.flag(), d.activation()))]
}
