//! `melgrad synth`

use crate::failure::Failure;
use crate::options::{self, ThreadArgs, count};
use crate::progress::Progress;
use crate::terminal;
use clap::Args;
use melgrad::audio::synth::{GENRES, MAX_SECONDS};
use melgrad::models::run::demo::{Synthesis, synthesise};
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// Write synthetic music as WAV files in genre folders; the same seed gives the same files
#[derive(Debug, Args)]
#[command(
    after_help = "The music is made by melgrad itself, for demonstrations and tests: a network that tells its ten \
                        kinds apart has learned this synthesiser, not music.\n\nExample:\n  melgrad synth --out music \
                        --clips 200 --seconds 5"
)]
pub struct Synth {
    /// Folder to write, with one folder per genre. It must be new or empty
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Number of clips, spread over the ten genres
    #[arg(long, value_name = "N", default_value = "100")]
    clips: NonZeroUsize,
    /// Length of a clip, in seconds
    #[arg(long, value_name = "S", default_value = "5", value_parser = seconds)]
    seconds: f32,
    /// Sample rate in Hz
    #[arg(long, value_name = "HZ", default_value = "22050", value_parser = clap::value_parser!(u32).range(1000..=192_000))]
    sr: u32,
    /// Random seed
    #[arg(long, value_name = "N", default_value = "0", value_parser = options::seed)]
    seed: u64,
    #[command(flatten)]
    threads: ThreadArgs,
}

impl Synth {
    pub fn run(self) -> Result<(), Failure> {
        self.threads.apply();
        // Clips of another seed or number among the new ones would make a dataset that no command reproduces.
        if std::fs::read_dir(&self.out).is_ok_and(|mut entries| entries.next().is_some()) {
            return Err(Failure::new(format!(
                "--out {}: the folder is not empty",
                self.out.display()
            ))
            .hint("give a folder that is not there yet"));
        }
        let synthesis = Synthesis {
            dir: &self.out,
            clips: self.clips.get(),
            seconds: self.seconds,
            sample_rate: self.sr,
            seed: self.seed,
        };
        let files = Progress::new().watch(|control| synthesise(&synthesis, control))?;
        let genres = count(GENRES.len().min(files.len()), "genre");
        terminal::note(&format!(
            "{} of synthetic music, {genres}",
            count(files.len(), "clip")
        ));
        terminal::print_path(&self.out)
    }
}

fn seconds(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(seconds) if seconds > 0.0 && seconds <= MAX_SECONDS => Ok(seconds),
        _ => Err(format!(
            "a length is a number of seconds, above 0 and at most {MAX_SECONDS}"
        )),
    }
}
