//! Classifier for other programs: one model file, audio in, labels out.
//!
//! It needs no `report` feature, no GPU and no files beside the model. The model's bytes may be compiled in.
//!
//! ```no_run
//! use models::classify::Classifier;
//!
//! # fn main() -> Result<(), models::Error> {
//! let classifier = Classifier::load("run/best.safetensors")?;
//! let answer = classifier.classify_file("song.mp3")?;
//! for guess in answer.top(3) {
//!     println!("{:.0} % {}", 100.0 * guess.probability, guess.label);
//! }
//! # Ok(()) }
//! ```

use std::path::Path;

use audio::Clip;
#[cfg(not(target_arch = "wasm32"))]
use audio::Segment;
use engine::{Device, ModelFile, Network};
use serde::Serialize;

use crate::Error;
use crate::base::files;
use crate::base::memory::available;
use crate::evaluation::answers::{Votes, mean};
#[cfg(not(target_arch = "wasm32"))]
use crate::input::stream;
use crate::input::{AT_ONCE, Input, Normalisation, Windows};

/// The model that ships: ten genres of music, trained on pictures of GTZAN with the recipe `melgrad-best`.
/// `docs/model-card.md` says how well it works and what it must not be used for.
#[cfg(feature = "shipped")]
pub const SHIPPED: &[u8] = include_bytes!("../../shipped/melgrad-best.safetensors");

/// A trained network with its settings.
pub struct Classifier {
    network: Network,
    labels: Vec<String>,
    input: Input,
    normalisation: Normalisation,
    /// Number of windows that fit into the device's memory at once.
    most: usize,
}

/// Result of the classification of one clip.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answer {
    /// Every label with its probability, most likely first.
    pub ranking: Vec<Guess>,
    /// Faults of the file that lose audio but are not errors ([`audio::Stream::warnings`]).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// A label and its probability.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Guess {
    /// The label.
    pub label: String,
    /// Probability, 0 to 1; those of all labels sum to 1.
    pub probability: f64,
}

impl Answer {
    /// Returns the labels sorted by probability.
    pub(crate) fn new(labels: &[String], probabilities: Vec<f64>, warnings: Vec<String>) -> Answer {
        let guess = |(label, probability): (&String, f64)| Guess {
            label: label.clone(),
            probability,
        };
        let mut ranking: Vec<Guess> = labels.iter().zip(probabilities).map(guess).collect();
        ranking.sort_by(|a, b| b.probability.total_cmp(&a.probability));
        Answer { ranking, warnings }
    }

    /// Returns the most likely label.
    #[must_use]
    pub fn best(&self) -> &Guess {
        // A model file without labels is rejected when it is loaded.
        &self.ranking[0]
    }

    /// Returns the `count` most likely labels, or all if there are fewer.
    #[must_use]
    pub fn top(&self, count: usize) -> &[Guess] {
        &self.ranking[..count.min(self.ranking.len())]
    }
}

impl Classifier {
    /// Loads a classifier on the CPU from a model file.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Model`] if the file is not a valid model file of melgrad.
    pub fn load(path: impl AsRef<Path>) -> Result<Classifier, Error> {
        Classifier::load_on(path, &Device::cpu())
    }

    /// [`Classifier::load`] on another device.
    ///
    /// # Errors
    /// As [`Classifier::load`], and any error of the device.
    pub fn load_on(path: impl AsRef<Path>, device: &Device) -> Result<Classifier, Error> {
        let path = path.as_ref();
        Classifier::named(
            &files::read_bytes(path)?,
            &path.display().to_string(),
            device,
        )
    }

    /// Loads a classifier on the CPU from a model file's bytes.
    ///
    /// # Errors
    /// [`Error::Model`] if the bytes are not a valid model file of melgrad.
    pub fn from_bytes(bytes: &[u8]) -> Result<Classifier, Error> {
        Classifier::from_bytes_on(bytes, &Device::cpu())
    }

    /// [`Classifier::from_bytes`] on another device.
    ///
    /// # Errors
    /// As [`Classifier::from_bytes`], and any error of the device.
    pub fn from_bytes_on(bytes: &[u8], device: &Device) -> Result<Classifier, Error> {
        Classifier::named(bytes, "the model", device)
    }

    /// Loads the classifier of [`SHIPPED`].
    ///
    /// # Errors
    /// Any error of the device. The file itself is valid: a test reads it.
    #[cfg(feature = "shipped")]
    pub fn shipped_on(device: &Device) -> Result<Classifier, Error> {
        Classifier::named(SHIPPED, "the shipped model", device)
    }

    /// [`Classifier::shipped_on`] the CPU.
    ///
    /// # Errors
    /// As [`Classifier::shipped_on`].
    #[cfg(feature = "shipped")]
    pub fn shipped() -> Result<Classifier, Error> {
        Classifier::shipped_on(&Device::cpu())
    }

    fn named(bytes: &[u8], name: &str, device: &Device) -> Result<Classifier, Error> {
        let file = ModelFile::from_bytes(bytes).map_err(Error::model(name))?;
        Classifier::from_model(&file, name, device)
    }

    /// Creates a classifier from a parsed model file; `name` is used in errors.
    ///
    /// # Errors
    /// [`Error::Model`] if its feature settings, normalisation and network do not fit together, or if the device has
    /// too little memory for inference on one window.
    pub fn from_model(file: &ModelFile, name: &str, device: &Device) -> Result<Classifier, Error> {
        let refuse = |reason: String| Error::Model {
            name: name.into(),
            source: engine::Error::ModelFile(reason),
        };
        let input: Input = serde_json::from_value(file.features.clone())
            .map_err(|error| refuse(format!("feature settings: {error}")))?;
        let normalisation: Normalisation = serde_json::from_value(file.normalisation.clone())
            .map_err(|error| refuse(format!("normalisation: {error}")))?;
        input.check().map_err(|error| refuse(error.to_string()))?;
        let [channels, bands, frames] = input.shape();
        normalisation
            .check(input.rows())
            .map_err(|error| refuse(error.to_string()))?;
        let own = engine::Shape::from(&file.architecture.input[..]);
        if input.rows().checked_mul(frames) != Some(own.elements()) {
            return Err(refuse(format!(
                "its input is {own}, its features are {channels}×{bands}×{frames}"
            )));
        }
        let network = || {
            let (memory, available) = (file.architecture.memory()?, available(device));
            memory.check_inference(1, available)?;
            let network = Network::with_weights(&file.architecture, device, &file.weights)?;
            Ok((network, memory.largest_inference_batch(available)))
        };
        let (network, most) = network().map_err(Error::model(name))?;
        Ok(Classifier {
            network,
            most,
            labels: file.labels.clone(),
            input,
            normalisation,
        })
    }

    /// Returns the labels.
    #[must_use]
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// Returns the input settings: windows and features.
    #[must_use]
    pub fn input(&self) -> &Input {
        &self.input
    }

    /// Returns the network.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Returns how many windows, at most `wanted`, go through the network at once.
    pub(crate) fn at_once(&self, wanted: usize) -> usize {
        wanted.min(self.most)
    }

    /// Returns the normalisation of the features.
    #[must_use]
    pub fn normalisation(&self) -> &Normalisation {
        &self.normalisation
    }

    /// Classifies an audio file of any length.
    ///
    /// # Errors
    /// [`Error::Audio`] with the file and the problem; as [`Classifier::classify`].
    #[cfg(not(target_arch = "wasm32"))]
    pub fn classify_file(&self, path: impl AsRef<Path>) -> Result<Answer, Error> {
        self.classify_segment(path, &Segment::default())
    }

    /// Hears a part of a sound file. What is long is decoded twice, piece by piece: where its windows lie depends on
    /// its
    /// length.
    ///
    /// # Errors
    /// As [`Classifier::classify_file`].
    #[cfg(not(target_arch = "wasm32"))]
    pub fn classify_segment(
        &self,
        path: impl AsRef<Path>,
        segment: &Segment,
    ) -> Result<Answer, Error> {
        let mut votes = Votes::default();
        let warnings = stream::for_windows(&self.input, path.as_ref(), segment, async |windows| {
            self.vote(&mut votes, windows).await
        })?;
        Ok(Answer::new(&self.labels, mean(votes.sums)?, warnings))
    }

    /// Classifies the bytes of an audio file; `name` is used in errors.
    ///
    /// # Errors
    /// As [`Classifier::classify_file`].
    #[cfg(not(target_arch = "wasm32"))]
    pub fn classify_bytes(&self, bytes: &[u8], name: &str) -> Result<Answer, Error> {
        let mut stream = audio::Stream::from_bytes(bytes, name, &audio::Limits::default())?;
        let clip = stream.clip(&Segment::default())?;
        let mut answer = kernels::block_on(self.answer(&clip, name))?;
        answer.warnings = stream.warnings();
        Ok(answer)
    }

    /// Classifies a clip of any length and sample rate.
    ///
    /// # Errors
    /// [`Error::Features`] if the clip has no samples or some are not finite; [`Error::Engine`] for an error of the
    /// device.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn classify(&self, clip: &Clip) -> Result<Answer, Error> {
        kernels::block_on(self.classify_async(clip))
    }

    /// [`Classifier::classify`] without blocking, for browsers.
    ///
    /// # Errors
    /// As [`Classifier::classify`].
    pub async fn classify_async(&self, clip: &Clip) -> Result<Answer, Error> {
        self.answer(clip, "the clip").await
    }

    async fn answer(&self, clip: &Clip, name: &str) -> Result<Answer, Error> {
        let mut votes = Votes::default();
        // Features are computed on the CPU, as they were for training.
        let heard = async |windows| self.vote(&mut votes, windows).await;
        (self.input)
            .each_windows(&Device::cpu(), clip, name, heard)
            .await?;
        Ok(Answer::new(&self.labels, mean(votes.sums)?, Vec::new()))
    }

    async fn vote(&self, votes: &mut Votes, windows: Windows) -> Result<(), Error> {
        let (network, normalisation) = (&self.network, &self.normalisation);
        votes
            .add(network, normalisation, self.at_once(AT_ONCE), windows)
            .await
    }
}

impl std::fmt::Debug for Classifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Classifier")
            .field("labels", &self.labels)
            .field("device", &self.network.device())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::Architecture;
    use serde_json::json;

    #[test]
    fn a_small_file_cannot_ask_for_all_memory() {
        let branch = [json!({"kind": "Pad2d", "padding": 23_000})];
        let branches: Vec<_> = (0..64).map(|_| &branch).collect();
        let layers = json!([
            {"kind": "Parallel", "combine": "add", "branches": branches},
            {"kind": "GlobalAvgPool"},
            {"kind": "Linear", "out_features": 2},
        ]);
        let mut input = json!({"frames": 128, "features": {"n_mels": 128}});
        let text = json!({"input": [1, 128, 128], "layers": layers}).to_string();
        let architecture = Architecture::from_json(&text).unwrap();
        let network = |layers: &str| {
            let small = format!(r#"{{"input": [1, 128, 128], "layers": {layers}}}"#);
            Network::new(&Architecture::from_json(&small).unwrap(), &Device::cpu(), 1).unwrap()
        };
        // The same weights: nothing is computed for this file.
        let small =
            network(r#"[{"kind": "GlobalAvgPool"}, {"kind": "Linear", "out_features": 2}]"#);
        let mut file = ModelFile::new(&small, vec!["a".into(), "b".into()]).unwrap();
        file.normalisation = serde_json::to_value(Normalisation::default()).unwrap();
        let load = |file: &ModelFile| Classifier::from_bytes(&file.to_bytes().unwrap());
        file.features = input.clone();
        load(&file).unwrap();
        let error = load(&ModelFile {
            architecture,
            ..file.clone()
        })
        .unwrap_err();
        assert!(
            error.to_string().contains("does not fit: inference takes"),
            "{error}"
        );
        assert!(error.hint().unwrap().contains("smaller network"));

        input["seconds"] = json!(1e-5);
        let error = load(&ModelFile {
            features: input,
            ..file
        })
        .unwrap_err();
        assert!(error.to_string().contains("less than a frame"), "{error}");
    }
}
