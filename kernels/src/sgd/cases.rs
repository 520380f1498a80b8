//! Parameter counts of the papers' networks, odd ones, and bad ones.

use super::Sgd;
use crate::draw::Draw;
use crate::kernel::{Case, Kernel};

/// The cases of `sgd`.
pub fn cases() -> Vec<Case> {
    let plain = |len| Sgd::new(len, 0.1);
    let heavy = |len| plain(len).with_momentum(0.9, false);
    let nesterov = |len| plain(len).with_momentum(0.9, true);
    vec![
        Case::bench("ajufo-linear", heavy(64 * 76_800)),
        Case::bench("ajufo-linear-plain", plain(64 * 76_800)),
        Case::bench("bias-64", heavy(64)),
        Case::proof("one", plain(1)),
        Case::proof("seven", heavy(7)),
        Case::proof("thirty-three", nesterov(33)),
        Case::proof("plain-by-four", plain(132)),
        Case::proof("momentum-by-four", heavy(260)),
        Case::proof("nesterov-by-four", nesterov(64)),
        Case::proof("several-pieces", nesterov(40_001)),
        Case::proof(
            "clipped",
            Sgd {
                limit: 0.5,
                ..heavy(68)
            },
        ),
        Case::bad("empty", "no parameters", plain(0)),
        Case::bad(
            "momentum-1",
            "momentum must lie",
            plain(4).with_momentum(1.0, false),
        ),
        Case::bad(
            "nesterov-without",
            "needs momentum",
            plain(4).with_momentum(0.0, true),
        ),
        Case::bad("lr-negative", "lr must be", Sgd::new(4, -1.0)),
        Case::bad("too-large", "2^31", plain(1 << 31)),
    ]
}

/// A random shape of each; not all of them are possible.
pub fn random(d: &mut Draw) -> Vec<Box<dyn Kernel>> {
    let momentum = d.within(0, 2) as f64 / 4.0;
    let nesterov = momentum > 0.0 && d.flag();
    vec![Box::new(Sgd {
        limit: d.of(&[f64::INFINITY, 0.25]),
        ..Sgd::new(d.within(1, 40_000), 0.1).with_momentum(momentum, nesterov)
    })]
}
