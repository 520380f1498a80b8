//! An architecture is data: a tree of layers that reads from TOML or JSON, and what can be told from it alone.
//!
//! | file | holds |
//! | --- | --- |
//! | `layer.rs` | the kinds of layers and their options |
//! | `reshaping.rs` | Permute, Reshape, Pad2d, Resize, Parallel, with their shape inference |
//! | `conv1d.rs` | 1-D layers as 2-D ones |
//! | `pooling.rs`, `recurrent.rs` | pooling layers; Gru and Lstm: both with their shape inference |
//! | `normalisation.rs` | shape inference of normalising layers |
//! | `size.rs` | how files spell sizes, padding, units |
//! | `read.rs`, `fields.rs` | reading layers, with hints where a name is wrong |
//! | `operation.rs` | what one step does: operation, output shape, parameters, work |
//! | `convolution.rs` | shape inference of convolutions |
//! | `infer.rs` | shape inference of one layer; a few kinds have theirs beside their options |
//! | `plan.rs` | the tree as a list of steps with shapes and parameters |
//! | `summary.rs` | the table of layers, parameters and multiply-adds |
//! | `memory.rs` | what training and inference need, and the largest batch that fits |

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
    /// The shape of one example: `[c, h, w]` for images. A recipe may leave it out: its features give it.
    #[serde(default)]
    pub input: Vec<usize>,
    /// What the example goes through, first to last.
    pub layers: Vec<Layer>,
}

impl Architecture {
    /// Reads the JSON that model files hold.
    ///
    /// # Errors
    /// [`Error::Architecture`] with the place, and the kind or option that was probably meant.
    pub fn from_json(text: &str) -> Result<Self> {
        serde_json::from_str(text).map_err(|error| Error::Architecture(error.to_string()))
    }

    /// The JSON that [`Architecture::from_json`] reads.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|error| Error::Architecture(error.to_string()))
    }

    /// The same for examples of this shape.
    pub fn with_input(&self, input: impl Into<Vec<usize>>) -> Self {
        Architecture {
            input: input.into(),
            layers: self.layers.clone(),
        }
    }

    /// The same with `"classes"` replaced by how many there are.
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

    /// The fewest examples that a training step takes: 2 where a BatchNorm layer sees one number of each channel in an
    /// example, as it does behind a Linear layer; else 1.
    pub fn smallest_batch(&self) -> Result<usize> {
        Ok(self.plan()?.smallest_batch())
    }

    /// The paths of all layers, as the summary and parameters' names have them, those of blocks among them.
    pub fn layer_paths(&self) -> Vec<String> {
        let mut found = Vec::new();
        paths("", &self.layers, &mut found);
        found
    }

    /// The layer at a path of [`Architecture::layer_paths`].
    pub fn layer_mut(&mut self, path: &str) -> Option<&mut Layer> {
        layer_mut(&mut self.layers, path)
    }

    /// The shape of what comes out for one example.
    ///
    /// # Errors
    /// What does not fit together, with the layer's path and both shapes.
    pub fn output(&self) -> Result<Shape> {
        Ok(self.plan()?.output().clone())
    }
}

/// Layers, each with what it is called among its neighbours: its own name, or its kind's with a number.
fn named(layers: &[Layer]) -> impl Iterator<Item = (String, &Layer)> {
    let mut counts = BTreeMap::new();
    layers.iter().map(move |layer| {
        let stem = layer.kind.stem();
        let count = counts.entry(stem).and_modify(|n| *n += 1).or_insert(1);
        let own = layer.name.clone();
        (own.unwrap_or_else(|| format!("{stem}{count}")), layer)
    })
}

/// The paths of layers and of those within them.
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
