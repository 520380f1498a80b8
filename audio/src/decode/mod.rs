//! Decoding: from files to clips. The format is detected by content, not by name.
//!
//! | file | holds |
//! | --- | --- |
//! | `mod.rs` | [`decode`], [`decode_bytes`] |
//! | `limits.rs` | [`Limits`]: how much a file may hold |
//! | `bytes.rs` | a file's bytes, from the disk or from memory |
//! | `source.rs` | the trait of every format's decoder |
//! | `stream.rs` | [`Stream`]: a file's sound piece by piece; [`Segment`]: a part of it |
//! | `format.rs` | telling formats apart by their first bytes |
//! | `wav.rs`, `aiff.rs`, `au.rs` | headers of WAV, AIFF and AU; `chunks.rs`: what the first two consist of |
//! | `pcm.rs` | the samples after them: integers, floats, G.711 |
//! | `adpcm.rs` | ADPCM: Microsoft's and IMA's |
//! | `mp3.rs` | MPEG audio: trimming, changing rates |
//! | `frames.rs` | its frames, found in a file whatever stands between them |
//! | `mpeg/` | the decoder of its frames, layers I to III |
//! | `special.rs` | [`special_file`]: pipes, sockets and devices |
//! | `tags.rs` | ID3, APE and Xing/LAME tags around MPEG audio |
//! | `codecs.rs` | FLAC, Vorbis, AAC and ALAC in their own files, Ogg, MP4, Matroska, WebM and CAF, through symphonia (feature `formats`) |
//! | `track.rs`, `cursor.rs` | one track of them; the bytes as symphonia reads them |
//! | `ogg.rs` | Ogg's pages, and the chains of streams that they make |
//! | `mp4.rs`, `trim.rs` | the edit list of MP4: what of a track is to be heard |
//! | `opus.rs`, `vorbis.rs` | packets of Opus (opus-pure) and of Vorbis (lewton) |
//!
//! A damaged file is decoded as far as possible: a truncated file gives the samples that it has, and garbage between
//! MP3 frames is skipped. It is an error only if no samples are left.

mod adpcm;
mod aiff;
mod au;
mod bytes;
mod chunks;
#[cfg(feature = "formats")]
mod codecs;
#[cfg(feature = "formats")]
mod cursor;
mod format;
mod frames;
mod limits;
mod mp3;
#[cfg(feature = "formats")]
mod mp4;
mod mpeg;
#[cfg(feature = "formats")]
mod ogg;
#[cfg(feature = "formats")]
mod opus;
mod pcm;
mod source;
mod special;
mod stream;
mod tags;
#[cfg(feature = "formats")]
mod track;
#[cfg(feature = "formats")]
mod trim;
#[cfg(feature = "formats")]
mod vorbis;
mod wav;

pub use format::EXTENSIONS;
pub use limits::Limits;
pub use special::special_file;
pub use stream::{Segment, Stream};

use crate::clip::Clip;
#[cfg(doc)]
use crate::error::Error;
use crate::error::Result;
use std::path::Path;

/// Decodes a file of any name, mixed to one channel (the mean) at its own sample rate.
///
/// # Errors
/// [`Error::Read`] if the file cannot be read, and the errors of [`decode_bytes`]. Every message names the file.
pub fn decode(path: &Path, limits: &Limits) -> Result<Clip> {
    decode_segment(path, &Segment::default(), limits)
}

/// Decodes a segment of a file. [`Limits::max_seconds`] and [`Limits::max_samples`] apply to the segment.
///
/// # Errors
/// As [`decode`], and [`Error::Segment`] if the segment begins after the end.
pub fn decode_segment(path: &Path, segment: &Segment, limits: &Limits) -> Result<Clip> {
    segment.check()?;
    Stream::open(path, limits)?.clip(segment)
}

/// Decodes a file's bytes, mixed to one channel (the mean) at its own sample rate. `name` only goes into errors.
///
/// # Errors
/// [`Error::Empty`], [`Error::Unrecognised`], [`Error::Unsupported`], [`Error::Malformed`], [`Error::NoSamples`],
/// [`Error::NotFinite`], [`Error::Limit`].
pub fn decode_bytes(bytes: &[u8], name: &str, limits: &Limits) -> Result<Clip> {
    Stream::from_bytes(bytes, name, limits)?.clip(&Segment::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_named_in_errors() {
        let limits = Limits {
            max_bytes: 3,
            ..Limits::default()
        };
        let error = decode_bytes(b"RIFF", "song.wav", &limits).unwrap_err();
        assert_eq!(
            error.to_string(),
            "song.wav: size is 4 bytes, the limit is 3 bytes"
        );
    }
}
