//! `melgrad features`

use crate::failure::Failure;
use crate::options::{DeviceArgs, FeatureArgs, SegmentArgs, cache_dir};
use crate::progress::Progress;
use crate::terminal;
use clap::Args;
use melgrad::models::table::{Format, Shard, Tabling, join, tabulate};
use std::path::PathBuf;

/// Compute features of files or folders, as one array
#[derive(Debug, Args)]
#[command(
    after_help = "One file gives an array [bands, frames], several files or a folder [clips, bands, frames]; the \
                        names of the files are printed in the order of the clips. All clips must be equally long: \
                        --seconds cuts the longer ones and zero-pads the shorter ones. .csv and .parquet have \
                        a row for every band of every clip; but of --kind gtzan, fma and tempo, and with --statistics, a \
                        row for every clip, with names for its columns and its folder as the label: `melgrad train \
                        --data` reads such a .csv. A file that cannot be read is left out with a warning. Features are cached, so a stopped command continues where it was.\n\nFor a folder too large for one machine, \
                        --shard I/N does the I-th of N parts of the files. Parts have about as many bytes of sound, and \
                        take files from all over the list. `--shard auto` in a SLURM job array does the part of the \
                        task: N is SLURM_ARRAY_TASK_COUNT, I the task's place in the array. A .npy part is an array \
                        of its own, a .csv part but the first has no head, a .parquet part is a file of its own; a \
                        file ending in .order beside each says where its clips belong. --join reads both and writes \
                        byte for byte what one machine would have written.\n\nExamples:\n  \
                        melgrad features song.mp3 --out song.npy\n  \
                        melgrad features music/ --kind mel --n-mels 64 --seconds 30 --out music.npy\n  \
                        melgrad features song.wav --kind stft --n-fft 1024 --hop 256 --out song.csv\n  \
                        melgrad features music/ --kind mfcc --statistics mean,var --out table.csv\n  \
                        melgrad features music/ --seconds 30 --shard 1/2 --out part1.npy\n  \
                        melgrad features --join part1.npy part2.npy --out music.npy"
)]
pub struct Features {
    /// Audio files, or folders with audio files below them
    #[arg(value_name = "IN", required = true)]
    inputs: Vec<PathBuf>,
    /// File to write: .npy (NumPy, 32-bit floats), .csv or .parquet
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    features: FeatureArgs,
    /// Cut or zero-pad every clip to this length, in seconds
    #[arg(long, value_name = "S", allow_negative_numbers = true)]
    seconds: Option<f64>,
    /// Process only part I of N of the files; `auto` takes both from a SLURM job array
    #[arg(long, value_name = "I/N", default_value = "1/1", value_parser = shard, allow_hyphen_values = true)]
    shard: Shard,
    /// Join the parts that --shard wrote: IN are the parts, in order
    #[arg(long, conflicts_with_all = ["shard", "seconds", "offset", "duration", "kind", "preset", "sr", "n_fft",
        "window", "hop", "n_mels", "n_mfcc", "fmin", "fmax", "power", "top_db", "deltas", "statistics", "no_cache", "device", "checked", "threads"])]
    join: bool,
    /// Do not cache features on disk
    #[arg(long)]
    no_cache: bool,
    #[command(flatten)]
    part: SegmentArgs,
    #[command(flatten)]
    device: DeviceArgs,
}

fn shard(text: &str) -> Result<Shard, String> {
    if text == "auto" {
        return slurm_task(|name| std::env::var(name).ok());
    }
    let parts = text.split_once('/').map(|(i, n)| (i.parse(), n.parse()));
    match parts {
        Some((Ok(index), Ok(count))) => part(index, count),
        _ => Err("a part is I/N, from 1/N to N/N, or auto".into()),
    }
}

fn part(index: usize, count: usize) -> Result<Shard, String> {
    match (1..=count).contains(&index) {
        true => Ok(Shard { index, count }),
        false => Err(format!(
            "part {index} of {count}; a part is I/N, from 1/N to N/N"
        )),
    }
}

/// Returns the shard of a task in a SLURM job array: its index among the tasks, whose ids are evenly spaced.
fn slurm_task(variable: impl Fn(&str) -> Option<String>) -> Result<Shard, String> {
    let number = |name: &str| -> Result<Option<usize>, String> {
        let Some(text) = variable(name) else {
            return Ok(None);
        };
        let wrong = |_| format!("{name} is `{text}`, not a whole number");
        text.parse().map(Some).map_err(wrong)
    };
    let needed = |name: &str| {
        let missing = || format!("auto needs {name}, which a SLURM job array sets");
        number(name)?.ok_or_else(missing)
    };
    let task = needed("SLURM_ARRAY_TASK_ID")?;
    let count = needed("SLURM_ARRAY_TASK_COUNT")?;
    let first = needed("SLURM_ARRAY_TASK_MIN")?;
    let step = number("SLURM_ARRAY_TASK_STEP")?.unwrap_or(1).max(1);
    match task.checked_sub(first) {
        Some(place) if place.is_multiple_of(step) && place / step < count => {
            part(place / step + 1, count)
        }
        _ => Err(format!(
            "task {task} is none of {count} tasks from {first} on in steps of {step}"
        )),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_of_a_job_array_is_a_part() {
        let task = |[id, count, min, step]: [&str; 4]| {
            slurm_task(|name| {
                let text = match name {
                    "SLURM_ARRAY_TASK_ID" => id,
                    "SLURM_ARRAY_TASK_COUNT" => count,
                    "SLURM_ARRAY_TASK_MIN" => min,
                    "SLURM_ARRAY_TASK_STEP" => step,
                    _ => "",
                };
                (!text.is_empty()).then(|| text.into())
            })
        };
        let shard = |index, count| Ok(Shard { index, count });
        assert_eq!(task(["0", "4", "0", "1"]), shard(1, 4));
        assert_eq!(task(["4", "4", "1", ""]), shard(4, 4));
        assert_eq!(task(["7", "3", "1", "3"]), shard(3, 3));
        for (wrong, words) in [
            (["", "4", "0", "1"], "SLURM_ARRAY_TASK_ID"),
            (["1", "", "0", "1"], "SLURM_ARRAY_TASK_COUNT"),
            (["x", "4", "0", "1"], "`x`"),
            (["4", "4", "0", "1"], "task 4 is none of 4"),
            (["2", "3", "1", "3"], "steps of 3"),
            (["0", "3", "1", "1"], "from 1 on"),
        ] {
            let error = task(wrong).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
    }
}
