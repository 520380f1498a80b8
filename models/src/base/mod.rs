//! What every folder stands on: files, progress, threads, random streams.
//!
//! | file | holds |
//! | --- | --- |
//! | `control.rs` | how long work reports its progress and is told to stop |
//! | `files.rs` | files read and written, whole or not at all |
//! | `temporary.rs` | the temporary files behind that |
//! | `parallel.rs` | the same work for many items, on all threads |
//! | `memory.rs` | how much memory a device has |
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
