//! Class scores, long rows, odd ones, and bad ones.

use super::Softmax;
use crate::kernel::Case;

/// The cases of `softmax`.
pub fn cases() -> Vec<Case> {
    let new = |rows, columns| Softmax { rows, columns };
    vec![
        Case::bench("genres", new(1000, 10)),
        Case::bench("long-rows", new(4096, 1024)),
        Case::bench("few-long-rows", new(8, 1 << 18)),
        Case::proof("one", new(1, 1)),
        Case::proof("column", new(65, 1)),
        Case::proof("row", new(1, 5000)),
        Case::proof("7-by-31", new(7, 31)),
        Case::proof("33-by-65", new(33, 65)),
        Case::proof("130-by-257", new(130, 257)),
        Case::bad("no-rows", "empty", new(0, 3)),
        Case::bad("no-columns", "empty", new(3, 0)),
        Case::bad("too-large", "2^31", new(1 << 16, 1 << 16)),
    ]
}
