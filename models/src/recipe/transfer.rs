//! Source of the initial weights.

use std::path::PathBuf;

use engine::state_dict::Names;
use serde::{Deserialize, Serialize};

/// Source of a recipe's initial weights.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Transfer {
    /// Recipe of the previous stage: `reproduce` trains it first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// A run, a series (each run of a series takes the run of the same name), a model file, or another library's
    /// weights as safetensors. Weights that match by name and shape are copied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights: Option<PathBuf>,
    /// Paths of our layers, by the names that another library uses: see [`engine::state_dict`].
    #[serde(skip_serializing_if = "Names::is_empty")]
    pub names: Names,
}

impl Transfer {
    /// Whether no source is given.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Transfer::default()
    }
}
