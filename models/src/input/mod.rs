//! From a clip to the network's input.
//!
//! In: audio, an image or a table row. Out: windows of features, normalised, in batches.
//!
//! | file | holds |
//! | --- | --- |
//! | `windows.rs` | [`Input`]: the settings, and windows of one clip's features |
//! | `stream.rs` | the same for audio of any length, with constant memory |
//! | `table.rs` | rows of feature tables |
//! | `picture.rs` | spectrogram images (PNG) |
//! | `normalise.rs` | [`Normalisation`] of features |
//! | `features/` | features of a whole dataset, on all threads |
//! | `cache.rs` | cache of features on disk |
//! | `examples.rs` | reads training examples in batches |
//! | `augment/` | random augmentation of training examples |
//! | `frontend.rs` | from a batch to the network's input: features on the device, augmentation |

pub mod augment;
#[cfg(feature = "report")]
pub mod cache;
pub mod examples;
#[cfg(feature = "report")]
pub mod features;
#[cfg(not(target_arch = "wasm32"))]
pub mod frontend;
mod normalise;
#[cfg(feature = "report")]
pub mod picture;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod stream;
mod table;
mod windows;

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use normalise::SMALLEST_DEVIATION;
pub use normalise::{Fit, Normalisation, Normalise};
pub(crate) use windows::AT_ONCE;
#[cfg(feature = "report")]
pub(crate) use windows::cuts;
pub use windows::{Input, Windows};
