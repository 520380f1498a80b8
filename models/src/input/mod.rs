//! From a clip to what the network sees.
//!
//! In: sound, a picture or a table row. Out: windows of features, normalised, batch by batch.
//!
//! | file | holds |
//! | --- | --- |
//! | `windows.rs` | [`Input`]: the settings, and windows of one clip's features |
//! | `stream.rs` | the same for sound of any length, with flat memory |
//! | `table.rs` | rows of feature tables |
//! | `picture.rs` | pictures of sound (PNG) |
//! | `normalise.rs` | [`Normalisation`]: features on a common scale |
//! | `features/` | a whole dataset's features, on all threads |
//! | `cache.rs` | features kept on disk |
//! | `examples.rs` | what a training reads, batch by batch |
//! | `augment/` | training examples changed at random |
//! | `frontend.rs` | a batch on its way to the network: features on the device, augmentation |

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
