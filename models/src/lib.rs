//! From a folder of labelled audio to a trained, measured, embeddable classifier.
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`dataset`], [`group`] | a folder per label with sound or pictures, scanned; which clips belong together |
//! | [`labels`] | labels put together |
//! | [`split`], [`pattern`], [`fold`] | which clips train, validate and test |
//! | [`input`] | from a clip to what the network sees: windows, features, normalisation |
//! | [`training`], [`schedule`] | the settings of a training; how the learning rate changes |
//! | [`augment`] | training examples changed at random |
//! | [`control`] | how long work tells where it is, and is told to stop |
//! | [`examples`] | what a training reads, batch by batch |
//! | [`train`] | the training itself: epochs, the best of them, going on after a stop |
//! | [`evaluate`] | a network's answers for clips |
//! | [`classify`] | the classifier for other programs: one model file, sound in, labels out |
//! | [`metrics`] | confusion matrix, precision, recall, F1, spread over seeds |
//! | [`history`] | the figures of every epoch |
//! | [`files`] | files written whole or not at all |
//!
//! With the feature `report` also:
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`mod@bench`] | how long kernels, training steps, answers and features take |
//! | [`cache`] | features kept on disk |
//! | [`classical`] | boosted trees, support vectors and other classifiers that are no networks |
//! | [`mod@features`] | from the files of a dataset to features, on all threads |
//! | [`picture`] | pictures of sound (PNG) as features |
//! | [`lr_find`] | which learning rate: a sweep and its plot |
//! | [`search`] | settings drawn at random, the best kept |
//! | [`recipe`] | one experiment as a TOML file; those of the papers |
//! | [`run`] | the folder that one training writes |
//! | [`pipeline`] | from a folder of audio to a run: train, resume, evaluate |
//! | [`reproduce`] | a recipe under several seeds, or on folds, beside what its paper claims |
//! | [`demo`] | the same on synthetic music, which it makes itself |
//! | [`report`] | a run on one page of HTML |
//! | [`table`] | features of files as one array |
//! | [`exchange`] | models to and from PyTorch's weights |
//! | [`transfer`] | first weights out of another training |
//! | [`tensorboard`] | TensorBoard's event files |

pub mod augment;
pub mod classify;
#[cfg(not(target_arch = "wasm32"))]
mod columns;
pub mod control;
pub mod dataset;
mod error;
pub mod evaluate;
pub mod examples;
pub mod files;
pub mod fold;
#[cfg(not(target_arch = "wasm32"))]
pub mod front_end;
pub mod group;
pub mod history;
pub mod input;
pub mod labels;
#[cfg(not(target_arch = "wasm32"))]
mod listen;
pub mod metrics;
pub mod pattern;
mod random;
mod room;
pub mod schedule;
pub mod split;
mod temporary;
mod text;
#[cfg(not(target_arch = "wasm32"))]
pub mod train;
pub mod training;

#[cfg(all(feature = "report", not(target_arch = "wasm32")))]
pub mod bench;
#[cfg(feature = "report")]
pub mod cache;
#[cfg(feature = "report")]
pub mod classical;
#[cfg(feature = "report")]
pub mod demo;
#[cfg(feature = "report")]
mod each;
#[cfg(feature = "report")]
pub mod exchange;
#[cfg(feature = "report")]
pub mod features;
#[cfg(feature = "report")]
mod lock;
#[cfg(feature = "report")]
pub mod lr_find;
#[cfg(feature = "report")]
pub mod picture;
#[cfg(feature = "report")]
pub mod pipeline;
#[cfg(feature = "report")]
pub mod recipe;
#[cfg(feature = "report")]
pub mod report;
#[cfg(feature = "report")]
pub mod reproduce;
#[cfg(feature = "report")]
pub mod run;
#[cfg(feature = "report")]
pub mod search;
#[cfg(feature = "report")]
pub mod table;
#[cfg(feature = "report")]
pub mod tensorboard;
#[cfg(feature = "report")]
pub mod transfer;

pub use error::Error;
