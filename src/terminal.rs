//! What is printed where: data on standard output, everything else on standard error.

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

/// A line on standard error. That it cannot be written is no reason to stop.
pub fn note(text: &str) {
    let _ = writeln!(std::io::stderr(), "{}", one_line(text));
}

/// A warning on standard error.
pub fn warning(text: &str) {
    labelled("warning", YELLOW, text);
}

/// An error and its hint on standard error.
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

/// Control characters, which a file's name may hold, as escapes: a message stays one line and cannot drive a terminal.
pub fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.trim_end().chars() {
        match c {
            c if c.is_control() => line.extend(c.escape_default()),
            c => line.push(c),
        }
    }
    line
}

/// Data on standard output. A reader that has gone away (`| head`) has what it wanted.
pub fn print(text: &str) -> Result<(), Failure> {
    print_bytes(text.as_bytes())
}

/// [`print()`] for names of files, which need not be UTF-8.
pub fn print_bytes(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
        Err(error) => Err(Failure::new(format!(
            "cannot write to standard output: {error}"
        ))),
    }
}

/// A path on standard output, as the system spells it.
pub fn print_path(path: &Path) -> Result<(), Failure> {
    let mut bytes = path.as_os_str().as_encoded_bytes().to_vec();
    bytes.push(b'\n');
    print_bytes(&bytes)
}

/// Help, coloured where somebody sees it.
pub fn print_styled(text: &StyledStr) -> Result<(), Failure> {
    match wants_colour() && std::io::stdout().is_terminal() {
        true => print(&text.ansi().to_string()),
        false => print(&text.to_string()),
    }
}

/// One JSON document on standard output.
pub fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    match serde_json::to_string_pretty(value) {
        Ok(text) => print(&(text + "\n")),
        Err(error) => Err(Failure::new(format!("--json: {error}"))),
    }
}
