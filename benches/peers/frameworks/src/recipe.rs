//! What of a recipe's file a training step needs.

use crate::CLASSES;
use serde::Deserialize;

#[derive(Deserialize)]
pub struct Recipe {
    pub name: String,
    input: Input,
    training: Training,
    architecture: Architecture,
}

#[derive(Deserialize)]
struct Input {
    frames: usize,
    #[serde(default = "one")]
    channels: usize,
    features: Features,
}

#[derive(Deserialize)]
struct Features {
    n_mels: usize,
}

#[derive(Deserialize)]
struct Training {
    batch: usize,
}

#[derive(Deserialize)]
struct Architecture {
    layers: Vec<Layer>,
}

/// A layer as the file has it. Other kinds and options are refused when the file is read.
#[derive(Clone, Deserialize)]
#[serde(tag = "kind", deny_unknown_fields)]
pub enum Layer {
    Conv2d {
        out_channels: usize,
        kernel: Pair,
        #[serde(default)]
        padding: Padding,
        activation: Option<Activation>,
        /// A term of the loss that no side measures.
        #[serde(rename = "l2")]
        _l2: Option<f64>,
    },
    MaxPool2d {
        kernel: Pair,
    },
    BatchNorm,
    Dropout {
        p: f64,
    },
    Permute {
        axes: Vec<usize>,
    },
    Flatten {
        #[serde(default)]
        start: usize,
    },
    Gru {
        hidden: usize,
        #[serde(default)]
        last: bool,
    },
    Linear {
        out_features: Outputs,
        activation: Option<Activation>,
        #[serde(rename = "l2")]
        _l2: Option<f64>,
    },
}

#[derive(Clone, Copy, Deserialize)]
#[serde(untagged)]
pub enum Pair {
    Both(usize),
    Each([usize; 2]),
}

impl Pair {
    pub fn each(self) -> [usize; 2] {
        match self {
            Pair::Both(n) => [n; 2],
            Pair::Each(pair) => pair,
        }
    }
}

#[derive(Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Padding {
    #[default]
    None,
    Same,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    Relu,
    Elu,
}

#[derive(Clone, Deserialize)]
#[serde(untagged)]
pub enum Outputs {
    Number(usize),
    Word(Word),
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Word {
    Classes,
}

impl Outputs {
    pub fn number(&self) -> usize {
        match self {
            Outputs::Number(n) => *n,
            Outputs::Word(Word::Classes) => CLASSES,
        }
    }
}

impl Recipe {
    /// Examples, channels, bands, frames.
    pub fn batch_shape(&self) -> [usize; 4] {
        let input = &self.input;
        [
            self.training.batch,
            input.channels,
            input.features.n_mels,
            input.frames,
        ]
    }

    pub fn layers(&self) -> &[Layer] {
        &self.architecture.layers
    }

    /// A label for every example of the batch.
    pub fn labels(&self) -> impl Iterator<Item = usize> {
        (0..self.training.batch).map(|i| i % CLASSES)
    }
}

fn one() -> usize {
    1
}
