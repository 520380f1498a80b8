//! Commands, one file each: flags, a call into the library, output.

mod bench;
mod classify;
mod convert;
mod demo;
mod doctor;
mod evaluate;
mod features;
mod lr_find;
mod recipes;
mod reproduce;
mod search;
mod spectrogram;
mod summary;
mod synth;
mod train;

use crate::failure::Failure;
use clap::{CommandFactory, Parser, Subcommand};

/// A deep-learning engine from scratch that classifies music by genre
#[derive(Debug, Parser)]
#[command(
    name = "melgrad",
    version,
    arg_required_else_help = true,
    max_term_width = 100,
    disable_help_subcommand = true,
    after_help = "Start with `melgrad demo`. `melgrad COMMAND --help` shows details and examples.\n\
                  Data goes to standard output, everything else to standard error. Exit code 0: done, 1: failed, \
                  2: wrong usage."
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

/// Command to run.
#[derive(Debug, Subcommand)]
pub enum Command {
    Demo(demo::Demo),
    Doctor(doctor::Doctor),
    Features(features::Features),
    Spectrogram(spectrogram::Spectrogram),
    Train(train::Train),
    Evaluate(evaluate::Evaluate),
    Classify(classify::Classify),
    LrFind(lr_find::LrFind),
    Search(search::Search),
    Recipes(recipes::Recipes),
    Reproduce(reproduce::Reproduce),
    Summary(summary::Summary),
    Import(convert::Import),
    Export(convert::Export),
    Bench(bench::Bench),
    Synth(synth::Synth),
}

impl Command {
    /// Runs the command.
    pub fn run(self) -> Result<(), Failure> {
        match self {
            Command::Demo(command) => command.run(),
            Command::Doctor(command) => command.run(),
            Command::Features(command) => command.run(),
            Command::Spectrogram(command) => command.run(),
            Command::Train(command) => command.run(),
            Command::Evaluate(command) => command.run(),
            Command::Classify(command) => command.run(),
            Command::LrFind(command) => command.run(),
            Command::Search(command) => command.run(),
            Command::Recipes(command) => command.run(),
            Command::Reproduce(command) => command.run(),
            Command::Summary(command) => command.run(),
            Command::Import(command) => command.run(),
            Command::Export(command) => command.run(),
            Command::Bench(command) => command.run(),
            Command::Synth(command) => command.run(),
        }
    }
}

/// Whether a command has this name.
fn is_command(name: &str) -> bool {
    Cli::command()
        .get_subcommands()
        .any(|command| command.get_name() == name)
}

/// Hint that names the help of the given command.
pub fn usage_hint() -> String {
    let first = std::env::args_os()
        .nth(1)
        .and_then(|word| word.into_string().ok());
    match first.filter(|word| is_command(word)) {
        Some(command) => format!("`melgrad {command} --help` shows how it is used"),
        None => "`melgrad --help` lists the commands".into(),
    }
}
