//! melgrad's engine: tensors, gradients, layers, architectures as data, optimizers, model files. Independent of audio.
//!
//! | module | holds |
//! | --- | --- |
//! | [`Tensor`] (`tensor.rs`), [`Shape`] | numbers on a device with a shape |
//! | `tape.rs` | [`Tensor::backward`], [`Gradients`], [`no_grad`] |
//! | [`ops`] | one file per operation, its forward and its derivative side by side |
//! | [`gradcheck`] | gradients against central differences, in f64 |
//! | [`architecture`] | layers as data; their shapes, parameters, operations and memory |
//! | [`Network`] (`network.rs`) | an architecture with parameters: forward, with or without an observer |
//! | [`optim`] | [`Optimizer`]: SGD, RMSprop, Adam, AdamW; clipping |
//! | [`ModelFile`] (`model_file.rs`) | network, settings and state in one `.safetensors` |
//! | [`state_dict`] | weights in the formats of PyTorch, torchvision and Keras |
//! | [`Error`] | all errors |
//!
//! The smallest complete example is `examples/xor.rs`.

pub mod architecture;
mod axes;
mod error;
#[cfg(not(target_arch = "wasm32"))]
pub mod gradcheck;
mod model_file;
mod network;
mod no_grad;
pub mod ops;
pub mod optim;
mod shape;
pub mod state_dict;
mod tape;
mod tensor;

pub use architecture::{
    Architecture, AvailableMemory, Function, Kind, Layer, Memory, Padding, Summary, Units, nearest,
};
pub use error::{Error, Misfit, Result};
pub use kernels::{Buffer, Device};
pub use model_file::{ModelFile, Resume, printable};
pub use network::{Array, Loaded, Mode, Network, Observer, Parameter, Weights};
pub use no_grad::no_grad;
pub use optim::{Clip, Optimizer, Rule};
pub use shape::Shape;
pub use tape::Gradients;
pub use tensor::Tensor;
