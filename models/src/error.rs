//! Error type of this crate.

use std::path::{Path, PathBuf};

/// All errors of this crate.
///
/// The message is one line that names the file or the setting; [`Error::hint`] says what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system could not read or write a file.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// Operation: "read", "write", "list".
        action: &'static str,
        /// File or folder.
        path: PathBuf,
        /// Message of the operating system.
        source: std::io::Error,
    },
    /// The content of a file is invalid.
    #[error("{}: {reason}", path.display())]
    Malformed {
        /// File.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The dataset cannot be used.
    #[error("{}: {reason}", dir.display())]
    Dataset {
        /// Folder of the dataset.
        dir: PathBuf,
        /// What is wrong with it.
        reason: String,
        /// What to do about it.
        hint: &'static str,
    },
    /// A setting has an invalid value.
    #[error("{name}: {reason}")]
    Setting {
        /// Setting as a recipe spells it, for example `training.epochs`.
        name: &'static str,
        /// What is wrong with its value.
        reason: String,
    },
    /// A clip's features could not be computed.
    #[error("{}", of_clip(name, source))]
    Features {
        /// Name of the clip.
        name: String,
        /// Cause.
        source: audio::Error,
    },
    /// A file could not be decoded; the message names it.
    #[error(transparent)]
    Audio(#[from] audio::Error),
    /// Error of a network, its weights or a device.
    #[error(transparent)]
    Engine(#[from] engine::Error),
    /// A model file that cannot be used.
    #[error("{name}: {source}")]
    Model {
        /// File.
        name: String,
        /// What is wrong with it.
        source: engine::Error,
    },
    /// The device ran out of memory during a training.
    #[error("a batch of {batch} does not fit the device: {source}")]
    OutOfMemory {
        /// Batch size.
        batch: usize,
        /// Message of the device.
        source: engine::Error,
    },
    /// The network's outputs are no longer finite.
    #[error(
        "training went astray: the answers in epoch {epoch}, step {step} are no finite numbers"
    )]
    Diverged {
        /// Number of the epoch, counted from 1.
        epoch: usize,
        /// Number of the step, counted from 1.
        step: usize,
    },
    /// A setting given by the user does not exist, or has no such value.
    #[error("{key} = {value}: {reason}")]
    Override {
        /// Setting: `training.epochs`.
        key: String,
        /// Value given.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Values that must be finite are not.
    #[error("{what}: not a finite number")]
    NotFinite {
        /// Description of the values.
        what: String,
    },
    /// A new run would overwrite another.
    #[error("{}: a run is there already", dir.display())]
    RunExists {
        /// Folder of the run.
        dir: PathBuf,
    },
    /// Another process writes the run's folder.
    #[error("{}: {} is training in this folder", dir.display(), process_name(*process))]
    Locked {
        /// Folder of the run.
        dir: PathBuf,
        /// Id of the other process, if the system tells it.
        process: Option<u32>,
    },
    /// The user stopped the work: nothing is wrong, and what was done is kept.
    #[error("stopped")]
    Stopped,
    /// No shipped recipe has this name.
    #[error("no recipe is called {name:?}")]
    UnknownRecipe {
        /// Name given.
        name: String,
        /// Shipped recipe with the most similar name, if one is similar.
        nearest: Option<&'static str>,
    },
    /// A classifier could not be fitted.
    #[error("classifier {name}: {reason}")]
    Classifier {
        /// Classifier as a recipe spells it.
        name: &'static str,
        /// Cause.
        reason: String,
    },
    /// A learning-rate sweep found no good rate.
    #[error("no learning rate is found: {reason}")]
    NoRate {
        /// Cause.
        reason: &'static str,
    },
    /// No benchmark row has such a name.
    #[error("nothing that is measured has a name that begins with {filter:?}")]
    Bench {
        /// Prefix given.
        filter: String,
    },
}

impl Error {
    /// Returns what the user can do about it, if there is advice.
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

    /// Names the file in an error of the engine.
    pub(crate) fn model(name: impl Into<String>) -> impl FnOnce(engine::Error) -> Error {
        let name = name.into();
        move |source| Error::Model { name, source }
    }

    /// Names the file in an error of its settings.
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

    /// Wraps an I/O error with the operation and the path.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl Fn(std::io::Error) -> Error {
        let path = path.to_path_buf();
        move |source| Error::Io {
            action,
            path: path.clone(),
            source,
        }
    }
}

/// Returns the problem of a clip with the clip's name: the audio crate does not know it and says "clip".
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
