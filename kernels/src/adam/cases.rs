//! Parameter counts of the papers' networks, odd ones, and bad ones.

use super::Adam;
use crate::kernel::Case;

/// The cases of `adam`.
pub fn cases() -> Vec<Case> {
    let plain = |len| Adam::new(len, 1e-3, 1);
    vec![
        Case::bench("ajufo-linear", Adam::new(64 * 76_800, 1e-3, 100)),
        Case::bench("georgopoulos-linear", Adam::new(256 * 32_768, 1e-3, 100)),
        Case::bench("bias-64", Adam::new(64, 1e-3, 100)),
        Case::proof("one", plain(1)),
        Case::proof("seven", Adam::new(7, 0.1, 2)),
        Case::proof("thirty-three", Adam::new(33, 0.1, 10_000_000)),
        Case::proof("multiple-of-four", Adam::new(260, 0.1, 3)),
        Case::proof("several-pieces", Adam::new(40_001, 0.01, 7)),
        Case::proof("decay", Adam::new(65, 0.1, 1).with_weight_decay(0.3)),
        Case::proof(
            "decay-by-four",
            Adam::new(64, 0.1, 9).with_weight_decay(0.3),
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
        Case::bad("too-large", "2^31", plain(1 << 31)),
    ]
}
