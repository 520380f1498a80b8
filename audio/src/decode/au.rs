//! AU, also called SND: Sun's format, in which GTZAN is published. 24 bytes of header, a note of any length, samples.

use super::bytes::Bytes;
use super::limits::Limits;
use super::pcm::{Coding, Layout, Pcm};
use super::source::{Source, UNKNOWN_LENGTH};
use crate::error::{Error, Result};

/// A data size that was not known when the header was written; some recorders leave 0.
const UNKNOWN: u32 = u32::MAX;

/// Most files have the highest byte first (`.snd`); DEC's machines wrote `dns.` and the lowest first.
pub(super) fn open<'a>(mut bytes: Bytes<'a>, limits: &Limits) -> Result<Pcm<'a>> {
    let name = bytes.name.clone();
    let malformed = |what: &str| Error::Malformed {
        name: name.clone(),
        format: "AU",
        what: what.into(),
    };
    let header: [u8; 24] = bytes
        .array(0)?
        .ok_or_else(|| malformed("the header is shorter than 24 bytes"))?;
    let big_endian = header.starts_with(b".snd");
    let word = |at: usize| {
        let bytes = [header[at], header[at + 1], header[at + 2], header[at + 3]];
        match big_endian {
            true => u32::from_be_bytes(bytes),
            false => u32::from_le_bytes(bytes),
        }
    };
    let (start, size, encoding, rate, channels) = (word(4), word(8), word(12), word(16), word(20));
    if start < 24 {
        return Err(malformed("the sound begins inside the header"));
    }
    let (coding, width) = match encoding {
        1 => (Coding::MuLaw, 1),
        2 => (Coding::I8, 1),
        3 => (Coding::I16, 2),
        4 => (Coding::I24, 3),
        5 => (Coding::I32, 4),
        6 => (Coding::F32, 4),
        7 => (Coding::F64, 8),
        27 => (Coding::ALaw, 1),
        other => {
            let what = match other {
                23..=26 => "AU with ADPCM samples".into(),
                other => format!("AU with encoding {other}"),
            };
            return Err(Error::Unsupported { name, what });
        }
    };
    limits.check_channels(&name, channels)?;
    limits.check_rate(&name, rate)?;
    if channels == 0 {
        return Err(malformed("it has no channels"));
    }
    let channels = channels as usize; // at most Limits::max_channels, 16 bits
    let start = u64::from(start);
    if start >= bytes.len() && bytes.len() > 24 {
        let len = bytes.len();
        return Err(malformed(&format!(
            "its sound begins at byte {start}, it ends at byte {len}"
        )));
    }
    let end = match size {
        0 | UNKNOWN => bytes.len(),
        size => start + u64::from(size),
    };
    let layout = Layout {
        coding,
        big_endian,
        block: width * channels,
        width,
        channels,
        rate,
    };
    let mut source = Pcm::new(bytes, start..end.max(start), layout);
    // 0xffffffff is how the format itself says so.
    if size == 0 && source.about() > Some(0) {
        source.warnings.push(UNKNOWN_LENGTH.into());
    }
    Ok(source)
}
