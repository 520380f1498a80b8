//! `melgrad spectrogram`

use crate::failure::Failure;
use crate::options::{DeviceArgs, FeatureArgs, SegmentArgs};
use crate::terminal;
use clap::Args;
use melgrad::audio::{self, Limits, Stream, plot};
use melgrad::models::Error;
use melgrad::models::base::files;
use std::path::PathBuf;

/// Plot features of an audio file, with axes: any kind of features but tables
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  melgrad spectrogram song.mp3 --out song.png\n  \
                        melgrad spectrogram song.mp3 --kind stft --out song.png\n  \
                        melgrad spectrogram song.mp3 --kind chroma --dark --out chroma.png\n  \
                        melgrad spectrogram song.mp3 --kind waveform --out wave.png"
)]
pub struct Spectrogram {
    /// An audio file
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// Output: PNG file
    #[arg(long, value_name = "FILE.png")]
    out: PathBuf,
    /// Dark theme
    #[arg(long)]
    dark: bool,
    #[command(flatten)]
    part: SegmentArgs,
    #[command(flatten)]
    features: FeatureArgs,
    #[command(flatten)]
    device: DeviceArgs,
}

impl Spectrogram {
    pub fn run(self) -> Result<(), Failure> {
        if !self
            .out
            .extension()
            .is_some_and(|ending| ending.eq_ignore_ascii_case("png"))
        {
            return Err(Failure::usage(format!(
                "--out {}: the name must end in .png",
                self.out.display()
            )));
        }
        let settings = self.features.settings()?;
        if !settings.is_picture() {
            return Err(Failure::usage(format!(
                "--kind {}: tables, slopes and statistics are not drawn",
                settings.kind
            )));
        }
        let segment = self.part.segment()?;
        let device = self.device.open()?;
        let mut stream = Stream::open(&self.input, &Limits::default())?;
        let clip = stream.clip(&segment)?;
        for warning in stream.warnings() {
            terminal::warning(&warning);
        }
        let features =
            audio::extract(&device, &settings, &clip).map_err(|source| Error::Features {
                name: self.input.display().to_string(),
                source,
            })?;
        let options = plot::PlotOptions {
            dark: self.dark,
            ..Default::default()
        };
        let picture = plot::spectrogram_png(&features, &settings, &options)?;
        files::write_bytes(&self.out, &picture)?;
        terminal::print_path(&self.out)
    }
}
