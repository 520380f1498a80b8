//! `melgrad classify`

use crate::failure::Failure;
use crate::options::{DeviceArgs, SegmentArgs};
use crate::terminal;
use clap::Args;
use melgrad::audio::Segment;
use melgrad::models::run::pipeline::TrainedModel;
use melgrad::models::table::audio_files;
use melgrad::{Classifier, Guess};
use serde::Serialize;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

/// Classify the genre of audio files, with probabilities
#[derive(Debug, Args)]
#[command(
    after_help = "A file that cannot be read gets an error on standard error; the others are still classified. The exit code is then 1.\n\nExamples:\n  melgrad classify song.mp3\n  melgrad classify song.mp3 --model run/best.safetensors\n  \
                        melgrad classify music/ --model run --top 1 --json"
)]
pub struct Classify {
    /// Audio files, or folders with audio files below them
    #[arg(value_name = "IN", required = true)]
    inputs: Vec<PathBuf>,
    /// Model: a run, or its best.safetensors or model.json [default: the model that ships, with ten genres]
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// Number of genres to print, most likely first
    #[arg(long, value_name = "K", default_value = "3")]
    top: NonZeroUsize,
    /// Print one JSON document: a list of {"file", "label", "probability", "top": [{"label", "probability"}]}, or
    /// {"file", "error"} for a file that cannot be read
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    part: SegmentArgs,
    #[command(flatten)]
    device: DeviceArgs,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Row {
    Answer {
        file: String,
        label: String,
        probability: f64,
        top: Vec<Guess>,
    },
    Error {
        file: String,
        error: String,
    },
}

impl Classify {
    pub fn run(self) -> Result<(), Failure> {
        let part = self.part.segment()?;
        let files = audio_files(&self.inputs, &mut |skipped| terminal::warning(&skipped))?;
        let device = self.device.open()?;
        let trained = match &self.model {
            Some(model) => TrainedModel::load(model, &device)?,
            None => TrainedModel::Network(Classifier::shipped_on(&device)?),
        };
        let stop = crate::interrupt::flag();
        let mut rows = Vec::new();
        for file in &files {
            if stop.load(std::sync::atomic::Ordering::Relaxed) {
                break;
            }
            let row = self.row(&trained, file, &part);
            if let Row::Error { error, .. } = &row {
                terminal::error(error, None);
            } else if !self.json {
                terminal::print_named(file, &guesses(&row))?;
            }
            rows.push(row);
        }
        if self.json {
            terminal::print_json(&rows)?;
        }
        if rows.len() < files.len() {
            return Err(Failure::new(format!(
                "stopped by Ctrl-C after {} of {} files",
                rows.len(),
                files.len()
            )));
        }
        match rows.iter().any(|row| matches!(row, Row::Error { .. })) {
            true => Err(Failure::told()),
            false => Ok(()),
        }
    }

    fn row(&self, trained: &TrainedModel, path: &Path, part: &Segment) -> Row {
        let file = path.display().to_string();
        match trained.classify_segment(path, part) {
            Ok(answer) => {
                for warning in &answer.warnings {
                    terminal::warning(warning);
                }
                Row::Answer {
                    file,
                    label: answer.best().label.clone(),
                    probability: answer.best().probability,
                    top: answer.top(self.top.get()).to_vec(),
                }
            }
            Err(error) => Row::Error {
                file,
                error: terminal::one_line(&error.to_string()),
            },
        }
    }
}

/// Formats the answer: a tab and `blues 93.0 %, jazz 5.0 %`.
fn guesses(row: &Row) -> String {
    let Row::Answer { top, .. } = row else {
        return String::new();
    };
    let guess = |guess: &Guess| format!("{} {:.1} %", guess.label, 100.0 * guess.probability);
    let guesses: Vec<String> = top.iter().map(guess).collect();
    format!("\t{}", guesses.join(", "))
}
