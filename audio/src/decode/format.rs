//! Formats, told apart by their first bytes.

use super::bytes::Bytes;
use super::tags;
use crate::error::Result;

/// How files are named whose formats are decoded here. What they are is told by their content all the same.
pub const EXTENSIONS: &[&str] = &[
    "wav", "wave", "rf64", "bw64", "aiff", "aif", "aifc", "au", "snd", "mp3", "mp2", "flac", "ogg",
    "oga", "opus", "m4a", "m4b", "mp4", "aac", "mka", "mkv", "webm", "caf",
];

/// What a file's first bytes say it is.
#[derive(Debug, PartialEq)]
pub(super) enum Format {
    Nothing,
    Wav,
    Aiff,
    Au,
    /// What symphonia takes apart.
    Container(Container),
    /// MPEG audio, or a tag that comes before it.
    Mpeg,
    /// Something known that is not decoded.
    Other(&'static str),
    Unknown,
}

/// Formats that symphonia takes apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Container {
    Flac,
    Ogg,
    /// AAC in a stream of its own.
    Adts,
    Mp4,
    Matroska,
    Caf,
}

impl Container {
    pub(super) fn name(self) -> &'static str {
        match self {
            Container::Flac => "FLAC",
            Container::Ogg => "Ogg",
            Container::Adts => "AAC",
            Container::Mp4 => "MP4",
            Container::Matroska => "Matroska",
            Container::Caf => "CAF",
        }
    }
}

/// The signatures of formats that people hand over and that are not decoded: offset, bytes, name.
const OTHERS: [(usize, &[u8], &str); 15] = [
    (0, b"RIFX", "big-endian WAV audio"),
    (0, b"riff\x2e\x91\xcf\x11", "Wave64 audio"),
    (0, b"MThd", "a MIDI file"),
    (0, b"\x30\x26\xb2\x75", "WMA audio"),
    (0, b"wvpk", "WavPack audio"),
    (0, b"MAC ", "Monkey's Audio"),
    (0, b"TTA1", "TTA audio"),
    (0, b"MPCK", "Musepack audio"),
    (0, b"MP+", "Musepack audio"),
    (0, b"#!AMR", "AMR audio"),
    (0, b".ra\xfd", "RealAudio"),
    (0, b".RMF", "RealAudio"),
    (0, b"DSD ", "DSD audio"),
    (0, b"FRM8", "DSD audio"),
    (0, b"PK\x03\x04", "a ZIP archive"),
];

impl Format {
    pub(super) fn of(bytes: &mut Bytes<'_>) -> Result<Format> {
        let mut head = Vec::new();
        bytes.append(0..16, &mut head)?;
        // Some put an ID3 tag before a FLAC or AAC stream.
        let start = tags::id3v2_len(&head).unwrap_or(0);
        if start > 0 && bytes.array(start)? == Some(*b"fLaC") {
            return Ok(Format::Container(Container::Flac));
        }
        if is_adts(bytes, start)? {
            return Ok(Format::Container(Container::Adts));
        }
        Ok(sniff(&head))
    }
}

/// Whether a frame of AAC stands at `at` and another one, or the end, behind it.
fn is_adts(bytes: &mut Bytes<'_>, at: u64) -> Result<bool> {
    let Some(length) = adts_length(bytes.array(at)?) else {
        return Ok(false);
    };
    let next = at.saturating_add(length);
    Ok(next == bytes.len() || adts_length(bytes.array(next)?).is_some())
}

/// The length of a frame of AAC whose header is `head`.
fn adts_length(head: Option<[u8; 7]>) -> Option<u64> {
    let [0xff, b, c, d, e, f, _] = head? else {
        return None;
    };
    // The sync's last four bits, a layer of 0, and a sample rate that exists.
    if b & 0xf6 != 0xf0 || c >> 2 & 15 > 12 {
        return None;
    }
    let length = u64::from(d & 3) << 11 | u64::from(e) << 3 | u64::from(f >> 5);
    (length >= 7).then_some(length)
}

fn sniff(bytes: &[u8]) -> Format {
    let at = |offset: usize, magic: &[u8]| {
        bytes
            .get(offset..)
            .is_some_and(|rest| rest.starts_with(magic))
    };
    match bytes {
        [] => Format::Nothing,
        _ if [b"RIFF", b"RF64", b"BW64"].iter().any(|name| at(0, *name)) && at(8, b"WAVE") => {
            Format::Wav
        }
        _ if at(0, b".snd") || at(0, b"dns.") => Format::Au,
        _ if at(0, b"FORM") && (at(8, b"AIFF") || at(8, b"AIFC")) => Format::Aiff,
        _ if at(0, b"fLaC") => Format::Container(Container::Flac),
        _ if at(0, b"OggS") => Format::Container(Container::Ogg),
        _ if at(4, b"ftyp") => Format::Container(Container::Mp4),
        _ if at(0, b"\x1a\x45\xdf\xa3") => Format::Container(Container::Matroska),
        _ if at(0, b"caff") => Format::Container(Container::Caf),
        _ if at(0, b"RIFF") && at(8, b"AVI ") => Format::Other("an AVI file"),
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
        assert_eq!(sniff(b"BW64\xff\xff\xff\xffWAVEds64"), Format::Wav);
        assert_eq!(sniff(b"RIFF\0\0\0\0AVI "), Format::Other("an AVI file"));
        assert_eq!(sniff(b"ID3\x04"), Format::Mpeg);
        assert_eq!(sniff(&[0xff, 0xfb, 0x90, 0x64]), Format::Mpeg);
        assert_eq!(
            sniff(&[0xff, 0xd8, 0xff, 0xe0]),
            Format::Unknown,
            "a JPEG picture"
        );
        assert_eq!(
            sniff(b"\0\0\0\x20ftypM4A "),
            Format::Container(Container::Mp4)
        );
        assert_eq!(sniff(b"FORM\0\0\0\0AIFC"), Format::Aiff);
        assert_eq!(sniff(b"FORM\0\0\0\x04ILBM"), Format::Unknown);
        assert_eq!(sniff(b"dns."), Format::Au);
        assert_eq!(sniff(b"f"), Format::Unknown);
    }
}
