//! From clips to what a network sees.
//!
//! | file | holds |
//! | --- | --- |
//! | `mod.rs` | [`extract`]: a clip to [`Features`], on any device |
//! | `settings.rs` | [`FeatureSettings`]: which features, exactly |
//! | `preset.rs` | [`Preset`]: librosa's, torchaudio's and HTK's conventions; how frames are cut |
//! | `kind.rs` | the registry: every [`Kind`], what is known of it and what computes it |
//! | `batch.rs` | [`Extractor`]: many clips of one length at once, staying on the device |
//! | `spectra.rs` | STFT, mel, log-mel: kernels on any device |
//! | `sound.rs` | spectra block by block, for the kinds that are computed on the CPU |
//! | `waveform.rs`, `mfcc.rs`, `spectral.rs`, `contrast.rs`, `chroma.rs`, `time.rs` | the other kinds |
//! | `exact.rs` | transforms in f64, for what looks at the quietest frequencies |
//! | `gtzan.rs`, `gtzan_picture.rs` | a whole clip as one row of GTZAN's table; the pictures that go with it |
//! | `tuning.rs` | how far music lies from A = 440 Hz |
//! | `pieces.rs` | [`extract_pieces`]: features of sound of any length, piece by piece |
//! | `deltas.rs`, `statistics.rs` | what can be done to any kind: slopes over time, figures over all frames |
//! | `columns.rs` | what the columns of a table are called |
//! | `bank.rs` | windows, the mel scale and its filters |
//! | `overlap.rs` | sound to overlapping frames' spectra and back |
//! | `hpss.rs`, `median.rs` | [`hpss()`]: what is held and what is struck, apart |
//! | `onset.rs` | [`onset_strength`]: how much louder it gets |
//! | `tempo.rs`, `beats.rs`, `correlate.rs` | [`tempo()`] and [`beat_track`], from onset strengths |
//! | `cqt.rs`, `halve.rs`, `harmony.rs` | constant-Q transform; chroma, CENS and tonnetz of it |
//! | `yin.rs` | pitch |
//! | `pyaudio.rs`, `fma.rs` | pyAudioAnalysis's features; FMA's table |
//! | `resize.rs` | [`Features::resize`]: to the size that a network wants |

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
