//! Classifier for other programs.
//!
//! In: one model file and audio. Out: labels with probabilities.
//!
//! | file | holds |
//! | --- | --- |
//! | `classifier.rs` | [`Classifier`]: loads a model, classifies files, bytes and clips |
//! | `convert.rs` | model files to and from PyTorch's weights |

mod classifier;
#[cfg(feature = "report")]
pub mod convert;

pub use classifier::*;
