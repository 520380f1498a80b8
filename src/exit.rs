//! End of the program: errors on standard error, and the exit code.

use crate::failure::{Failure, USAGE};
use crate::terminal;
use std::process::ExitCode;

/// Prints the failure on standard error. Wrong usage always gets a hint: `usage`, if the failure has none.
pub fn report(failure: Failure, usage: impl FnOnce() -> String) -> ExitCode {
    if !failure.message.is_empty() {
        let hint = failure.hint.or_else(|| (failure.code == USAGE).then(usage));
        terminal::error(&failure.message, hint.as_deref());
    }
    ExitCode::from(failure.code)
}

/// Turns clap's error into one line, with its tip as the hint. Help and version are errors to clap, but data here.
pub fn from_clap(error: &clap::Error) -> Result<(), Failure> {
    use clap::error::ErrorKind;
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            return terminal::print_styled(&error.render());
        }
        // `melgrad` without arguments asks for help: not an error.
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
