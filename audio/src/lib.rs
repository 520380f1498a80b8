//! melgrad's audio: from files to features, pictures of sound, and a synthesiser of test music.
//!
//! Independent of networks. Modules:
//!
//! | module | holds |
//! | --- | --- |
//! | [`Clip`] | one piece of decoded audio |
//! | [`mod@decode`] | audio files to clips (WAV, AIFF, AU, MP3; with `formats` FLAC, Vorbis, Opus, AAC, ALAC), whole or in blocks, by content, within [`Limits`] |
//! | [`mod@resample`] | sample rate conversion, as in librosa or torchaudio |
//! | [`augment`] | augmentation of audio: time stretch, pitch shift, noise |
//! | [`mod@features`] | kinds of features: spectrograms, mel, MFCC, …; deltas, statistics, resizing |
//! | [`synth`] | ten genres of synthetic music, deterministic by seed |
//! | `plot` | plots of features with axes (feature `plot`) |
//! | [`wav`] | writing WAV files |

pub mod augment;
pub mod clip;
pub mod decode;
pub mod error;
pub mod features;
#[cfg(feature = "plot")]
pub mod plot;
mod rate;
pub mod resample;
pub mod synth;
pub mod wav;

pub use clip::Clip;
pub use decode::{Limits, Segment, Stream, decode, decode_bytes, decode_segment};
pub use error::{Error, Result};
#[cfg(not(target_arch = "wasm32"))]
pub use features::extract;
pub use features::{FeatureSettings, Features, Kind, Preset, Statistic, extract_async};
pub use resample::{Filter, Resampler, resample, resample_with};
