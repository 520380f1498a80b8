//! Parameter counts of the papers' networks, odd ones, and bad ones.

use super::Adam;
use crate::draw::Draw;
use crate::kernel::{Case, Kernel};

/// The cases of `adam`.
pub fn cases() -> Vec<Case> {
    let plain = |len| Adam::new(len, 1e-3, 1);
    let decoupled = |len, step| Adam {
        weight_decay: 0.3,
        ..Adam::new(len, 0.1, step)
    };
    vec![
        Case::bench("ajufo-linear", Adam::new(64 * 76_800, 1e-3, 100)),
        Case::bench("georgopoulos-linear", Adam::new(256 * 32_768, 1e-3, 100)),
        Case::bench("bias-64", Adam::new(64, 1e-3, 100)),
        Case::proof("one", plain(1)),
        Case::proof("seven", Adam::new(7, 0.1, 2)),
        Case::proof("thirty-three", Adam::new(33, 0.1, 10_000_000)),
        Case::proof("multiple-of-four", Adam::new(260, 0.1, 3)),
        Case::proof("several-pieces", Adam::new(40_001, 0.01, 7)),
        Case::proof("decoupled", decoupled(65, 1)),
        Case::proof("decoupled-by-four", decoupled(64, 9)),
        Case::proof(
            "clipped",
            Adam {
                limit: 0.5,
                ..Adam::new(132, 0.1, 2)
            },
        ),
        Case::proof(
            "no-memory",
            Adam {
                beta1: 0.0,
                beta2: 0.0,
                eps: 0.1,
                ..plain(31)
            },
        ),
        Case::bad("empty", "no parameters", plain(0)),
        Case::bad("step-0", "count from 1", Adam::new(4, 1e-3, 0)),
        Case::bad(
            "beta-1",
            "beta2 must lie",
            Adam {
                beta2: 1.0,
                ..plain(4)
            },
        ),
        Case::bad("lr-nan", "lr must be", Adam::new(4, f64::NAN, 1)),
        Case::bad(
            "limit-0",
            "limit must be",
            Adam {
                limit: 0.0,
                ..plain(4)
            },
        ),
        Case::bad("too-large", "2^31", plain(1 << 31)),
    ]
}

/// A random shape of each; not all of them are possible.
pub fn random(d: &mut Draw) -> Vec<Box<dyn Kernel>> {
    let step = d.within(1, 1000) as u32;
    vec![Box::new(Adam {
        weight_decay: d.within(0, 3) as f64 / 10.0,
        limit: d.of(&[f64::INFINITY, 0.25]),
        ..Adam::new(d.within(1, 40_000), 0.01, step)
    })]
}
