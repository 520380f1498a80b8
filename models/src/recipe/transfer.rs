//! Where the first weights come from.

use std::path::PathBuf;

use engine::state_dict::Names;
use serde::{Deserialize, Serialize};

/// Where a recipe's first weights come from.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Transfer {
    /// The recipe that this one goes on from: `reproduce` trains it first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// A run, a series (of which each run of another series takes the run of its own name), a model file, or another
    /// library's weights as safetensors. What fits by name and shape is taken over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights: Option<PathBuf>,
    /// Our layers' paths by what another library calls them: see [`engine::state_dict`].
    #[serde(skip_serializing_if = "Names::is_empty")]
    pub names: Names,
}

impl Transfer {
    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Transfer::default()
    }
}
