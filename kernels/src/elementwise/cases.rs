//! The chains that networks need, each function alone, every way of broadcasting, and bad ones.

use super::{Elementwise, Expr, View};
use crate::draw::Draw;
use crate::kernel::{Case, Kernel};

/// The cases of `elementwise`.
pub fn cases() -> Vec<Case> {
    let x = || Expr::input(0);
    let (a, b) = (Expr::input(0), Expr::input(1));
    let with = |expr: Expr, len: usize, views: &[View], params: &[u32]| Elementwise {
        expr,
        len,
        views: views.to_vec(),
        params: params.to_vec(),
    };
    let map = 20 * 32 * 126 * 658;
    let relu_gradient = Expr::from(0.0).less(b.clone()).select(a.clone(), 0.0);
    let mut cases = vec![
        Case::bench(
            "relu-gradient",
            Elementwise::new(relu_gradient.clone(), map, 2),
        ),
        Case::bench("add", Elementwise::new(a.clone() + b.clone(), map, 2)),
        Case::bench(
            "bias-elu-dropout",
            with(
                (a.clone() + b.clone()).elu().dropout(0, 1),
                20 * 64 * 63 * 164,
                &[View::full(20 * 64 * 63 * 164), View::channel(64, 63 * 164)],
                &[0.5f32.to_bits(), 1, 2, 3, 4],
            ),
        ),
        Case::bad("empty", "empty output", Elementwise::new(x(), 0, 1)),
        Case::bad(
            "missing-input",
            "reads 3 inputs",
            Elementwise::new(Expr::input(2), 4, 1),
        ),
        Case::bad(
            "missing-param",
            "reads 2 parameter words",
            Elementwise::new(x() * Expr::param(1), 4, 1),
        ),
        Case::bad(
            "uneven-view",
            "does not repeat",
            with(x(), 7, &[View::channel(2, 2)], &[]),
        ),
        Case::bad(
            "too-many-inputs",
            "6 are possible",
            Elementwise::new(x(), 4, 7),
        ),
    ];
    // Numbers away from the kinks and the poles: the oracle rounds nothing.
    let positive = || x().abs() + 0.25;
    for (name, expr) in [
        ("copy", x()),
        ("neg", -x()),
        ("exp", (x() * 10.0).exp()),
        ("ln", positive().ln()),
        ("sqrt", positive().sqrt()),
        ("tanh", (x() * 5.0).tanh()),
        ("sigmoid", (x() * 20.0).sigmoid()),
        ("erf", (x() * 3.0).erf()),
        ("relu", x().relu()),
        ("leaky-relu", x().leaky_relu(0.2)),
        ("elu", (x() * 3.0).elu()),
        ("gelu", (x() * 4.0).gelu()),
        ("gelu-derivative", (x() * 4.0).gelu().derivative(0)),
        ("infinity", x().max(f32::NEG_INFINITY).min(f32::INFINITY)),
    ] {
        cases.push(Case::proof(name, Elementwise::new(expr, 1031, 1)));
    }
    for (name, expr) in [
        ("two-add", a.clone() + b.clone()),
        ("two-sub-mul", (a.clone() - b.clone()) * b.clone()),
        ("two-div", a.clone() / (b.clone().abs() + 0.5)),
        (
            "two-max-min",
            a.clone().max(b.clone()) * a.clone().min(b.clone()),
        ),
        (
            "two-select",
            a.clone().less(b.clone()).select(a.clone() * 2.0, b.clone()),
        ),
        ("two-relu-gradient", relu_gradient),
    ] {
        cases.push(Case::proof(name, Elementwise::new(expr, 33 * 65, 2)));
    }
    let sum = || Expr::input(0) + Expr::input(1) * 3.0;
    for (name, view) in [
        ("scalar", View::scalar()),
        ("channel", View::channel(7, 31)),
        (
            "last-axis",
            View {
                outer: 31,
                repeat: 1,
                inner: 1,
            },
        ),
        (
            "over-axis",
            View {
                outer: 5,
                repeat: 7,
                inner: 31,
            },
        ),
        (
            "over-long-axis",
            View {
                outer: 5,
                repeat: 217,
                inner: 1,
            },
        ),
    ] {
        let len = 5 * 7 * 31;
        cases.push(Case::proof(
            name,
            with(sum(), len, &[View::full(len), view], &[]),
        ));
    }
    let seed = [7u32, 0, 9, 1];
    cases.push(Case::proof(
        "random",
        with(
            x() * 0.0 + Expr::random(0),
            1003,
            &[View::full(1003)],
            &seed,
        ),
    ));
    cases.push(Case::proof(
        "dropout",
        with(
            x().dropout(0, 1),
            777,
            &[View::full(777)],
            &[0.3f32.to_bits(), 1, 2, 3, 4],
        ),
    ));
    cases.push(Case::proof(
        "no-input",
        with(Expr::param(0) + 1.0, 65, &[], &[0.5f32.to_bits()]),
    ));
    cases.push(Case::proof(
        "six-inputs",
        Elementwise::new(
            (1..6).fold(x(), |sum, i| sum * 0.5 + Expr::input(i)),
            129,
            6,
        ),
    ));
    cases
}

/// A random shape of each; not all of them are possible.
pub fn random(d: &mut Draw) -> Vec<Box<dyn Kernel>> {
    let [outer, repeat, inner] = [d.within(1, 9), d.within(1, 9), d.within(1, 90)];
    let view = View {
        outer,
        repeat,
        inner,
    };
    let len = outer * repeat * inner;
    // Nothing that jumps: the oracle rounds nothing.
    let mut expr = Expr::input(0);
    for _ in 0..d.within(0, 8) {
        let other = Expr::input(d.within(0, 1));
        expr = match d.within(0, 9) {
            0 => expr + other,
            1 => expr - other,
            2 => expr * other,
            3 => expr.max(other),
            4 => expr.min(other),
            5 => expr.tanh(),
            6 => expr.sigmoid(),
            7 => expr.elu(),
            8 => expr.abs(),
            _ => expr.gelu(),
        };
    }
    vec![Box::new(Elementwise {
        expr,
        len,
        views: vec![View::full(len), view],
        params: Vec::new(),
    })]
}
