//! Training of a network: epochs, batches, learning rates.
//!
//! In: examples ([`crate::input`]) and settings. Out: the weights of the best epoch, and the metrics of every epoch.
//!
//! | file | holds |
//! | --- | --- |
//! | `settings.rs` | training settings |
//! | `schedule/` | learning-rate schedules |
//! | `train/` | the training loop: epochs, best epoch, early stopping, resuming |
//! | `history.rs` | metrics of every epoch |

pub mod history;
pub mod schedule;
pub mod settings;
#[cfg(not(target_arch = "wasm32"))]
pub mod train;
