//! Whole experiments: from a dataset on disk to a folder with a model and its report.
//!
//! In: a recipe and a dataset. Out: a run folder with its metrics.
//!
//! | file | holds |
//! | --- | --- |
//! | `folder.rs` | the folder that one training writes |
//! | `lock.rs` | only one process at a time writes there |
//! | `pipeline/` | scan, split, features, training, test, report; several seeds and folds |
//! | `transfer.rs` | initial weights from another training |
//! | `lr_find.rs` | learning-rate finder: a sweep and its plot |
//! | `search/` | random search over a recipe's ranges |
//! | `reproduce.rs` | reproduces a paper's experiment: claimed and measured results |
//! | `demo.rs` | demonstration on synthetic music |

pub mod demo;
pub mod folder;
mod lock;
pub mod lr_find;
pub mod pipeline;
pub mod reproduce;
pub mod search;
pub mod transfer;
