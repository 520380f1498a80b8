//! `melgrad`: the command line. It parses, prints and sets the exit code; the library crates do the work.
//!
//! | file | holds |
//! | --- | --- |
//! | `main.rs` | from arguments to an exit code |
//! | `commands/` | one file per command |
//! | `options.rs` | flags that several commands share |
//! | `changes.rs` | flags that change a recipe |
//! | `terminal.rs` | output: data, notes, colour |
//! | `progress.rs` | progress bars with the time left, or plain lines |
//! | `interrupt.rs` | Ctrl-C and SIGTERM |
//! | `failure.rs` | failures: one line, a hint, an exit code |
//!
//! Data goes to standard output, everything else to standard error. Exit code 0: done, 1: failed, 2: wrong usage.

mod commands;
mod exit;
mod failure;
mod interrupt;
mod options;
mod overrides;
mod progress;
mod terminal;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    quiet_driver();
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(|l| format!(" at {}:{}", l.file(), l.line()))
            .unwrap_or_default();
        let payload = panic.payload();
        let text = payload.downcast_ref::<&str>().map(ToString::to_string);
        let text = text
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_default();
        terminal::error(
            &format!("a bug in melgrad{place}: {text}"),
            Some("please report it with the command that you gave"),
        );
        // Works on any thread: nothing is unwound (see `profile.release`).
        std::process::exit(failure::FAILED.into());
    }));
    let done = match commands::Cli::try_parse() {
        Ok(cli) => cli.command.run(),
        Err(error) => exit::from_clap(&error),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => exit::report(failure, commands::usage_hint),
    }
}

/// Without a desktop, Mesa's device-select layer makes libwayland print an `error:` line each time adapters are listed.
/// Users would take it for ours. melgrad does not need the layer: it ranks adapters itself.
fn quiet_driver() {
    if cfg!(target_os = "linux") && std::env::var_os("XDG_RUNTIME_DIR").is_none() {
        // SAFETY: this is the first statement of the program, on its only thread.
        unsafe { std::env::set_var("NODEVICE_SELECT", "1") };
    }
}
