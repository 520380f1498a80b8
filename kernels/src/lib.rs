//! Every kernel of melgrad on the CPU and in WGSL, with devices, buffers and pipelines.
//!
//! Independent of gradients and audio. Modules:
//!
//! | module | holds |
//! | --- | --- |
//! | [`kernel`] | definition of a kernel: arguments, oracle, CPU implementation, rungs, cases |
//! | [`catalogue`] | list of all kernels, for tests, benches and tables |
//! | [`proof`] | compares any kernel with its oracle on any device |
//! | [`device`], [`buffer`] | memory of a device; launching a kernel |
//! | [`counters`] | counters of a device's work; simulated failures, for tests |
//! | [`measure`] | timing of kernels, and a device's peaks |
//! | [`profile`] | where time goes, launch by launch |
//! | `gpu` | adapters, the recorded stream, pipelines and bind groups (feature `gpu`) |
//! | [`cpu`] | threads, vector instructions, vectorisable functions, the matrix product's core |
//! | [`activation`] | activation functions that kernels apply to their output |
//! | [`gradient`] | how the optimizers' kernels read a gradient |
//! | [`draw`] | random shapes |
//! | [`philox`] | counter-based random numbers |
//! | [`recurrence`] | shared by `gru` and `lstm` |
//! | [`matmul`], … | one folder per kernel |

pub mod activation;
pub mod buffer;
pub mod catalogue;
pub mod counters;
pub mod cpu;
pub mod device;
pub mod draw;
pub mod error;
#[cfg(feature = "gpu")]
pub mod gpu;
pub mod gradient;
pub mod kernel;
mod launch;
#[cfg(not(target_arch = "wasm32"))]
pub mod measure;
pub mod philox;
mod pool;
#[cfg(not(target_arch = "wasm32"))]
pub mod profile;
#[cfg(not(target_arch = "wasm32"))]
pub mod proof;
pub mod recurrence;

pub mod adam;
pub mod avg_pool2d;
pub mod batch_norm;
pub mod batch_norm_pool;
pub mod clip_norm;
pub mod conv2d;
pub mod conv2d_pool;
pub mod dct;
pub mod elementwise;
pub mod gather;
pub mod gru;
pub mod istft;
pub mod local_response_norm;
pub mod lstm;
pub mod matmul;
pub mod max_pool2d;
pub mod mel;
pub mod peak;
pub mod power_to_db;
pub mod rearrange;
pub mod reduce;
pub mod resize2d;
pub mod rmsprop;
pub mod sgd;
pub mod softmax;
pub mod softmax_cross_entropy;
pub mod stft;

pub use activation::Activation;
pub use buffer::Buffer;
pub use counters::Counters;
pub use device::Device;
#[cfg(not(target_arch = "wasm32"))]
pub use device::block_on;
pub use error::{Error, Result};
pub use kernel::{Arg, Case, Cooperative, Kernel, Kind, Limits, Pass, Plan, Role, Rung};
pub use pool::Usage;
