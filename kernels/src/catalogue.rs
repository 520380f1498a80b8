//! The catalogue: every kernel, one line each.
//!
//! Tests, benches and tables walk it; a kernel that is not here does not exist.

use crate::kernel::Case;

/// Builds the cases of one kernel.
pub type Cases = fn() -> Vec<Case>;

/// Every kernel with its cases.
#[rustfmt::skip] // One line each.
pub const CATALOGUE: &[(&str, Cases)] = &[
    ("conv2d", crate::conv2d::cases::cases),
    ("matmul", crate::matmul::cases::cases),
    ("max_pool2d", crate::max_pool2d::cases::cases),
];
