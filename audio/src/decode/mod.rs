//! From files to clips, by content and not by name.
//!
//! | file | holds |
//! | --- | --- |
//! | `mod.rs` | [`decode`], [`decode_bytes`], [`Limits`]; telling formats apart by their first bytes |
//! | `stream.rs` | [`Stream`]: a file's sound piece by piece; [`Segment`]: a part of it |
//! | `bytes.rs` | a file's bytes, from the disk or from memory |
//! | `wav.rs`, `au.rs` | the headers of WAV (judged by hound) and AU |
//! | `pcm.rs` | the samples after them: integers, floats, G.711 |
//! | `mp3.rs` | MPEG audio: trimming, changing rates |
//! | `frames.rs` | its frames, found in a file whatever stands between them |
//! | `mpeg/` | the decoder of its frames, layers I to III |
//! | `codecs.rs` | FLAC, Ogg Vorbis and AIFF through symphonia (feature `formats`) |
//! | `special.rs` | [`special_file`]: pipes, sockets and devices |
//! | `tags.rs` | ID3, APE and Xing/LAME tags around MPEG audio |
//!
//! What is damaged is decoded as far as it goes: a truncated file gives the samples that are there, garbage between
//! MP3 frames is skipped. Only where nothing is left is there an error.

mod au;
mod bytes;
#[cfg(feature = "formats")]
mod codecs;
mod frames;
mod mp3;
mod mpeg;
mod pcm;
mod special;
mod stream;
mod tags;
mod wav;

pub use special::special_file;
pub use stream::{Segment, Stream};

use crate::clip::Clip;
use crate::error::{Error, Result};
use bytes::Bytes;
use std::path::Path;

/// How much a file may hold before it is refused, so that no file can exhaust memory.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Longest clip, in seconds.
    pub max_seconds: f64,
    /// Longest clip, in samples of one channel: 4 bytes of memory each.
    pub max_samples: u64,
    /// Most channels.
    pub max_channels: u16,
    /// Largest file, in bytes.
    pub max_bytes: u64,
    /// Lowest sample rate, in Hz.
    pub min_rate: u32,
    /// Highest sample rate, in Hz.
    pub max_rate: u32,
}

impl Default for Limits {
    /// One hour and 2²⁸ samples (1 GiB), 32 channels, files of 1 GiB, 1 kHz to 384 kHz.
    fn default() -> Self {
        Limits {
            max_seconds: 3600.0,
            max_samples: 1 << 28,
            max_channels: 32,
            max_bytes: 1 << 30,
            min_rate: 1000,
            max_rate: 384_000,
        }
    }
}

impl Limits {
    /// For sound that is not to be held in memory: a day, 16 GiB.
    pub const LONG: Limits = Limits {
        max_seconds: 86_400.0,
        max_samples: u64::MAX,
        max_channels: 32,
        max_bytes: 16 << 30,
        min_rate: 1000,
        max_rate: 384_000,
    };

    fn check_bytes(&self, name: &str, bytes: u64) -> Result<()> {
        self.refuse(bytes > self.max_bytes, name, "size", || {
            (
                format!("{bytes} bytes"),
                format!("{} bytes", self.max_bytes),
            )
        })
    }

    fn check_rate(&self, name: &str, rate: u32) -> Result<()> {
        self.refuse(
            !(self.min_rate..=self.max_rate).contains(&rate),
            name,
            "sample rate",
            || {
                (
                    format!("{rate} Hz"),
                    format!("{} to {} Hz", self.min_rate, self.max_rate),
                )
            },
        )
    }

    fn check_channels(&self, name: &str, channels: u32) -> Result<()> {
        self.refuse(
            channels > self.max_channels.into(),
            name,
            "number of channels",
            || (channels.to_string(), self.max_channels.to_string()),
        )
    }

    fn check_length(&self, name: &str, samples: u64, rate: u32) -> Result<()> {
        let seconds = samples as f64 / f64::from(rate.max(1));
        self.refuse(seconds > self.max_seconds, name, "length", || {
            (
                format!("{seconds:.1} s"),
                format!("{:.1} s", self.max_seconds),
            )
        })?;
        self.refuse(samples > self.max_samples, name, "length", || {
            (
                format!("{samples} samples"),
                format!("{} samples", self.max_samples),
            )
        })
    }

    fn refuse(
        &self,
        refused: bool,
        name: &str,
        what: &'static str,
        say: impl Fn() -> (String, String),
    ) -> Result<()> {
        if !refused {
            return Ok(());
        }
        let (found, limit) = say();
        Err(Error::Limit {
            name: name.into(),
            what,
            found,
            limit,
        })
    }
}

/// Decodes a file, whatever its name says, mixed to one channel (the mean) at its own sample rate.
///
/// # Errors
/// [`Error::Read`] where the file cannot be read, and all that [`decode_bytes`] gives. Every message names the file.
pub fn decode(path: &Path, limits: &Limits) -> Result<Clip> {
    decode_segment(path, &Segment::default(), limits)
}

/// Decodes a part of a file. [`Limits::max_seconds`] and [`Limits::max_samples`] hold for the part.
///
/// # Errors
/// As [`decode`], and [`Error::Segment`] where the part begins after the end.
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

fn codec<'a>(
    bytes: Bytes<'a>,
    format: &'static str,
    #[allow(unused)] limits: &Limits,
) -> Result<Box<dyn stream::Source + Send + 'a>> {
    #[cfg(feature = "formats")]
    return Ok(Box::new(codecs::open(bytes, format, limits)?));
    #[cfg(not(feature = "formats"))]
    Err(Error::Unsupported {
        name: bytes.name,
        what: format!("{format} (built without the feature `formats`)"),
    })
}

/// How files are named whose formats are decoded here. What they are is told by their content all the same.
pub const EXTENSIONS: [&str; 11] = [
    "wav", "wave", "mp3", "au", "snd", "flac", "ogg", "oga", "aiff", "aif", "aifc",
];

/// What a file's first bytes say it is.
#[derive(Debug, PartialEq)]
enum Format {
    Nothing,
    Wav,
    Au,
    /// What symphonia decodes.
    Codec(&'static str),
    /// MPEG audio, or a tag that comes before it.
    Mpeg,
    /// Something known that is not decoded.
    Other(&'static str),
    Unknown,
}

/// The signatures of formats that people hand over and that are not decoded: offset, bytes, name.
const OTHERS: [(usize, &[u8], &str); 7] = [
    (0, b"RIFX", "big-endian WAV audio"),
    (0, b"caff", "CAF audio"),
    (0, b"MThd", "a MIDI file"),
    (0, b"\x30\x26\xb2\x75", "WMA audio"),
    (0, b"\x1a\x45\xdf\xa3", "Matroska or WebM"),
    (4, b"ftyp", "MP4 or M4A audio"),
    (0, b"PK\x03\x04", "a ZIP archive"),
];

impl Format {
    fn of(bytes: &mut Bytes<'_>) -> Result<Format> {
        let mut head = Vec::new();
        bytes.append(0..16, &mut head)?;
        // Some put an ID3 tag before a FLAC stream.
        if let Some(len) = tags::id3v2_len(&head)
            && bytes.array(len)? == Some(*b"fLaC")
        {
            return Ok(Format::Codec("FLAC"));
        }
        Ok(sniff(&head))
    }
}

fn sniff(bytes: &[u8]) -> Format {
    let at = |offset: usize, magic: &[u8]| {
        bytes
            .get(offset..)
            .is_some_and(|rest| rest.starts_with(magic))
    };
    match bytes {
        [] => Format::Nothing,
        _ if (at(0, b"RIFF") || at(0, b"RF64")) && at(8, b"WAVE") => Format::Wav,
        _ if at(0, b".snd") || at(0, b"dns.") => Format::Au,
        _ if at(0, b"FORM") && (at(8, b"AIFF") || at(8, b"AIFC")) => Format::Codec("AIFF"),
        _ if at(0, b"fLaC") => Format::Codec("FLAC"),
        _ if at(0, b"OggS") => Format::Codec("Ogg"),
        _ if at(0, b"ID3") || at(0, b"APETAGEX") => Format::Mpeg,
        // Eleven bits of sync, then a version, a layer, a bit rate and a sample rate that exist.
        &[0xff, b, c, ..]
            if b & 0xe0 == 0xe0
                && b & 0x18 != 0x08
                && b & 0x06 != 0
                && c < 0xf0
                && c & 0x0c != 0x0c =>
        {
            Format::Mpeg
        }
        _ => OTHERS
            .iter()
            .find(|(offset, magic, _)| at(*offset, magic))
            .map_or(Format::Unknown, |(_, _, what)| Format::Other(what)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_their_bytes() {
        assert_eq!(sniff(b""), Format::Nothing);
        assert_eq!(sniff(b"RIFF\0\0\0\0WAVEfmt "), Format::Wav);
        assert_eq!(sniff(b"RIFF\0\0\0\0AVI "), Format::Unknown);
        assert_eq!(sniff(b"ID3\x04"), Format::Mpeg);
        assert_eq!(sniff(&[0xff, 0xfb, 0x90, 0x64]), Format::Mpeg);
        assert_eq!(
            sniff(&[0xff, 0xd8, 0xff, 0xe0]),
            Format::Unknown,
            "a JPEG picture"
        );
        assert_eq!(
            sniff(b"\0\0\0\x20ftypM4A "),
            Format::Other("MP4 or M4A audio")
        );
        assert_eq!(sniff(b"FORM\0\0\0\0AIFC"), Format::Codec("AIFF"));
        assert_eq!(sniff(b"FORM\0\0\0\x04ILBM"), Format::Unknown);
        assert_eq!(sniff(b"dns."), Format::Au);
        assert_eq!(sniff(b"f"), Format::Unknown);
    }

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
