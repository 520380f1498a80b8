//! From a folder of labelled audio to a trained, measured, embeddable classifier.
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`dataset`], [`group`] | a folder per label, scanned; which clips belong together |
//! | [`split`], [`pattern`] | which clips train, validate and test |
//! | [`input`] | from a clip to what the network sees: windows, features, normalisation |
//! | [`training`] | the settings of a training |
//! | [`metrics`] | confusion matrix, precision, recall, F1, spread over seeds |
//! | [`history`] | the figures of every epoch |
//! | [`files`] | files written whole or not at all |
//!
//! With the feature `report` also:
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`cache`] | features kept on disk |
//! | [`recipe`] | one experiment as a TOML file; those of the papers |
//! | [`run`] | the folder that one training writes |
//! | [`report`] | a run on one page of HTML |
//! | [`tensorboard`] | TensorBoard's event files |

pub mod dataset;
mod error;
pub mod files;
pub mod group;
pub mod history;
pub mod input;
pub mod metrics;
pub mod pattern;
mod random;
pub mod split;
pub mod training;

#[cfg(feature = "report")]
pub mod cache;
#[cfg(feature = "report")]
pub mod recipe;
#[cfg(feature = "report")]
pub mod report;
#[cfg(feature = "report")]
pub mod run;
#[cfg(feature = "report")]
pub mod tensorboard;

pub use error::Error;
