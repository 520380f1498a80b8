//! Failure of a command: one line that names the file or the flag, a hint, an exit code.

use melgrad::{audio, engine, kernels, models};
use std::path::Path;

/// Exit code if the work failed.
pub const FAILED: u8 = 1;
/// Exit code if the command line is wrong.
pub const USAGE: u8 = 2;

/// Why a command ended early.
#[derive(Debug)]
pub struct Failure {
    /// One line; empty if the errors have already been printed.
    pub message: String,
    pub hint: Option<String>,
    pub code: u8,
}

impl Failure {
    /// Failure of the work.
    pub fn new(message: impl Into<String>) -> Self {
        Failure {
            message: message.into(),
            hint: None,
            code: FAILED,
        }
    }

    /// Failure because of a wrong flag or argument.
    pub fn usage(message: impl Into<String>) -> Self {
        Failure {
            code: USAGE,
            ..Failure::new(message)
        }
    }

    /// Failure of part of the work, where each error has already been printed.
    pub fn told() -> Self {
        Failure::new("")
    }

    /// Adds a hint: what the user can do about it.
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Failure {
            hint: Some(hint.into()),
            ..self
        }
    }

    /// Failure while using the network in this file. The message names the file if one of its layers is wrong.
    pub fn with_network(file: &Path, error: models::Error) -> Self {
        use engine::Error::{Architecture, Layer};
        let named = matches!(error, models::Error::Engine(Architecture(_) | Layer { .. }));
        let failure = Failure::from(error);
        let message = match named {
            true => format!("{}: {}", file.display(), failure.message),
            false => failure.message,
        };
        Failure { message, ..failure }
    }
}

impl From<kernels::Error> for Failure {
    fn from(error: kernels::Error) -> Self {
        let failure = Failure::new(error.to_string());
        match error {
            kernels::Error::NoDevice { .. } => {
                failure.hint("`melgrad doctor` lists the devices of this machine")
            }
            kernels::Error::OutOfMemory { .. } => failure.hint(
                "another --device may have more; a training needs less with --set training.batch=N",
            ),
            kernels::Error::DeviceLost { .. } => failure.hint("try again, or use --device cpu"),
            _ => failure,
        }
    }
}

impl From<engine::Error> for Failure {
    fn from(error: engine::Error) -> Self {
        match error.cause() {
            engine::Error::Kernel(cause) => Failure {
                message: error.to_string(),
                ..cause.clone().into()
            },
            _ => Failure::new(error.to_string()),
        }
    }
}

impl From<audio::Error> for Failure {
    fn from(error: audio::Error) -> Self {
        match error {
            audio::Error::Kernel(error) => error.into(),
            audio::Error::Settings(_) => Failure::usage(error.to_string()),
            error => Failure::new(error.to_string()),
        }
    }
}

impl From<models::Error> for Failure {
    fn from(error: models::Error) -> Self {
        use models::Error::{Audio, Bench, Engine, Features, Override, Setting, UnknownRecipe};
        let (message, hint) = (error.to_string(), error.hint());
        let failure = match error {
            UnknownRecipe { .. } | Setting { .. } | Override { .. } | Bench { .. } => {
                Failure::usage(message)
            }
            Engine(error) => error.into(),
            Audio(error) => error.into(),
            Features {
                source: audio::Error::Kernel(error),
                ..
            } => Failure {
                message,
                ..error.into()
            },
            _ => Failure::new(message),
        };
        match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}
