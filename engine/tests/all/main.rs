//! The engine's tests, as one program.
//!
//! | file | holds |
//! | --- | --- |
//! | `gradients.rs` | every operation against central differences in f64 |
//! | `tape.rs` | what the tape keeps and lets go |
//! | `recurrent.rs` | GRU and LSTM: their gradients, and the layers |
//! | `goldens.rs`, `golden.rs` | values, gradients and training against PyTorch's; its arrays |
//! | `architecture.rs` | reading, shape inference, summary, memory |
//! | `random.rs` | architectures drawn at random |
//! | `refused.rs` | architectures that are wrong, and what is said of them |
//! | `training.rs` | learning, repeating, resuming, watching; CPU against GPU |
//! | `optimizers.rs` | every rule against PyTorch's, resuming, where gradients lie |
//! | `steady.rs` | a repeated training step waits for nothing and makes nothing new |
//! | `adopt.rs` | weights from elsewhere, frozen layers |
//! | `faults.rs` | memory that runs out and devices that are lost, at every place |
//! | `norm_pool.rs` | convolution, BatchNorm and pooling as one |
//! | `model_file.rs` | there and back, and every kind of damage |
//! | `shapes.rs` | numbers moved, picked, resized |
//! | `branches.rs` | the layers that do so; branches; 1-D layers |
//! | `common.rs` | a small network with every kind of layer, and data for it |

mod architecture;
mod branches;
mod common;
mod faults;
mod golden;
mod goldens;
mod gradients;
mod load;
mod model_file;
mod norm_pool;
mod optimizers;
mod random;
mod recurrent;
mod refused;
mod shapes;
mod steady;
mod tape;
mod training;
