//! Parameter counts of the papers' networks, odd ones, and bad ones.

use super::RmsProp;
use crate::draw::Draw;
use crate::kernel::{Case, Kernel};

/// The cases of `rmsprop`.
pub fn cases() -> Vec<Case> {
    let plain = |len| RmsProp::new(len, 0.01);
    let with = |len, momentum, centered| RmsProp {
        momentum,
        centered,
        ..plain(len)
    };
    vec![
        Case::bench("ajufo-linear", plain(64 * 76_800)),
        Case::bench("ajufo-linear-everything", with(64 * 76_800, 0.9, true)),
        Case::bench("bias-64", plain(64)),
        Case::proof("one", plain(1)),
        Case::proof("seven", with(7, 0.9, false)),
        Case::proof("thirty-three", with(33, 0.0, true)),
        Case::proof("sixty-five", with(65, 0.9, true)),
        Case::proof("by-four", plain(132)),
        Case::proof("momentum-by-four", with(260, 0.5, false)),
        Case::proof("centered-by-four", with(64, 0.0, true)),
        Case::proof("everything-by-four", with(68, 0.9, true)),
        Case::proof("several-pieces", with(40_001, 0.9, true)),
        Case::proof(
            "clipped",
            RmsProp {
                limit: 0.5,
                alpha: 0.5,
                eps: 0.1,
                ..plain(68)
            },
        ),
        Case::bad("empty", "no parameters", plain(0)),
        Case::bad("momentum-1", "momentum must lie", with(4, 1.0, false)),
        Case::bad(
            "alpha-negative",
            "alpha must lie",
            RmsProp {
                alpha: -0.1,
                ..plain(4)
            },
        ),
        Case::bad("lr-infinite", "lr must be", RmsProp::new(4, f64::INFINITY)),
        Case::bad("too-large", "2^31", plain(1 << 31)),
    ]
}

/// A random shape of each; not all of them are possible.
pub fn random(d: &mut Draw) -> Vec<Box<dyn Kernel>> {
    vec![Box::new(RmsProp {
        momentum: d.within(0, 2) as f64 / 4.0,
        centered: d.flag(),
        limit: d.of(&[f64::INFINITY, 0.25]),
        ..RmsProp::new(d.within(1, 40_000), 0.01)
    })]
}
