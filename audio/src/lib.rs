//! melgrad's audio: from files to features, pictures of sound, and a synthesiser of test music.
//!
//! Knows nothing of networks. Where to find what:
//!
//! | module | holds |
//! | --- | --- |
//! | [`Clip`] | one piece of decoded audio |
//! | [`mod@decode`] | WAV and MP3 files to clips, by content, within [`Limits`] |
//! | [`mod@resample`] | changing the sample rate |
//! | [`synth`] | ten kinds of synthetic music, deterministic by seed |
//! | [`wav`] | writing WAV files |

pub mod clip;
pub mod decode;
pub mod error;
pub mod resample;
pub mod synth;
pub mod wav;

pub use clip::Clip;
pub use decode::{Limits, decode, decode_bytes};
pub use error::{Error, Result};
pub use resample::resample;
