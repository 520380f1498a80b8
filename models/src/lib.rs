//! From a folder of labelled audio to a trained, measured, embeddable classifier.
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`dataset`], [`group`] | a folder per label, scanned; which clips belong together |
//! | [`split`], [`pattern`] | which clips train, validate and test |
//! | [`training`] | the settings of a training |
//! | [`control`] | how long work tells where it is, and is told to stop |
//! | [`metrics`] | confusion matrix, precision, recall, F1, spread over seeds |
//! | [`history`] | the figures of every epoch |
//! | [`files`] | files written whole or not at all |
//!
//! With the feature `report` also:
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`report`] | a run on one page of HTML |
//! | [`tensorboard`] | TensorBoard's event files |

pub mod control;
pub mod dataset;
mod error;
pub mod files;
pub mod group;
pub mod history;
pub mod metrics;
pub mod pattern;
mod random;
pub mod split;
pub mod training;

#[cfg(feature = "report")]
pub mod report;
#[cfg(feature = "report")]
pub mod tensorboard;

pub use error::Error;
