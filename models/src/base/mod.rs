//! Basics that all other folders use: files, progress, threads, random streams.
//!
//! | file | holds |
//! | --- | --- |
//! | `control.rs` | how long work reports its progress and is stopped |
//! | `files.rs` | reading files, and writing them atomically |
//! | `temporary.rs` | temporary files for atomic writes |
//! | `parallel.rs` | the same work for many items, on all threads |
//! | `memory.rs` | memory of a device |
//! | `random.rs` | random streams of a seed, one for each use |
//! | `pattern.rs` | name patterns with `*` and `?` |
//! | `columns.rs` | tables for a terminal |

pub mod columns;
pub mod control;
pub mod files;
pub(crate) mod memory;
#[cfg(feature = "report")]
pub(crate) mod parallel;
pub mod pattern;
pub(crate) mod random;
pub(crate) mod temporary;
