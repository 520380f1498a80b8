//! Architectures are data: a tree of layers, read from TOML or JSON, and what follows from it.
//!
//! | file | holds |
//! | --- | --- |
//! | `layer.rs` | the kinds of layers and their options |
//! | `reshaping.rs` | Permute, Reshape, Pad2d, Resize, Parallel, with their shape inference |
//! | `conv1d.rs` | 1-D layers as 2-D ones |
//! | `pooling.rs`, `recurrent.rs` | pooling layers; Gru and Lstm: both with their shape inference |
//! | `normalisation.rs` | shape inference of normalising layers |
//! | `size.rs` | how files spell sizes, padding, units |
//! | `read.rs`, `fields.rs` | reading layers, with hints for wrong names |
//! | `operation.rs` | one step: operation, output shape, parameters, number of operations |
//! | `convolution.rs` | shape inference of convolutions |
//! | `infer.rs` | shape inference of one layer; a few kinds have theirs beside their options |
//! | `plan.rs` | the tree as a list of steps with shapes and parameters |
//! | `summary.rs` | the table of layers, parameters and multiply-adds |
//! | `memory.rs` | memory for training and inference, and the largest batch that fits |

mod conv1d;
mod convolution;
mod fields;
mod infer;
pub mod layer;
pub mod memory;
mod normalisation;
pub(crate) mod operation;
pub(crate) mod plan;
mod pooling;
mod read;
mod recurrent;
mod reshaping;
mod size;
mod summary;

pub use fields::nearest;
pub use layer::{Function, Kind, Layer};
pub use memory::{AvailableMemory, Memory};
pub use size::{Padding, Units};
pub use summary::{LayerSummary, Summary};

use crate::error::{Error, Result};
use crate::shape::Shape;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A network as data.
///
/// ```
/// use engine::Architecture;
/// # fn main() -> engine::Result<()> {
/// let architecture = Architecture::from_json(r#"{
///     "input": [1, 128, 660],
///     "layers": [
///         {"kind": "Conv2d", "out_channels": 32, "kernel": 3},
///         {"kind": "Activation", "function": "relu"},
///         {"kind": "MaxPool2d", "kernel": [2, 4]},
///         {"kind": "Flatten"},
///         {"kind": "Linear", "out_features": "classes"}
///     ]
/// }"#)?;
/// let summary = architecture.with_classes(10).summary()?;
/// assert_eq!(summary.layers[0].output, [32, 126, 658]);
/// assert_eq!(summary.parameters, 32 * 9 + 32 + 32 * 63 * 164 * 10 + 10);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Architecture {
    /// Shape of one example: `[c, h, w]` for images. A recipe may leave it out; its features define it.
    #[serde(default)]
    pub input: Vec<usize>,
    /// Layers, first to last.
    pub layers: Vec<Layer>,
}

impl Architecture {
    /// Reads the JSON of model files.
    ///
    /// # Errors
    /// [`Error::Architecture`] with the place, and the most similar kind or option.
    pub fn from_json(text: &str) -> Result<Self> {
        serde_json::from_str(text).map_err(|error| Error::Architecture(error.to_string()))
    }

    /// Returns the JSON that [`Architecture::from_json`] reads.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|error| Error::Architecture(error.to_string()))
    }

    /// Returns the same architecture with this input shape.
    pub fn with_input(&self, input: impl Into<Vec<usize>>) -> Self {
        Architecture {
            input: input.into(),
            layers: self.layers.clone(),
        }
    }

    /// Returns the same architecture with `"classes"` replaced by their number.
    pub fn with_classes(&self, classes: usize) -> Self {
        Architecture {
            input: self.input.clone(),
            layers: self
                .layers
                .iter()
                .map(|layer| with_classes(layer, classes))
                .collect(),
        }
    }

    /// Returns the smallest batch of a training step: 2 if a BatchNorm layer has only one value per channel and
    /// example, as after a Linear layer; else 1.
    pub fn smallest_batch(&self) -> Result<usize> {
        Ok(self.plan()?.smallest_batch())
    }

    /// Returns the paths of all layers, including blocks, as in the summary and in parameters' names.
    pub fn layer_paths(&self) -> Vec<String> {
        let mut found = Vec::new();
        paths("", &self.layers, &mut found);
        found
    }

    /// Returns the layer at a path of [`Architecture::layer_paths`].
    pub fn layer_mut(&mut self, path: &str) -> Option<&mut Layer> {
        layer_mut(&mut self.layers, path)
    }

    /// Returns the output shape for one example.
    ///
    /// # Errors
    /// Layers that do not fit together, with the layer's path and both shapes.
    pub fn output(&self) -> Result<Shape> {
        Ok(self.plan()?.output().clone())
    }
}

/// Returns the layers with their names: the own name, or the kind's with a number.
fn named(layers: &[Layer]) -> impl Iterator<Item = (String, &Layer)> {
    let mut counts = BTreeMap::new();
    layers.iter().map(move |layer| {
        let stem = layer.kind.stem();
        let count = counts.entry(stem).and_modify(|n| *n += 1).or_insert(1);
        let own = layer.name.clone();
        (own.unwrap_or_else(|| format!("{stem}{count}")), layer)
    })
}

/// Collects the paths of layers and of those within them.
fn paths(prefix: &str, layers: &[Layer], found: &mut Vec<String>) {
    for (name, layer) in named(layers) {
        let path = format!("{prefix}{name}");
        match &layer.kind {
            Kind::Sequential(block) => paths(&format!("{path}/"), &block.layers, found),
            Kind::Parallel(parallel) => {
                for (branch, number) in parallel.branches.iter().zip(1..) {
                    paths(&format!("{path}/branch{number}/"), branch, found);
                }
            }
            _ => {}
        }
        found.push(path);
    }
}

fn layer_mut<'l>(layers: &'l mut [Layer], path: &str) -> Option<&'l mut Layer> {
    let (own, rest) = match path.split_once('/') {
        Some((own, rest)) => (own, Some(rest)),
        None => (path, None),
    };
    let position = named(layers).position(|(name, _)| name == own)?;
    let layer = &mut layers[position];
    let Some(rest) = rest else {
        return Some(layer);
    };
    match &mut layer.kind {
        Kind::Sequential(block) => layer_mut(&mut block.layers, rest),
        Kind::Parallel(parallel) => {
            let (branch, rest) = rest.split_once('/')?;
            let number: usize = branch.strip_prefix("branch")?.parse().ok()?;
            layer_mut(parallel.branches.get_mut(number.checked_sub(1)?)?, rest)
        }
        _ => None,
    }
}

fn with_classes(layer: &Layer, classes: usize) -> Layer {
    let mut layer = layer.clone();
    match &mut layer.kind {
        Kind::Linear(linear) if linear.out_features == Units::Classes => {
            linear.out_features = Units::Number(classes);
        }
        Kind::Sequential(block) => {
            for layer in &mut block.layers {
                *layer = with_classes(layer, classes);
            }
        }
        Kind::Parallel(parallel) => {
            for layer in parallel.branches.iter_mut().flatten() {
                *layer = with_classes(layer, classes);
            }
        }
        _ => {}
    }
    layer
}
