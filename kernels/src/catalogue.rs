//! The catalogue: every kernel. Tests, benches and tables walk it; a kernel that is not here does not exist.

use crate::draw::Draw;
use crate::kernel::{Case, Kernel};

/// Builds the cases of a folder's kernels.
pub type Cases = fn() -> Vec<Case>;

/// Draws a shape of each of them; not all are possible.
pub type Random = fn(&mut Draw) -> Vec<Box<dyn Kernel>>;

/// The folders of kernels, their cases and random shapes. `build.rs` writes it: a folder that has a `cases.rs` is in it.
pub const CATALOGUE: &[(&str, Cases, Random)] = include!(concat!(env!("OUT_DIR"), "/catalogue.rs"));
