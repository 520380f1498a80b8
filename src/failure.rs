//! What went wrong: one line that names the file or the flag, a hint, an exit code.

use crate::terminal;
use melgrad::{audio, engine, kernels, models};
use std::path::Path;
use std::process::ExitCode;

/// The exit code of work that failed.
pub const FAILED: u8 = 1;
/// The exit code of a command that makes no sense as it was given.
pub const USAGE: u8 = 2;

/// Why a command ended early.
#[derive(Debug)]
pub struct Failure {
    /// One line; empty where everything has been said already.
    message: String,
    hint: Option<String>,
    code: u8,
}

impl Failure {
    /// Something that could not be done.
    pub fn new(message: impl Into<String>) -> Self {
        Failure {
            message: message.into(),
            hint: None,
            code: FAILED,
        }
    }

    /// A flag or argument that makes no sense.
    pub fn usage(message: impl Into<String>) -> Self {
        Failure {
            code: USAGE,
            ..Failure::new(message)
        }
    }

    /// Part of the work failed, each part with a line of its own.
    pub fn told() -> Self {
        Failure::new("")
    }

    /// The same with what the user can do about it.
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Failure {
            hint: Some(hint.into()),
            ..self
        }
    }

    /// What ended work with the network in this file: the file is named where one of its layers is what is wrong.
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

    /// Says what is wrong on standard error. Wrong usage always gets a hint.
    pub fn report(self) -> ExitCode {
        if !self.message.is_empty() {
            let hint = self.hint.or_else(|| (self.code == USAGE).then(help));
            terminal::error(&self.message, hint.as_deref());
        }
        ExitCode::from(self.code)
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

/// clap's error on one line with its tip as the hint; help and version, which clap calls errors too, are data.
pub fn from_clap(error: &clap::Error) -> Result<(), Failure> {
    use clap::error::ErrorKind;
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            return terminal::print_styled(&error.render());
        }
        // `melgrad` alone is a question, not a mistake.
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand if std::env::args_os().len() == 1 => {
            return terminal::print_styled(&error.render());
        }
        _ => {}
    }
    let text = error.render().to_string();
    let (mut message, mut tip) = (Vec::new(), None);
    for line in text.lines().map(str::trim) {
        if line.starts_with("Usage:") || line.starts_with("For more information") {
            break;
        }
        match line.strip_prefix("tip: ") {
            Some(text) => tip = tip.or(Some(text.to_string())),
            None if !line.is_empty() && tip.is_none() => message.push(line),
            None => {}
        }
    }
    let message = message.join(" ");
    let message = message.strip_prefix("error: ").unwrap_or(&message);
    let failure = Failure::usage(message);
    Err(match tip {
        Some(tip) => failure.hint(tip),
        None => failure,
    })
}

/// Where the usage of this command is told.
fn help() -> String {
    let first = std::env::args_os()
        .nth(1)
        .and_then(|word| word.into_string().ok());
    match first.filter(|word| crate::commands::is_command(word)) {
        Some(command) => format!("`melgrad {command} --help` shows how it is used"),
        None => "`melgrad --help` lists the commands".into(),
    }
}
