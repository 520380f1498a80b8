//! A network learns: epochs, batches, learning rates.
//!
//! In: examples ([`crate::input`]) and settings. Out: the weights of the best epoch, and the figures of every epoch.
//!
//! | file | holds |
//! | --- | --- |
//! | `settings.rs` | the settings of a training |
//! | `schedule/` | how the learning rate changes |
//! | `train/` | the loop: epochs, the best of them, early stopping, going on after a stop |
//! | `history.rs` | the figures of every epoch |

pub mod history;
pub mod schedule;
pub mod settings;
#[cfg(not(target_arch = "wasm32"))]
pub mod train;
