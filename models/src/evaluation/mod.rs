//! Evaluation of a network.
//!
//! In: a network and examples. Out: probabilities, and metrics over them.
//!
//! | file | holds |
//! | --- | --- |
//! | `answers.rs` | a network's probabilities for clips: means over windows |
//! | `metrics.rs` | confusion matrix, accuracy, precision, recall, F1 |
//! | `text.rs` | metrics as text for a terminal |

pub mod answers;
pub mod metrics;
mod text;
