//! Model files: all that inference, or a resumed run, needs, in one `.safetensors`.
//!
//! The file's tensors are the weights and running statistics under their names (`conv1.weight`). A checkpoint also has
//! the optimizer's state under `optimizer:NAME`. The metadata has one key, `melgrad` (the order of several would vary),
//! with JSON: `format`, `architecture`, `labels`, `features` and `normalisation` (the engine does not interpret these
//! two), and `counters` if there is an optimizer's state.

use crate::architecture::Architecture;
use crate::architecture::operation::Operation;
use crate::error::{Error, Result};
use crate::network::{self, Array, Weights};
use safetensors::tensor::{Dtype, SafeTensorError, SafeTensors, View};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::HashSet;

/// Version of the format, in the metadata's `format`.
const FORMAT: u32 = 1;

/// Key in the metadata.
const KEY: &str = "melgrad";

/// Prefix of the names of the optimizer's tensors. No layer's name contains a colon.
const OPTIMIZER: &str = "optimizer:";

/// A trained network with its settings. The same contents give the same bytes.
///
/// ```
/// use engine::{Architecture, Device, ModelFile, Network};
/// use engine::architecture::layer::Linear;
/// # fn main() -> engine::Result<()> {
/// let architecture = Architecture { input: vec![4], layers: vec![Linear::classes().into()] };
/// let network = Network::new(&architecture.with_classes(2), &Device::cpu(), 1)?;
/// let file = ModelFile::new(&network, vec!["blues".into(), "jazz".into()])?;
/// let bytes = file.to_bytes()?;
/// assert_eq!(ModelFile::from_bytes(&bytes)?, file);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ModelFile {
    /// Architecture, with one output per label.
    pub architecture: Architecture,
    /// Labels of the outputs, in order.
    pub labels: Vec<String>,
    /// Settings from audio to the network's input, as defined by the audio crate.
    pub features: Value,
    /// Normalisation of the features.
    pub normalisation: Value,
    /// All parameters, and the running statistics.
    pub weights: Weights,
    /// State for resuming; `None` in a file for inference only.
    pub resume: Option<Resume>,
}

/// State of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Resume {
    /// State of the optimizer: see [`Optimizer::state`](crate::Optimizer::state).
    pub optimizer: Weights,
    /// Counters of the run: steps, epochs, best epoch.
    pub counters: Value,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Metadata<'a> {
    format: u32,
    architecture: Cow<'a, Architecture>,
    labels: Cow<'a, [String]>,
    features: Cow<'a, Value>,
    normalisation: Cow<'a, Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    counters: Option<Cow<'a, Value>>,
}

impl ModelFile {
    /// Creates a file of the current network; the caller adds features and normalisation.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn new(network: &crate::Network, labels: Vec<String>) -> Result<Self> {
        Ok(ModelFile {
            architecture: network.architecture().with_classes(labels.len()),
            labels,
            features: Value::Null,
            normalisation: Value::Null,
            weights: network.weights()?,
            resume: None,
        })
    }

    /// Returns the file's bytes, to be written atomically.
    ///
    /// # Errors
    /// Contents that [`ModelFile::from_bytes`] would reject, such as values that are not finite.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        self.check()?;
        let metadata = Metadata {
            format: FORMAT,
            architecture: Cow::Borrowed(&self.architecture),
            labels: Cow::Borrowed(&self.labels),
            features: Cow::Borrowed(&self.features),
            normalisation: Cow::Borrowed(&self.normalisation),
            counters: self.resume.as_ref().map(|r| Cow::Borrowed(&r.counters)),
        };
        let text = serde_json::to_string(&metadata).map_err(|e| Error::ModelFile(e.to_string()))?;
        let weights = self
            .weights
            .iter()
            .map(|(name, array)| (name.clone(), array));
        let state = self.resume.iter().flat_map(|r| &r.optimizer);
        let state = state.map(|(name, array)| (format!("{OPTIMIZER}{name}"), array));
        let metadata = [(KEY.to_string(), text)].into_iter().collect();
        safetensors::serialize(weights.chain(state), Some(metadata)).map_err(refused)
    }

    /// Parses and validates a file's bytes.
    ///
    /// # Errors
    /// [`Error::ModelFile`] if the file is not safetensors, truncated, without or with unreadable metadata, of a newer
    /// format, or holds values that are not finite; [`Error::Weights`] if weights and architecture differ;
    /// [`Error::Layer`] if the layers of the architecture do not fit together.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let problem = |problem: String| Error::ModelFile(problem);
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(refused)?;
        let text = header
            .metadata()
            .as_ref()
            .and_then(|map| map.get(KEY))
            .ok_or_else(|| {
                problem(
                    "a safetensors without melgrad's metadata: weights alone are not a model"
                        .into(),
                )
            })?;
        let format = serde_json::from_str::<Value>(text)
            .ok()
            .and_then(|v| v.get("format")?.as_u64());
        match format {
            None => return Err(problem("its metadata says no format".into())),
            Some(format) if format != u64::from(FORMAT) => {
                return Err(problem(format!(
                    "format {format}, this version reads {FORMAT}"
                )));
            }
            Some(_) => {}
        }
        let metadata: Metadata =
            serde_json::from_str(text).map_err(|e| problem(format!("its metadata: {e}")))?;
        let (mut weights, mut optimizer) = (Weights::new(), Weights::new());
        for (name, view) in SafeTensors::deserialize(bytes).map_err(refused)?.tensors() {
            if view.dtype() != Dtype::F32 {
                return Err(problem(format!("`{name}` is {}, not F32", view.dtype())));
            }
            let number = |bytes: &[u8]| bytes.try_into().map_or(f32::NAN, f32::from_le_bytes);
            let array = Array {
                shape: view.shape().into(),
                values: view.data().chunks_exact(4).map(number).collect(),
            };
            match name.strip_prefix(OPTIMIZER) {
                Some(name) => optimizer.insert(name.to_string(), array),
                None => weights.insert(name, array),
            };
        }
        let resume = match metadata.counters {
            Some(counters) => Some(Resume {
                optimizer,
                counters: counters.into_owned(),
            }),
            None if optimizer.is_empty() => None,
            None => return Err(problem("an optimizer's state without counters".into())),
        };
        let file = ModelFile {
            architecture: metadata.architecture.into_owned(),
            labels: metadata.labels.into_owned(),
            features: metadata.features.into_owned(),
            normalisation: metadata.normalisation.into_owned(),
            weights,
            resume,
        };
        file.check()?;
        Ok(file)
    }

    /// Whether the bytes claim to be a model file, valid or not.
    pub fn is_one(bytes: &[u8]) -> bool {
        let header = SafeTensors::read_metadata(bytes).map(|(_, header)| header);
        header.is_ok_and(|header| header.metadata().iter().any(|map| map.contains_key(KEY)))
    }

    fn check(&self) -> Result<()> {
        let plan = self.architecture.plan()?;
        if self.labels.is_empty() || plan.output()[..] != [self.labels.len()] {
            let (labels, output) = (self.labels.len(), plan.output());
            let problem = format!("{labels} labels for a network that puts out {output}");
            return Err(Error::ModelFile(problem));
        }
        let mut seen = HashSet::new();
        if let Some(label) = self.labels.iter().find(|label| !seen.insert(*label)) {
            return Err(Error::ModelFile(format!("two labels are `{label}`")));
        }
        printable(&self.labels).map_err(Error::ModelFile)?;
        if let Some(Operation::Softmax) = plan.steps.last().map(|step| step.operation) {
            let problem = "its last layer is Softmax, and a model puts out logits";
            return Err(Error::ModelFile(problem.into()));
        }
        network::check(&plan, &self.weights)?;
        let state = self.resume.iter().flat_map(|resume| &resume.optimizer);
        for (name, array) in self.weights.iter().chain(state) {
            array.check(name)?;
        }
        Ok(())
    }
}

/// Errors of the format's own checks.
pub(crate) fn refused(error: SafeTensorError) -> Error {
    use SafeTensorError as E;
    Error::ModelFile(match error {
        E::MetadataIncompleteBuffer | E::InvalidHeaderLength | E::HeaderTooSmall => {
            format!("truncated, or no safetensors ({error})")
        }
        error => format!("no safetensors, or a damaged one ({error})"),
    })
}

impl View for &Array {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        match cfg!(target_endian = "little") {
            true => Cow::Borrowed(bytemuck::cast_slice(&self.values)),
            false => self.values.iter().flat_map(|v| v.to_le_bytes()).collect(),
        }
    }

    fn data_len(&self) -> usize {
        4 * self.values.len()
    }
}

/// Checks that labels are safe to print: no control characters.
///
/// # Errors
/// A sentence with the first label that contains control characters.
pub fn printable(labels: &[String]) -> std::result::Result<(), String> {
    let odd = |label: &&String| label.contains(char::is_control);
    match labels.iter().find(odd) {
        None => Ok(()),
        Some(label) => Err(format!("the label {label:?} holds control characters")),
    }
}
