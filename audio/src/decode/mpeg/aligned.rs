//! Arrays that begin where cache lines do.

/// At a cache line's start, so that no vector of numbers is read from two lines.
#[repr(align(64))]
pub(super) struct Aligned<T>(pub(super) T);
