//! The binary from end to end.
//!
//! | file | holds |
//! | --- | --- |
//! | `commands.rs` | every command: output, JSON against the contract, exit codes |
//! | `bad_input.rs` | damaged, odd and missing files |
//! | `repeats.rs` | the same seed gives the same weights, also after an interrupt |
//! | `program.rs` | running the binary; small data for it |
#![cfg(feature = "cli")]

mod bad_input;
mod commands;
mod program;
mod repeats;
