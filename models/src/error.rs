//! The one error type of this crate.

use std::path::{Path, PathBuf};

/// Everything that can go wrong between a folder of audio and a trained network.
///
/// The message is one line that names the file or the setting; [`Error::hint`]
/// says what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused to read or write a file.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried: "read", "write", "list".
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's own words.
        source: std::io::Error,
    },
    /// A file was read, but its content is not what it should be.
    #[error("{}: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The dataset cannot be used.
    #[error("{}: {reason}", dir.display())]
    Dataset {
        /// The dataset's folder.
        dir: PathBuf,
        /// What is wrong with it.
        reason: String,
        /// What to do about it.
        hint: &'static str,
    },
    /// A setting has a value that makes no sense.
    #[error("{name}: {reason}")]
    Setting {
        /// The setting as a recipe spells it, for example `training.epochs`.
        name: &'static str,
        /// What is wrong with its value.
        reason: String,
    },
    /// A clip's features could not be computed.
    #[error("{}", of_clip(name, source))]
    Features {
        /// The clip.
        name: String,
        /// Why.
        source: audio::Error,
    },
    /// A file could not be decoded; the message names it.
    #[error(transparent)]
    Audio(#[from] audio::Error),
    /// A network, its weights or a device refused.
    #[error(transparent)]
    Engine(#[from] engine::Error),
    /// A model file that cannot be used.
    #[error("{name}: {source}")]
    Model {
        /// The file.
        name: String,
        /// What is wrong with it.
        source: engine::Error,
    },
    /// The device's memory ran out in the middle of a training.
    #[error("a batch of {batch} does not fit the device: {source}")]
    OutOfMemory {
        /// Examples in the batch.
        batch: usize,
        /// What the device said.
        source: engine::Error,
    },
    /// The network's answers are no longer finite numbers.
    #[error(
        "training went astray: the answers in epoch {epoch}, step {step} are no finite numbers"
    )]
    Diverged {
        /// Counted from 1.
        epoch: usize,
        /// Counted from 1.
        step: usize,
    },
    /// A recipe's setting that was given by hand is not one, or has no such value.
    #[error("{key} = {value}: {reason}")]
    Override {
        /// The setting: `training.epochs`.
        key: String,
        /// What was given.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Numbers that should be finite are not.
    #[error("{what}: not a finite number")]
    NotFinite {
        /// Which numbers.
        what: String,
    },
    /// A new run would overwrite another.
    #[error("{}: a run is there already", dir.display())]
    RunExists {
        /// The folder.
        dir: PathBuf,
    },
    /// Another process writes the run's folder.
    #[error("{}: {} is training in this folder", dir.display(), process_name(*process))]
    Locked {
        /// The folder.
        dir: PathBuf,
        /// The other process, where the system tells.
        process: Option<u32>,
    },
    /// Somebody asked for an end: nothing is wrong, and what was done is kept.
    #[error("stopped")]
    Stopped,
    /// No recipe of this name ships with the program.
    #[error("no recipe is called {name:?}")]
    UnknownRecipe {
        /// The name that was asked for.
        name: String,
        /// The shipped recipe whose name is nearest, if one is near.
        nearest: Option<&'static str>,
    },
    /// A classifier could not be fitted.
    #[error("classifier {name}: {reason}")]
    Classifier {
        /// The classifier as a recipe spells it.
        name: &'static str,
        /// Why.
        reason: String,
    },
    /// A sweep over learning rates tells of none that is good.
    #[error("no learning rate is found: {reason}")]
    NoRate {
        /// Why.
        reason: &'static str,
    },
    /// Nothing that can be measured has such a name.
    #[error("nothing that is measured has a name that begins with {filter:?}")]
    Bench {
        /// What the name should begin with.
        filter: String,
    },
}

impl Error {
    /// What the user can do about it, where there is something to say.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::Io { source, .. } => match source.kind() {
                std::io::ErrorKind::StorageFull => Some("free some space, or choose another folder; nothing was left half-written".into()),
                std::io::ErrorKind::PermissionDenied => Some("check who may read and write there".into()),
                _ => None,
            },
            Error::Dataset { hint, .. } => Some((*hint).to_string()),
            Error::UnknownRecipe { nearest: Some(nearest), .. } => Some(format!("did you mean {nearest:?}? `melgrad recipes` lists all")),
            Error::OutOfMemory { batch: 1, .. }
            | Error::Engine(engine::Error::Batch { largest: 0, .. })
            | Error::Model { source: engine::Error::Batch { .. }, .. } => Some("a smaller network, or another --device".into()),
            Error::Engine(engine::Error::Batch { largest, .. }) => Some(format!("--set training.batch={largest}")),
            Error::OutOfMemory { batch, .. } => Some(format!("try --set training.batch={}", batch / 2)),
            Error::Diverged { .. } => Some("a smaller learning rate often helps: a tenth, by --set training.learning_rate=X".into()),
            Error::NoRate { .. } => Some("begin with a lower rate (--from), end with a higher one (--to), or take more --steps".into()),
            Error::Model { .. } => Some("a model file is the best.safetensors (or model.json) of a run".into()),
            Error::RunExists { .. } => Some("go on with it by --resume, or give another --out".into()),
            Error::Locked { .. } => Some("wait until it has ended, or give another --out".into()),
            Error::UnknownRecipe { .. } => Some("`melgrad recipes` lists all; a recipe of your own is given as a path ending in .toml".into()),
            Error::Bench { .. } => Some("names are those of kernels (conv2d, matmul), train_step, infer and extract".into()),
            _ => None,
        }
    }

    /// A refusal of the engine's, said of a file.
    pub(crate) fn model(name: impl Into<String>) -> impl FnOnce(engine::Error) -> Error {
        let name = name.into();
        move |source| Error::Model { name, source }
    }

    /// A mistake among the settings that a file holds, said of the file.
    #[cfg(feature = "report")]
    pub(crate) fn of(self, path: &Path) -> Error {
        Error::Malformed {
            path: path.into(),
            reason: self.to_string(),
        }
    }

    pub(crate) fn setting(name: &'static str, reason: impl Into<String>) -> Error {
        Error::Setting {
            name,
            reason: reason.into(),
        }
    }

    /// Wraps an I/O error with what was tried on which path.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl Fn(std::io::Error) -> Error {
        let path = path.to_path_buf();
        move |source| Error::Io {
            action,
            path: path.clone(),
            source,
        }
    }
}

/// What is wrong with a clip, under its name alone: the audio crate, which does not know it, says "clip".
fn of_clip(name: &str, source: &audio::Error) -> String {
    let text = source.to_string();
    let subjects = [format!("{name}: "), "clip: ".into()];
    let bare = (subjects.iter()).find_map(|subject| text.strip_prefix(subject.as_str()));
    format!("{name}: {}", bare.unwrap_or(&text))
}

fn process_name(process: Option<u32>) -> String {
    process.map_or("another process".into(), |id| format!("process {id}"))
}

impl From<kernels::Error> for Error {
    fn from(error: kernels::Error) -> Self {
        Error::Engine(error.into())
    }
}
