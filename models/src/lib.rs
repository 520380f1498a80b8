//! From a folder of labelled audio to a trained, measured, embeddable classifier.
//!
//! The folders follow the way of a clip, and each imports only from those before it, file by file:
//!
//! | folder | from … to … |
//! | --- | --- |
//! | [`base`] | files, progress, threads: what all others stand on |
//! | [`data`] | a folder of sound → labelled clips, and which of them train and test |
//! | [`input`] | a clip → windows of features, normalised, augmented, in batches |
//! | [`evaluation`] | a network and clips → probabilities and metrics |
//! | [`training`] | batches → weights |
//! | [`classify`] | a model file and sound → labels with probabilities |
//! | `classical` | features → classifiers that are no networks |
//! | `recipe` | one experiment as a TOML file; those of the papers |
//! | `report` | a run → one page of HTML, TensorBoard's files |
//! | `run` | a recipe and a dataset → a folder with a model and its report |
//! | `table` | files → features as one array: `melgrad features` |
//!
//! What is not linked needs the feature `report`.

pub mod base;
#[cfg(feature = "report")]
pub mod classical;
pub mod classify;
pub mod data;
mod error;
pub mod evaluation;
pub mod input;
#[cfg(feature = "report")]
pub mod recipe;
#[cfg(feature = "report")]
pub mod report;
#[cfg(feature = "report")]
pub mod run;
#[cfg(feature = "report")]
pub mod table;
pub mod training;

pub use error::Error;
