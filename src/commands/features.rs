//! `melgrad features`

use crate::failure::Failure;
use crate::options::{DeviceArgs, FeatureArgs};
use crate::progress::Progress;
use crate::terminal;
use clap::Args;
use melgrad::models::table::{Format, Tabling, tabulate};
use std::path::PathBuf;

/// Features of files or folders as an array
#[derive(Debug, Args)]
#[command(
    after_help = "One file gives an array [bands, frames], several files or a folder [clips, bands, frames]; the \
                        names of the files are printed in the order of the clips. All clips must be equally long: \
                        --seconds cuts the longer ones and fills the shorter ones up with silence. A CSV has a row for \
                        every band of every clip. A file that cannot be used costs a warning.\n\nExamples:\n  \
                        melgrad features song.mp3 --out song.npy\n  \
                        melgrad features music/ --kind mel --n-mels 64 --seconds 30 --out music.npy\n  \
                        melgrad features song.wav --kind stft --n-fft 1024 --hop 256 --out song.csv"
)]
pub struct Features {
    /// Audio files; folders, for all the audio below them
    #[arg(value_name = "IN", required = true)]
    inputs: Vec<PathBuf>,
    /// The file to write: .npy (NumPy, 32-bit floats) or .csv
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    features: FeatureArgs,
    /// Cut every clip, or fill it up with silence, to this length
    #[arg(long, value_name = "S", allow_negative_numbers = true)]
    seconds: Option<f64>,
    #[command(flatten)]
    device: DeviceArgs,
}

impl Features {
    pub fn run(self) -> Result<(), Failure> {
        if let Err(error) = Format::of(&self.out) {
            return Err(Failure::usage(format!("--out {error}")));
        }
        let settings = self.features.settings()?;
        let device = self.device.open()?;
        let tabling = Tabling {
            inputs: &self.inputs,
            settings: &settings,
            seconds: self.seconds,
        };
        let table = Progress::new()
            .watch(|control| tabulate(&tabling, &device, control))
            .map_err(|error| {
                let needs_length = error.to_string().contains("one array needs one length");
                let failure = Failure::from(error);
                match needs_length {
                    true => failure.hint("--seconds S brings every clip to one length"),
                    false => failure,
                }
            })?;
        table.write(&self.out)?;
        let shape: Vec<String> = table.shape().iter().map(usize::to_string).collect();
        terminal::note(&format!("{}: [{}]", self.out.display(), shape.join(", ")));
        table
            .files
            .iter()
            .try_for_each(|file| terminal::print_path(file))
    }
}
