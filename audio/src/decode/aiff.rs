//! AIFF and AIFF-C: integers, floats, G.711 and IMA ADPCM.

use super::adpcm::{self, Adpcm};
use super::bytes::Bytes;
use super::chunks;
use super::limits::Limits;
use super::pcm::{Coding, Layout, Pcm};
use super::source::{Source, UNKNOWN_LENGTH};
use crate::error::{Error, Result};
use std::ops::Range;

pub(super) fn open<'a>(
    mut bytes: Bytes<'a>,
    limits: &Limits,
) -> Result<Box<dyn Source + Send + 'a>> {
    let name = bytes.name.clone();
    let malformed = |what: String| Error::Malformed {
        name: name.clone(),
        format: "AIFF",
        what,
    };
    let compressed = bytes.array(8)? == Some(*b"AIFC");
    let chunks = Chunks::find(&mut bytes)?;
    let comm = chunks
        .comm
        .ok_or_else(|| malformed("no `COMM` chunk".into()))?;
    let common = Common::parse(&comm, compressed)
        .ok_or_else(|| malformed(format!("the `COMM` chunk is {} bytes long", comm.len())))?;
    let sound = chunks
        .sound
        .ok_or_else(|| malformed("no `SSND` chunk".into()))?;
    limits.check_channels(&name, common.channels.into())?;
    let rate = common
        .rate
        .ok_or_else(|| malformed("the sample rate is no number".into()))?;
    limits.check_rate(&name, rate)?;
    if common.channels == 0 {
        return Err(malformed("it has no channels".into()));
    }
    let unknown = (!sound.length_known).then(|| UNKNOWN_LENGTH.to_string());
    let channels = usize::from(common.channels);
    if common.compression == *b"ima4" {
        let layout = adpcm::Layout {
            kind: adpcm::Kind::ImaQuickTime,
            block: 34 * channels,
            channels,
            rate,
        };
        let source = Adpcm::new(bytes, sound.bytes, layout, None);
        let short = || malformed("an ADPCM block is shorter than its own header".into());
        let mut source = source.ok_or_else(short)?;
        source.warnings.extend(unknown);
        return Ok(Box::new(source));
    }
    let Some((coding, width, big_endian)) = common.coding() else {
        if common.bits == 0 || common.bits > 32 {
            return Err(malformed(format!("samples of {} bits", common.bits)));
        }
        let compression = common.compression.escape_ascii();
        let what = format!("AIFF-C with compression `{compression}`");
        return Err(Error::Unsupported { name, what });
    };
    let block = width * channels;
    let mut data = sound.bytes;
    if !sound.length_known && common.frames > 0 {
        let length = u64::from(common.frames) * block as u64;
        data.end = data.end.min(data.start.saturating_add(length));
    }
    let layout = Layout {
        coding,
        big_endian,
        block,
        width,
        channels,
        rate,
    };
    let mut source = Pcm::new(bytes, data, layout);
    source.warnings.extend(unknown);
    Ok(Box::new(source))
}

/// The chunks that matter.
#[derive(Default)]
struct Chunks {
    comm: Option<Vec<u8>>,
    sound: Option<Sound>,
}

struct Sound {
    bytes: Range<u64>,
    /// Whether the chunk says how long it is.
    length_known: bool,
}

/// A file with more chunks than this before its sound is a trap.
const MOST_CHUNKS: usize = 4096;

/// More of a `COMM` chunk than anybody fills.
const MOST_COMMON: u64 = 1024;

impl Chunks {
    /// Walks the chunks after `FORM size AIFF`.
    fn find(bytes: &mut Bytes<'_>) -> Result<Self> {
        let mut found = Chunks::default();
        let mut at: u64 = 12;
        for _ in 0..MOST_CHUNKS {
            let Some([a, b, c, d, size @ ..]) = bytes.array::<8>(at)? else {
                break;
            };
            let mut size = u64::from(u32::from_be_bytes(size));
            let body = at + 8;
            match &[a, b, c, d] {
                b"COMM" if found.comm.is_none() => {
                    let mut comm = Vec::new();
                    bytes.append(body..body + size.min(MOST_COMMON), &mut comm)?;
                    found.comm = Some(comm);
                }
                b"SSND" if found.sound.is_none() => {
                    // A recorder that never came back to its header, or one that could not.
                    let length_known = match size {
                        0..=8 => chunks::follow(bytes, body + size, u32::from_be_bytes)?,
                        size => size != u64::from(u32::MAX),
                    };
                    if !length_known {
                        size = bytes.len().saturating_sub(body);
                    }
                    // The sound may begin behind a gap; then comes the size of blocks that nobody uses.
                    let gap = bytes.array(body)?.map_or(0, u32::from_be_bytes);
                    let end = body.saturating_add(size);
                    let start = (body + 8).saturating_add(gap.into()).min(end);
                    found.sound = Some(Sound {
                        bytes: start..end,
                        length_known,
                    });
                }
                _ => {}
            }
            if found.comm.is_some() && found.sound.is_some() {
                break;
            }
            at = body.saturating_add(size).saturating_add(size % 2);
        }
        Ok(found)
    }
}

/// The fields of a `COMM` chunk.
struct Common {
    channels: u16,
    /// Samples of one channel, as the header counts them.
    frames: u32,
    bits: u16,
    /// `None`: no number, or beyond 32 bits.
    rate: Option<u32>,
    /// `NONE` in AIFF.
    compression: [u8; 4],
}

impl Common {
    fn parse(comm: &[u8], compressed: bool) -> Option<Self> {
        let (head, rest) = comm.split_first_chunk::<18>()?;
        let half = |at: usize| u16::from_be_bytes([head[at], head[at + 1]]);
        let compression = match compressed {
            true => *rest.first_chunk::<4>()?,
            false => *b"NONE",
        };
        let rate = head.last_chunk::<10>().map(|bytes| extended(*bytes));
        Some(Common {
            channels: half(0),
            frames: u32::from_be_bytes([head[2], head[3], head[4], head[5]]),
            bits: half(6),
            rate: rate
                .filter(|rate| (0.0..=f64::from(u32::MAX)).contains(rate))
                .map(|rate| rate.round() as u32),
            compression,
        })
    }

    /// How samples are coded, their bytes, and whether the highest byte comes first.
    fn coding(&self) -> Option<(Coding, usize, bool)> {
        let integers = |big_endian| {
            let (coding, width) = match self.bits {
                1..=8 => (Coding::I8, 1),
                9..=16 => (Coding::I16, 2),
                17..=24 => (Coding::I24, 3),
                25..=32 => (Coding::I32, 4),
                _ => return None,
            };
            Some((coding, width, big_endian))
        };
        match &self.compression {
            b"NONE" | b"twos" => integers(true),
            b"sowt" => integers(false),
            b"raw " => Some((Coding::U8, 1, true)),
            b"in24" => Some((Coding::I24, 3, true)),
            b"42ni" => Some((Coding::I24, 3, false)),
            b"in32" => Some((Coding::I32, 4, true)),
            b"23ni" => Some((Coding::I32, 4, false)),
            b"fl32" | b"FL32" => Some((Coding::F32, 4, true)),
            b"fl64" | b"FL64" => Some((Coding::F64, 8, true)),
            b"ulaw" | b"ULAW" => Some((Coding::MuLaw, 1, true)),
            b"alaw" | b"ALAW" => Some((Coding::ALaw, 1, true)),
            _ => None,
        }
    }
}

/// A number of IEEE 754's extended precision: 15 bits of exponent, 64 of mantissa with its leading one.
fn extended([e0, e1, mantissa @ ..]: [u8; 10]) -> f64 {
    let exponent = i32::from(u16::from_be_bytes([e0, e1]) & 0x7fff) - 16_383 - 63;
    let magnitude = u64::from_be_bytes(mantissa) as f64 * f64::from(exponent).exp2();
    if e0 & 0x80 == 0 {
        magnitude
    } else {
        -magnitude
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_of_ten_bytes() {
        let of = |e: u16, mantissa: u64| {
            let mut bytes = [0; 10];
            bytes[..2].copy_from_slice(&e.to_be_bytes());
            bytes[2..].copy_from_slice(&mantissa.to_be_bytes());
            extended(bytes)
        };
        assert_eq!(of(0x400e, 0xac44 << 48), 44_100.0);
        assert_eq!(of(0x400b, 0xfa00 << 48), 8000.0);
        assert_eq!(of(0xc00b, 0xfa00 << 48), -8000.0);
        assert_eq!(of(0, 0), 0.0);
        assert!(of(0x7fff, u64::MAX).is_infinite());
    }
}
