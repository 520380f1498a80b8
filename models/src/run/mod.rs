//! Whole experiments: from a dataset on disk to a folder with a model and its report.
//!
//! In: a recipe and a dataset. Out: a run folder, and what it scored.
//!
//! | file | holds |
//! | --- | --- |
//! | `folder.rs` | the folder that one training writes |
//! | `lock.rs` | one process at a time writes there |
//! | `pipeline/` | scan, split, features, training, test, report; several seeds and folds |
//! | `transfer.rs` | first weights out of another training |
//! | `lr_find.rs` | which learning rate: a sweep and its plot |
//! | `search/` | random search over a recipe's ranges |
//! | `reproduce.rs` | a paper's experiment again: claimed against measured |
//! | `demo.rs` | the whole story on synthetic music |

pub mod demo;
pub mod folder;
mod lock;
pub mod lr_find;
pub mod pipeline;
pub mod reproduce;
pub mod search;
pub mod transfer;
