//! From a folder of labelled audio to a trained, measured, embeddable classifier.
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`dataset`], [`group`] | a folder per label, scanned; which clips belong together |
//! | [`split`], [`pattern`] | which clips train, validate and test |
//! | [`metrics`] | confusion matrix, precision, recall, F1, spread over seeds |
//! | [`history`] | the figures of every epoch |
//! | [`files`] | files written whole or not at all |
//!
//! With the feature `report` also:
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`cache`] | features kept on disk |
//! | [`report`] | a run on one page of HTML |
//! | [`tensorboard`] | TensorBoard's event files |

pub mod dataset;
mod error;
pub mod files;
pub mod group;
pub mod history;
pub mod metrics;
pub mod pattern;
mod random;
pub mod split;

#[cfg(feature = "report")]
pub mod cache;
#[cfg(feature = "report")]
pub mod report;
#[cfg(feature = "report")]
pub mod tensorboard;

pub use error::Error;
