//! The binary from end to end.
//!
//! | file | holds |
//! | --- | --- |
//! | `commands.rs` | every command: output, JSON against the contract, exit codes |
//! | `bench.rs` | measuring kernels and training steps; reports side by side |
//! | `training.rs` | from a folder to a run, its figures and answers |
//! | `scale.rs` | features of many files, in parts; parts of sounds |
//! | `bad_input.rs` | damaged, odd and missing sound; folders that cannot be learnt from |
//! | `bad_files.rs` | damaged models and recipes; disks that are full |
//! | `repeats.rs` | the same seed gives the same weights, also after an interrupt |
//! | `reproduce.rs` | recipes under several seeds, weights to PyTorch and back |
//! | `search.rs` | learning rates, random search |
//! | `series.rs` | several seeds, folds |
//! | `stops.rs` | two programs in one run; programs that are killed or told to stop; pipes |
//! | `program.rs` | running the binary; small data for it |
#![cfg(feature = "cli")]

mod bad_files;
mod bad_input;
mod bench;
mod commands;
mod program;
mod repeats;
mod reproduce;
mod scale;
mod search;
mod series;
mod stops;
mod training;
