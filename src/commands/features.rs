//! `melgrad features`

use crate::failure::Failure;
use crate::options::{DeviceArgs, FeatureArgs, SegmentArgs, cache_dir};
use crate::progress::Progress;
use crate::terminal;
use clap::Args;
use melgrad::models::table::{Format, Shard, Tabling, join, tabulate};
use std::path::PathBuf;

/// Features of files or folders as an array
#[derive(Debug, Args)]
#[command(
    after_help = "One file gives an array [bands, frames], several files or a folder [clips, bands, frames]; the \
                        names of the files are printed in the order of the clips. All clips must be equally long: \
                        --seconds cuts the longer ones and fills the shorter ones up with silence. .csv and .parquet have \
                        a row for every band of every clip; but of --kind gtzan, fma and tempo, and with --statistics, a \
                        row for every clip, with names for its columns and its folder as the label: `melgrad train \
                        --data` reads such a .csv. A file that cannot be used costs a warning. Features are kept in the user's cache, so \
                        that work which was stopped goes on where it was.\n\nFor a folder too large for one machine, \
                        --shard I/N does the I-th of N parts of the files: a .npy part is an array of its own, a .csv \
                        part but the first has no head, a .parquet part is a file of its own. --join puts parts together, \
                        byte for byte what one machine would have written.\n\nExamples:\n  \
                        melgrad features song.mp3 --out song.npy\n  \
                        melgrad features music/ --kind mel --n-mels 64 --seconds 30 --out music.npy\n  \
                        melgrad features song.wav --kind stft --n-fft 1024 --hop 256 --out song.csv\n  \
                        melgrad features music/ --kind mfcc --statistics mean,var --out table.csv\n  \
                        melgrad features music/ --seconds 30 --shard 1/2 --out part1.npy\n  \
                        melgrad features --join part1.npy part2.npy --out music.npy"
)]
pub struct Features {
    /// Audio files; folders, for all the audio below them
    #[arg(value_name = "IN", required = true)]
    inputs: Vec<PathBuf>,
    /// The file to write: .npy (NumPy, 32-bit floats), .csv or .parquet
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    features: FeatureArgs,
    /// Cut every clip, or fill it up with silence, to this length
    #[arg(long, value_name = "S", allow_negative_numbers = true)]
    seconds: Option<f64>,
    /// Only the I-th of N parts of the files
    #[arg(long, value_name = "I/N", default_value = "1/1", value_parser = shard, allow_hyphen_values = true)]
    shard: Shard,
    /// Put parts that --shard made together: IN are those parts, in their order
    #[arg(long, conflicts_with_all = ["shard", "seconds", "offset", "duration", "kind", "preset", "sr", "n_fft",
        "window", "hop", "n_mels", "n_mfcc", "deltas", "statistics", "no_cache", "device", "checked", "threads"])]
    join: bool,
    /// Keep no features on disk
    #[arg(long)]
    no_cache: bool,
    #[command(flatten)]
    part: SegmentArgs,
    #[command(flatten)]
    device: DeviceArgs,
}

fn shard(text: &str) -> Result<Shard, String> {
    let parts = text.split_once('/').map(|(i, n)| (i.parse(), n.parse()));
    match parts {
        Some((Ok(index), Ok(count))) if (1..=count).contains(&index) => Ok(Shard { index, count }),
        _ => Err("a part is I/N, from 1/N to N/N".into()),
    }
}

impl Features {
    pub fn run(self) -> Result<(), Failure> {
        if let Err(error) = Format::of(&self.out) {
            let failure = Failure::usage(format!("--out {error}"));
            return Err(match error.to_string().contains("feature `parquet`") {
                true => failure.hint("`cargo build --release --features parquet` has Parquet"),
                false => failure,
            });
        }
        if self.join {
            join(&self.inputs, &self.out)?;
            return terminal::print_path(&self.out);
        }
        let settings = self.features.settings()?;
        let segment = self.part.segment()?;
        let device = self.device.open()?;
        let cache = cache_dir(self.no_cache);
        let tabling = Tabling {
            inputs: &self.inputs,
            settings: &settings,
            segment,
            seconds: self.seconds,
            shard: self.shard,
            cache: cache.as_deref(),
        };
        let table = Progress::new()
            .watch(|control| tabulate(&tabling, &device, &self.out, control))
            .map_err(|error| {
                let needs_length = error.to_string().contains("one array needs one length");
                let failure = Failure::from(error);
                match needs_length {
                    true => failure.hint("--seconds S brings every clip to one length"),
                    false => failure,
                }
            })?;
        let shape: Vec<String> = table.shape.iter().map(usize::to_string).collect();
        terminal::note(&format!("{}: [{}]", self.out.display(), shape.join(", ")));
        table
            .files
            .iter()
            .try_for_each(|file| terminal::print_path(file))
    }
}
