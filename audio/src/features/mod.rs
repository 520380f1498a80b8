//! From clips to what a network sees.
//!
//! | file | holds |
//! | --- | --- |
//! | `kind.rs`, `preset.rs`, `statistics.rs` | [`Kind`], [`Preset`], [`Statistic`]; `names.rs` gives them names |
//! | `settings.rs` | [`FeatureSettings`]; `check.rs` their checks, sizes and names of bands |
//! | `scale.rs`, `bank.rs`, `framing.rs` | the mel scale; windows and mel filters; frames under each preset |
//! | `output.rs`, `resize.rs` | [`Features`], and their resizing |
//! | `definition.rs`, `registry.rs` | all that is known of a kind; the definition of each |
//! | `compute.rs` | [`extract`]: a clip to [`Features`], on any device |
//! | `batch.rs` | [`Extractor`]: many clips of one length at once, staying on the device |
//! | `pieces.rs` | [`extract_pieces`]: features of sound of any length, piece by piece |
//! | `spectra.rs`, `cepstrum.rs` | STFT, mel, log-mel through kernels on any device; the cosine transform behind them |
//! | `sound.rs`, `exact.rs` | spectra block by block on the CPU; transforms in f64 |
//! | `waveform.rs`, `mfcc.rs`, `spectral.rs`, `contrast.rs`, `chroma.rs`, `time.rs`, `yin.rs` | kinds of one file each |
//! | `gtzan.rs`, `gtzan_picture.rs`, `fma.rs`, `pyaudio.rs`, `columns.rs` | tables and pictures of known datasets; names of columns |
//! | `deltas.rs` | slopes over time |
//! | `overlap.rs` | overlapping frames' spectra and back |
//! | `hpss.rs`, `median.rs` | [`hpss()`]: harmonic and percussive parts |
//! | `onset.rs`, `tempo.rs`, `beats.rs`, `correlate.rs` | [`onset_strength`], and [`tempo()`] and [`beat_track`] of it |
//! | `cqt.rs`, `harmony.rs`, `tuning.rs` | constant-Q transform; chroma, CENS and tonnetz of it; deviation from A = 440 Hz |
//!
//! Imports run one way: no two files import each other, and none imports this one.

mod bank;
mod batch;
mod beats;
mod cepstrum;
mod check;
mod chroma;
mod columns;
mod compute;
mod contrast;
mod correlate;
mod cqt;
mod definition;
mod deltas;
mod exact;
mod fma;
mod framing;
mod gtzan;
mod gtzan_picture;
mod harmony;
mod hpss;
mod kind;
mod median;
mod mfcc;
mod names;
mod onset;
mod output;
pub(crate) mod overlap;
mod pieces;
mod preset;
mod pyaudio;
mod registry;
mod resize;
mod scale;
mod settings;
mod sound;
mod spectra;
mod spectral;
mod statistics;
mod tempo;
mod time;
mod tuning;
mod waveform;
mod yin;

pub use batch::Extractor;
pub use beats::{Beats, beat_track};
#[cfg(not(target_arch = "wasm32"))]
pub use compute::extract;
pub use compute::extract_async;
pub use hpss::{Separated, hpss};
pub use kind::{Axis, Kind};
pub use onset::{Aggregate, onset_strength};
pub use output::Features;
pub use pieces::{Finisher, extract_pieces, in_pieces};
pub use preset::Preset;
pub use scale::{hz_to_mel, mel_to_hz};
pub use settings::FeatureSettings;
pub use statistics::Statistic;
pub use tempo::tempo;

pub(crate) use bank::hann;
