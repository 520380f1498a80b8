//! From files to clips, by content and not by name.
//!
//! | file | holds |
//! | --- | --- |
//! | `mod.rs` | [`decode`], [`decode_bytes`], [`Limits`]; telling formats apart by their first bytes |
//! | `wav.rs` | RIFF chunks, then hound |
//! | `mp3.rs` | MPEG audio through minimp3, as floats (feature `mp3`): the crate's only unsafe code |
//! | `tags.rs` | ID3, APE and Xing/LAME tags around MPEG audio (feature `mp3`) |
//!
//! What is damaged is decoded as far as it goes: a truncated file gives the samples that are there, garbage between
//! MP3 frames is skipped. Only where nothing is left is there an error.

#[cfg(feature = "mp3")]
mod mp3;
#[cfg(feature = "mp3")]
mod tags;
mod wav;

use crate::clip::Clip;
use crate::error::{Error, Result};
use std::io::Read;
use std::path::Path;

/// How much a file may hold before it is refused, so that no file can exhaust memory.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Longest clip, in seconds.
    pub max_seconds: f64,
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
    /// One hour, 32 channels, 1 GiB, 1 kHz to 384 kHz.
    fn default() -> Self {
        Limits {
            max_seconds: 3600.0,
            max_channels: 32,
            max_bytes: 1 << 30,
            min_rate: 1000,
            max_rate: 384_000,
        }
    }
}

impl Limits {
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

    fn check_channels(&self, name: &str, channels: u16) -> Result<()> {
        self.refuse(
            channels > self.max_channels,
            name,
            "number of channels",
            || (channels.to_string(), self.max_channels.to_string()),
        )
    }

    fn check_seconds(&self, name: &str, seconds: f64) -> Result<()> {
        self.refuse(seconds > self.max_seconds, name, "length", || {
            (
                format!("{seconds:.1} s"),
                format!("{:.1} s", self.max_seconds),
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

/// Decodes a file: WAV or MP3, whatever its name says, mixed to one channel at its own sample rate.
///
/// # Errors
/// [`Error::Read`] where the file cannot be read, and all that [`decode_bytes`] gives. Every message names the file.
pub fn decode(path: &Path, limits: &Limits) -> Result<Clip> {
    let name = path.display().to_string();
    let read = || -> std::io::Result<Vec<u8>> {
        let file = std::fs::File::open(path)?;
        // A directory can be opened on Unix; its length is no promise for pipes either, hence `take`.
        let size = file.metadata()?.len().min(limits.max_bytes);
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
        file.take(limits.max_bytes.saturating_add(1))
            .read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().map_err(|source| Error::Read {
        name: name.clone(),
        source,
    })?;
    decode_bytes(&bytes, &name, limits)
}

/// Decodes a file's bytes: WAV or MP3, mixed to one channel (the mean) at its own sample rate.
/// `name` only goes into errors.
///
/// # Errors
/// [`Error::Empty`], [`Error::Unrecognised`], [`Error::Unsupported`], [`Error::Malformed`], [`Error::NoSamples`],
/// [`Error::NotFinite`], [`Error::Limit`].
pub fn decode_bytes(bytes: &[u8], name: &str, limits: &Limits) -> Result<Clip> {
    limits.check_bytes(name, bytes.len() as u64)?;
    let clip = match sniff(bytes) {
        Format::Nothing => return Err(Error::Empty { name: name.into() }),
        Format::Wav => wav::decode(bytes, name, limits)?,
        Format::Other(what) => {
            return Err(Error::Unsupported {
                name: name.into(),
                what: what.into(),
            });
        }
        Format::Mpeg => mpeg(bytes, name, limits, true)?,
        Format::Unknown => mpeg(bytes, name, limits, false)?,
    };
    if clip.samples.is_empty() {
        return Err(Error::NoSamples { name: name.into() });
    }
    clip.check(name)?;
    Ok(clip)
}

#[cfg(feature = "mp3")]
use mp3::decode as mpeg;

#[cfg(not(feature = "mp3"))]
fn mpeg(_: &[u8], name: &str, _: &Limits, signed: bool) -> Result<Clip> {
    Err(match signed {
        true => Error::Unsupported {
            name: name.into(),
            what: "MP3 (built without the feature `mp3`)".into(),
        },
        false => Error::Unrecognised { name: name.into() },
    })
}

/// What a file's first bytes say it is.
#[derive(Debug, PartialEq)]
enum Format {
    Nothing,
    Wav,
    /// MPEG audio, or a tag that comes before it.
    Mpeg,
    /// Something known that is not decoded.
    Other(&'static str),
    Unknown,
}

/// The signatures of formats that people hand over and that are not decoded: offset, bytes, name.
const OTHERS: [(usize, &[u8], &str); 12] = [
    (0, b"fLaC", "FLAC audio"),
    (0, b"OggS", "Ogg audio"),
    (0, b"FORM", "AIFF audio"),
    (0, b"RF64", "RF64 audio (WAV beyond 4 GiB)"),
    (0, b"RIFX", "big-endian WAV audio"),
    (0, b"caff", "CAF audio"),
    (0, b".snd", "AU audio"),
    (0, b"MThd", "a MIDI file"),
    (0, b"\x30\x26\xb2\x75", "WMA audio"),
    (0, b"\x1a\x45\xdf\xa3", "Matroska or WebM"),
    (4, b"ftyp", "MP4 or M4A audio"),
    (0, b"PK\x03\x04", "a ZIP archive"),
];

fn sniff(bytes: &[u8]) -> Format {
    let at = |offset: usize, magic: &[u8]| {
        bytes
            .get(offset..)
            .is_some_and(|rest| rest.starts_with(magic))
    };
    match bytes {
        [] => Format::Nothing,
        _ if at(0, b"RIFF") && at(8, b"WAVE") => Format::Wav,
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
