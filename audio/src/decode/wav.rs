//! WAV: every integer and float form that hound reads, G.711 and 64-bit floats besides, and what hound is strict about
//! made whole first.
//!
//! Files in the wild have data lengths of 0xffffffff (streamed), lengths beyond the end (truncated), odd chunks
//! without or with their padding byte, byte rates that do not fit, a format chunk of unusual size. So the chunks are
//! walked here, and hound is handed a canonical header: one `fmt ` chunk and an empty `data` chunk. RF64 files, beyond
//! 4 GiB, are WAV files with a `ds64` chunk that tells the length.

use super::bytes::Bytes;
use super::pcm::{Coding, Layout, Pcm};
use super::stream::Source;
use super::{Limits, mp3};
use crate::error::{Error, Result};
use hound::{SampleFormat, WavReader};
use std::ops::Range;

/// Format tags, as in Microsoft's mmreg.h.
const PCM: u16 = 1;
const FLOAT: u16 = 3;
const A_LAW: u16 = 6;
const MU_LAW: u16 = 7;
const MP3: u16 = 0x55;
const EXTENSIBLE: u16 = 0xfffe;

pub(super) fn open<'a>(
    mut bytes: Bytes<'a>,
    limits: &Limits,
) -> Result<Box<dyn Source + Send + 'a>> {
    let name = bytes.name.clone();
    let malformed = |what: &str| Error::Malformed {
        name: name.clone(),
        format: "WAV",
        what: what.into(),
    };
    let unsupported = |what: String| Error::Unsupported {
        name: name.clone(),
        what,
    };
    let chunks = Chunks::find(&mut bytes)?;
    let fmt = chunks.fmt.ok_or_else(|| malformed("no `fmt ` chunk"))?;
    let format = Format::parse(&fmt)
        .ok_or_else(|| malformed("the `fmt ` chunk is shorter than 16 bytes"))?;
    let data = chunks.data.ok_or_else(|| malformed("no `data` chunk"))?;
    limits.check_channels(&name, format.channels.into())?;
    limits.check_rate(&name, format.rate)?;
    if format.tag == MP3 {
        return mp3::open(bytes, Some(data), limits, true);
    }
    if format.channels == 0 || format.block < format.channels {
        return Err(malformed("the size of a sample is zero"));
    }
    let width = format.block / format.channels;
    let coding = match (format.tag, width, format.bits) {
        (A_LAW, 1, _) => Coding::ALaw,
        (MU_LAW, 1, _) => Coding::MuLaw,
        (FLOAT, 8, 64) => Coding::F64,
        (PCM | FLOAT | EXTENSIBLE, ..) => {
            // hound judges the header; samples are converted many at once.
            let spec = WavReader::new(format.canonical().as_slice())
                .map_err(|e| match e {
                    hound::Error::Unsupported => unsupported("this kind of WAV".into()),
                    hound::Error::FormatError(what) => malformed(what),
                    other => malformed(&other.to_string()),
                })?
                .spec();
            match (spec.sample_format, width, spec.bits_per_sample) {
                (SampleFormat::Float, 4, 32) => Coding::F32,
                (SampleFormat::Int, 1, 8) => Coding::U8,
                (SampleFormat::Int, 2, 16) => Coding::I16,
                (SampleFormat::Int, 3 | 4, 24) => Coding::I24,
                (SampleFormat::Int, 4, 32) => Coding::I32,
                (_, width, bits) => {
                    return Err(unsupported(format!(
                        "WAV with {bits} bits in {width} bytes"
                    )));
                }
            }
        }
        (tag, ..) => return Err(unsupported(format!("WAV with {}", tag_name(tag)))),
    };
    let layout = Layout {
        coding,
        big_endian: false,
        block: format.block.into(),
        width: width.into(),
        channels: format.channels.into(),
        rate: format.rate,
    };
    Ok(Box::new(Pcm::new(bytes, data, layout)))
}

/// The two chunks that matter.
#[derive(Default)]
struct Chunks {
    fmt: Option<Vec<u8>>,
    data: Option<Range<u64>>,
}

/// A file with more chunks than this before its sound is a trap.
const MOST_CHUNKS: usize = 4096;

/// More of a format chunk than anybody fills.
const MOST_FORMAT: u64 = 1024;

/// A size that stands elsewhere, or was not known.
const UNKNOWN: u64 = 0xffff_ffff;

impl Chunks {
    /// Walks the chunks after `RIFF size WAVE`; a chunk that reaches beyond the end is cut there.
    fn find(bytes: &mut Bytes<'_>) -> Result<Self> {
        let mut found = Chunks::default();
        let mut long_data = None;
        let mut at: u64 = 12;
        for _ in 0..MOST_CHUNKS {
            let Some([a, b, c, d, size @ ..]) = bytes.array::<8>(at)? else {
                break;
            };
            let mut size = u64::from(u32::from_le_bytes(size));
            let body = at + 8;
            match &[a, b, c, d] {
                b"ds64" => long_data = bytes.array(body + 8)?.map(u64::from_le_bytes),
                b"fmt " if found.fmt.is_none() => {
                    let mut fmt = Vec::new();
                    bytes.append(body..body + size.min(MOST_FORMAT), &mut fmt)?;
                    found.fmt = Some(fmt);
                }
                b"data" if found.data.is_none() => {
                    if let Some(long) = long_data.filter(|_| size == UNKNOWN) {
                        size = long;
                    }
                    found.data = Some(body..body.saturating_add(size).min(bytes.len()));
                }
                _ => {}
            }
            if found.fmt.is_some() && found.data.is_some() {
                break;
            }
            at = body.saturating_add(size);
            // Chunks start at even offsets; some writers forget, and then the next name starts right here.
            if size % 2 == 1 && !bytes.array::<4>(at)?.is_some_and(is_known_chunk) {
                at = at.saturating_add(1);
            }
        }
        Ok(found)
    }
}

fn is_known_chunk(id: [u8; 4]) -> bool {
    [b"fmt ", b"data", b"fact", b"LIST"].contains(&&id)
}

/// The fields of a `fmt ` chunk.
struct Format<'a> {
    tag: u16,
    channels: u16,
    rate: u32,
    /// Bytes of one sample of every channel.
    block: u16,
    bits: u16,
    /// What follows the first 16 bytes.
    extension: &'a [u8],
}

impl<'a> Format<'a> {
    fn parse(fmt: &'a [u8]) -> Option<Self> {
        let (head, extension) = fmt.split_first_chunk::<16>()?;
        let half = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]);
        let rate = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
        Some(Format {
            tag: half(0),
            channels: half(2),
            rate,
            block: half(12),
            bits: half(14),
            extension,
        })
    }

    /// The header of a file that holds just this format and no data. Leaves to hound what hound judges well: bits
    /// against bytes.
    fn canonical(&self) -> Vec<u8> {
        let extensible = self.tag == EXTENSIBLE && self.extension.len() >= 24;
        let mut header = Vec::with_capacity(68);
        header.extend(b"RIFF\0\0\0\0WAVEfmt ");
        header.extend(if extensible { 40u32 } else { 16 }.to_le_bytes());
        header.extend(self.tag.to_le_bytes());
        header.extend(self.channels.to_le_bytes());
        header.extend(self.rate.to_le_bytes());
        header.extend((u32::from(self.block).wrapping_mul(self.rate)).to_le_bytes());
        header.extend(self.block.to_le_bytes());
        header.extend(self.bits.to_le_bytes());
        if extensible {
            header.extend(22u16.to_le_bytes());
            // 12 or 20 valid bits stand at the top of their container, so reading the whole container is right.
            let valid = u16::from_le_bytes([self.extension[2], self.extension[3]]);
            header.extend(
                if valid.is_multiple_of(8) {
                    valid
                } else {
                    self.bits
                }
                .to_le_bytes(),
            );
            header.extend(&self.extension[4..24]);
        }
        header.extend(b"data\0\0\0\0");
        header
    }
}

fn tag_name(tag: u16) -> String {
    match tag {
        2 | 0x11 => "ADPCM samples".into(),
        0x31 => "GSM samples".into(),
        other => format!("format {other:#06x}"),
    }
}
