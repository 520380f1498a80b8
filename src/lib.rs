//! melgrad: a deep-learning engine from scratch, with its own GPU kernels, that hears music and names its genre.
//!
//! This crate is the command line and a facade: it exports the four library crates under one name.
//!
//! | module | holds |
//! | --- | --- |
//! | [`kernels`] | every kernel on the CPU and in WGSL; devices and buffers |
//! | [`engine`] | tensors, gradients, layers, architectures as data, optimizers, model files |
//! | [`audio`] | decoding, resampling, features, a synthesiser of test music |
//! | [`models`] | datasets, recipes, training, evaluation, and the classifier |
//!
//! # A classifier inside your program
//!
//! With `default-features = false` there is no GPU, no command line and no thread pool: 35 small crates. `melgrad
//! train` writes one model file, `best.safetensors`. It holds all that the classifier needs: network, labels, features,
//! normalisation.
//!
//! ```no_run
//! # fn main() -> Result<(), melgrad::Error> {
//! let classifier = melgrad::Classifier::load("best.safetensors")?;
//! let answer = classifier.classify_file("song.mp3")?;
//! for guess in answer.top(3) {
//!     println!("{:>5.1} %  {}", 100.0 * guess.probability, guess.label);
//! }
//! # Ok(()) }
//! ```
//!
//! A model compiled into the program, and a clip in memory:
//!
//! ```no_run
//! # fn main() -> Result<(), melgrad::Error> {
//! # let model: &[u8] = &[]; // include_bytes!("best.safetensors")
//! let classifier = melgrad::Classifier::from_bytes(model)?;
//! let clip = melgrad::Clip { samples: vec![0.0; 3 * 22_050], sample_rate: 22_050 };
//! let answer = classifier.classify(&clip)?;
//! println!("{}", answer.best().label);
//! # Ok(()) }
//! ```

#[cfg(feature = "cli")]
pub mod bench;

pub use audio;
pub use engine;
pub use kernels;
pub use models;

pub use audio::Clip;
pub use kernels::Device;
pub use models::Error;
pub use models::classify::{Answer, Classifier, Guess};

/// Checks that the README's examples compile.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
