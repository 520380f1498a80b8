//! Flags that several commands share.

use crate::failure::Failure;
use crate::terminal;
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser};
use melgrad::audio::{FeatureSettings, Kind, Preset, Segment, Statistic};
use melgrad::kernels::{Device, cpu};
use melgrad::models::input::cache;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

/// Device to use.
#[derive(Debug, Args)]
pub struct DeviceArgs {
    /// Device: auto, cpu, gpu, or gpu:NAME (part of its name). `auto` takes a hardware GPU if there is one, else the
    /// CPU
    #[arg(long, value_name = "DEVICE", default_value = "auto", value_parser = device_name)]
    device: String,
    /// Keep bounds checks in the GPU's shaders (slower)
    #[arg(long)]
    checked: bool,
    #[command(flatten)]
    threads: ThreadArgs,
}

/// Number of threads.
#[derive(Debug, Args)]
pub struct ThreadArgs {
    /// CPU threads [default: all cores]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
}

impl ThreadArgs {
    /// Sets the number of threads, once per process.
    pub fn apply(&self) {
        if let Some(threads) = self.threads {
            cpu::set_threads(threads.get());
        }
    }
}

impl DeviceArgs {
    /// Opens the device and prints which one it is, once.
    pub fn open(&self) -> Result<Device, Failure> {
        self.threads.apply();
        let device = match self.checked {
            true => Device::open_checked(&self.device)?,
            false => Device::open(&self.device)?,
        };
        terminal::note(&format!("device: {}", describe(&device)));
        Ok(device)
    }
}

/// Returns a short description of a device, with "software" if it is a software adapter.
pub fn describe(device: &Device) -> String {
    match (device.is_gpu(), device.is_software()) {
        (false, _) => format!("{}, {}", device.name(), count(cpu::threads(), "thread")),
        (true, true) => format!("{}, software", device.name()),
        (true, false) => device.name().to_string(),
    }
}

/// Returns the number with its noun: `1 clip`, `2 clips`.
pub fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

fn device_name(text: &str) -> Result<String, String> {
    let named = text
        .strip_prefix("gpu:")
        .is_some_and(|name| !name.trim().is_empty());
    match text {
        "auto" | "cpu" | "gpu" => Ok(text.into()),
        _ if named => Ok(text.into()),
        _ => Err("a device is auto, cpu, gpu or gpu:NAME".into()),
    }
}

/// Parses a seed that also fits a run's `run.toml`.
pub fn seed(text: &str) -> Result<u64, String> {
    match text.parse::<u64>() {
        Ok(seed) if i64::try_from(seed).is_ok() => Ok(seed),
        _ => Err("a seed is a whole number from 0 to 2^63 - 1".into()),
    }
}

/// Options of feature extraction.
#[derive(Debug, Args)]
pub struct FeatureArgs {
    /// Kind of features
    #[arg(long, default_value = "logmel", value_parser = kinds())]
    kind: String,
    /// Conventions to follow
    #[arg(long, default_value = "librosa", value_parser = one_of(Preset::ALL.map(Preset::name)))]
    preset: String,
    /// Sample rate; clips of other rates are resampled. The default of this and the next flags is the preset's
    #[arg(long, value_name = "HZ")]
    sr: Option<u32>,
    /// FFT length, in samples
    #[arg(long, value_name = "N")]
    n_fft: Option<usize>,
    /// Window length, in samples
    #[arg(long, value_name = "N")]
    window: Option<usize>,
    /// Hop length, in samples
    #[arg(long, value_name = "N")]
    hop: Option<usize>,
    /// Number of mel bands
    #[arg(long, value_name = "N")]
    n_mels: Option<usize>,
    /// Number of cepstral coefficients (MFCC)
    #[arg(long, value_name = "N")]
    n_mfcc: Option<usize>,
    /// Lower edge of the lowest mel band, in Hz
    #[arg(long, value_name = "HZ", allow_negative_numbers = true)]
    fmin: Option<f32>,
    /// Upper edge of the highest mel band, in Hz [default: half of the sample rate]
    #[arg(long, value_name = "HZ", allow_negative_numbers = true)]
    fmax: Option<f32>,
    /// Exponent of the spectrum's magnitude: 1 (magnitude) or 2 (power)
    #[arg(long, value_name = "N")]
    power: Option<u32>,
    /// Range in decibels below the clip's loudest band; 0 for no limit
    #[arg(long, value_name = "DB", allow_negative_numbers = true)]
    top_db: Option<f32>,
    /// Orders of deltas over time, appended as further bands: 0, 1 or 2
    #[arg(long, value_name = "N", default_value_t = 0)]
    deltas: usize,
    /// Statistics over all frames instead of the frames, comma-separated
    #[arg(long, value_name = "NAME,…", value_delimiter = ',',
        value_parser = one_of(Statistic::ALL.map(Statistic::name)))]
    statistics: Vec<String>,
}

fn kinds() -> PossibleValuesParser {
    let value = |kind: Kind| PossibleValue::new(kind.name()).help(kind.about());
    Kind::ALL.map(value).into()
}

fn one_of<const N: usize>(names: [&'static str; N]) -> PossibleValuesParser {
    names.into()
}

impl FeatureArgs {
    /// Returns the settings, validated.
    pub fn settings(&self) -> Result<FeatureSettings, Failure> {
        let preset: Preset = self.preset.parse()?;
        let own = FeatureSettings::of(preset);
        let statistics = self.statistics.iter().map(|name| name.parse());
        let settings = FeatureSettings {
            kind: self.kind.parse()?,
            sample_rate: self.sr.unwrap_or(own.sample_rate),
            n_fft: self.n_fft.unwrap_or(own.n_fft),
            window: self.window.or(own.window),
            hop: self.hop.unwrap_or(own.hop),
            n_mels: self.n_mels.unwrap_or(own.n_mels),
            n_mfcc: self.n_mfcc.unwrap_or(own.n_mfcc),
            fmin: self.fmin.unwrap_or(own.fmin),
            fmax: self.fmax.or(own.fmax),
            power: self.power.unwrap_or(own.power),
            top_db: self.top_db.unwrap_or(own.top_db),
            deltas: self.deltas,
            statistics: statistics.collect::<Result<_, _>>()?,
            ..own
        };
        settings.check()?;
        let (empty, all) = (settings.empty_filters(), settings.n_mels);
        if empty > 0 {
            terminal::warning(&format!(
                "{empty} of {all} mel filters are empty: n_fft {} is too short for so many, their bands stay silent",
                settings.n_fft
            ));
        }
        Ok(settings)
    }
}

/// Segment of a clip.
#[derive(Debug, Clone, Copy, Args)]
pub struct SegmentArgs {
    /// Start at this second of the sound; a negative value counts from its end
    #[arg(
        long,
        value_name = "S",
        default_value_t = 0.0,
        allow_negative_numbers = true
    )]
    offset: f64,
    /// Maximum length, in seconds
    #[arg(long, value_name = "S", allow_negative_numbers = true)]
    duration: Option<f64>,
}

impl SegmentArgs {
    /// Returns the segment, validated.
    pub fn segment(self) -> Result<Segment, Failure> {
        let segment = Segment {
            offset: self.offset,
            duration: self.duration,
        };
        segment.check()?;
        Ok(segment)
    }
}

/// Directory of the feature cache, if there is one.
pub fn cache_dir(no_cache: bool) -> Option<PathBuf> {
    if no_cache { None } else { cache::default_dir() }
}

/// Returns the first of `name`, `name-2`, … that does not exist yet.
pub fn free(name: &str) -> PathBuf {
    let names = (2..).map(|n| PathBuf::from(format!("{name}-{n}")));
    let mut names = std::iter::once(PathBuf::from(name)).chain(names);
    names.find(|name| !name.exists()).unwrap_or_default()
}

/// Failure for a command that writes this folder and was stopped by Ctrl-C. `begun`: there is enough in it to resume.
pub fn stopped(out: &Path, command: &str, begun: bool) -> Failure {
    let failure = Failure::new(format!("{}: stopped before the end", out.display()));
    match begun {
        true => failure.hint(format!(
            "`melgrad {command} --resume --out {}` goes on",
            quoted(out)
        )),
        false => failure,
    }
}

/// [`stopped`] of a training.
pub fn training_stopped(run: &Path) -> Failure {
    let begun = run.join("run.toml").is_file() || run.join("series.toml").is_file();
    stopped(run, "train", begun)
}

/// Quotes a path for the shell.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-+,:@\\".contains(c);
    match text.chars().all(plain) {
        true => text,
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}
