//! Output: data on standard output, everything else on standard error.

use crate::failure::Failure;
use clap::builder::StyledStr;
use std::io::{ErrorKind, IsTerminal, Write};
use std::path::Path;

const RED: &str = "\x1b[1;31m";
const YELLOW: &str = "\x1b[33m";
const CYAN: &str = "\x1b[36m";
const PLAIN: &str = "\x1b[0m";

/// Whether standard error may be coloured.
pub fn colour() -> bool {
    wants_colour() && std::io::stderr().is_terminal()
}

/// <https://no-color.org>: set and not empty means no colour.
fn wants_colour() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Prints a line on standard error. Errors of writing are ignored.
pub fn note(text: &str) {
    let _ = writeln!(std::io::stderr(), "{}", one_line(text));
}

/// Prints a warning on standard error.
pub fn warning(text: &str) {
    labelled("warning", YELLOW, text);
}

/// Prints an error and its hint on standard error.
pub fn error(text: &str, hint: Option<&str>) {
    labelled("error", RED, text);
    if let Some(hint) = hint {
        labelled("hint", CYAN, hint);
    }
}

fn labelled(label: &str, shade: &str, text: &str) {
    let text = one_line(text);
    let _ = match colour() {
        true => writeln!(std::io::stderr(), "{shade}{label}:{PLAIN} {text}"),
        false => writeln!(std::io::stderr(), "{label}: {text}"),
    };
}

/// Escapes control characters, which a file's name may contain. A message stays one line and cannot control a terminal.
pub fn one_line(text: &str) -> String {
    escaped(text.trim_end(), "")
}

/// Escapes control characters other than those in `plain`.
fn escaped(text: &str, plain: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c.is_control() && !plain.contains(c) {
            true => safe.extend(c.escape_default()),
            false => safe.push(c),
        }
    }
    safe
}

/// Prints data on standard output. In a terminal, control characters other than line ends and tabs are escaped.
pub fn print(text: &str) -> Result<(), Failure> {
    match std::io::stdout().is_terminal() {
        true => print_bytes(escaped(text, "\n\t").as_bytes()),
        false => print_bytes(text.as_bytes()),
    }
}

/// Prints a line on standard output that begins with a file's name: its exact bytes, or, in a terminal, with control
/// characters escaped.
pub fn print_named(path: &Path, rest: &str) -> Result<(), Failure> {
    let name = match std::io::stdout().is_terminal() {
        true => escaped(&path.to_string_lossy(), "").into_bytes(),
        false => path.as_os_str().as_encoded_bytes().to_vec(),
    };
    print_bytes(&[&name, rest.as_bytes(), b"\n"].concat())
}

/// Writes the bytes unchanged. A closed pipe (`| head`) is not an error.
fn print_bytes(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
        Err(error) => Err(Failure::new(format!(
            "cannot write to standard output: {error}"
        ))),
    }
}

/// Prints a path on standard output: see [`print_named`].
pub fn print_path(path: &Path) -> Result<(), Failure> {
    print_named(path, "")
}

/// Prints help, coloured in a terminal.
pub fn print_styled(text: &StyledStr) -> Result<(), Failure> {
    match wants_colour() && std::io::stdout().is_terminal() {
        true => print_bytes(text.ansi().to_string().as_bytes()),
        false => print(&text.to_string()),
    }
}

/// Prints one JSON document on standard output.
pub fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    match serde_json::to_string_pretty(value) {
        Ok(text) => print_bytes((text + "\n").as_bytes()),
        Err(error) => Err(Failure::new(format!("--json: {error}"))),
    }
}
