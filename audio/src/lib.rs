//! melgrad's audio: from files to features, pictures of sound, and a synthesiser of test music.
//!
//! Knows nothing of networks. Where to find what:
//!
//! | module | holds |
//! | --- | --- |
//! | [`Clip`] | one piece of decoded audio |
//! | [`mod@decode`] | sound files to clips (WAV, AIFF, AU, MP3; with `formats` FLAC, Vorbis, Opus, AAC, ALAC), whole or piece by piece, by content, within [`Limits`] |
//! | [`mod@resample`] | changes of the sample rate, as librosa's or torchaudio's |
//! | [`augment`] | the sound itself changed: stretched, shifted, noisy |
//! | [`mod@features`] | the registry of kinds: spectrograms, mel, MFCC, …; slopes, statistics, resizing |
//! | [`synth`] | ten kinds of synthetic music, deterministic by seed |
//! | `plot` | pictures of sound with axes (feature `plot`) |
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
