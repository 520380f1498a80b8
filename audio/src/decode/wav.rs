//! WAV, RF64 and BW64: integers, floats, G.711, ADPCM and MPEG audio.
//!
//! Files in the wild have data lengths of 0 and 0xffffffff (streamed), lengths beyond the end (truncated), odd chunks
//! without or with their padding byte, byte rates that do not fit, a format chunk of unusual size. RF64 and BW64 files,
//! beyond 4 GiB, have a `ds64` chunk that tells the length.
//!
//! Samples with fewer bits than their container stand at its top (Microsoft's mmreg.h), so the whole container is read
//! and the number of valid bits does not matter.

use super::adpcm::{self, Adpcm};
use super::bytes::Bytes;
use super::chunks;
use super::limits::Limits;
use super::mp3;
use super::pcm::{Coding, Layout, Pcm};
use super::source::{Source, UNKNOWN_LENGTH};
use crate::error::{Error, Result};
use std::ops::Range;

/// Format tags, as in Microsoft's mmreg.h.
const PCM: u16 = 1;
const MS_ADPCM: u16 = 2;
const FLOAT: u16 = 3;
const A_LAW: u16 = 6;
const MU_LAW: u16 = 7;
const IMA_ADPCM: u16 = 0x11;
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
    let format = Format::parse(&fmt).map_err(malformed)?;
    let data = chunks.data.ok_or_else(|| malformed("no `data` chunk"))?;
    let unknown = (!chunks.length_known).then(|| UNKNOWN_LENGTH.to_string());
    limits.check_channels(&name, format.channels.into())?;
    limits.check_rate(&name, format.rate)?;
    if format.tag == MP3 {
        return mp3::open(bytes, Some(data), limits, true);
    }
    if format.channels == 0 {
        return Err(malformed("it has no channels"));
    }
    if format.block < format.channels {
        return Err(malformed("the size of a sample is zero"));
    }
    let (block, channels) = (usize::from(format.block), usize::from(format.channels));
    if let Some(kind) = format.adpcm() {
        let layout = adpcm::Layout {
            kind,
            block,
            channels,
            rate: format.rate,
        };
        // The sound ends within the last block; `fact` tells where.
        let source = Adpcm::new(bytes, data, layout, chunks.samples);
        let short = || malformed("an ADPCM block is shorter than its own header");
        let mut source = source.ok_or_else(short)?;
        source.warnings.extend(unknown);
        return Ok(Box::new(source));
    }
    let layout = Layout {
        coding: format.coding().map_err(|refusal| match refusal {
            Refusal::Malformed(what) => malformed(&what),
            Refusal::Unsupported(what) => unsupported(what),
        })?,
        big_endian: false,
        block,
        width: block / channels,
        channels,
        rate: format.rate,
    };
    let mut source = Pcm::new(bytes, data, layout);
    source.warnings.extend(unknown);
    Ok(Box::new(source))
}

/// The chunks that matter.
#[derive(Default)]
struct Chunks {
    fmt: Option<Vec<u8>>,
    data: Option<Range<u64>>,
    /// Whether `data` says how long it is.
    length_known: bool,
    /// Samples of one channel, from the chunk `fact`.
    samples: Option<u64>,
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
                b"fact" => {
                    let samples = bytes.array(body)?.map(u32::from_le_bytes);
                    found.samples = samples.filter(|&n| n > 0 && n < u32::MAX).map(u64::from);
                }
                b"fmt " if found.fmt.is_none() => {
                    let mut fmt = Vec::new();
                    bytes.append(body..body + size.min(MOST_FORMAT), &mut fmt)?;
                    found.fmt = Some(fmt);
                }
                b"data" if found.data.is_none() => {
                    if let Some(long) = long_data.filter(|_| size == UNKNOWN) {
                        size = long;
                    }
                    // A recorder that never came back to its header, or one that could not.
                    found.length_known = match size {
                        0 => chunks::follow(bytes, body, u32::from_le_bytes)?,
                        size => size != UNKNOWN,
                    };
                    if !found.length_known {
                        size = bytes.len().saturating_sub(body);
                    }
                    found.data = Some(body..body.saturating_add(size));
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
struct Format {
    /// Of `WAVE_FORMAT_EXTENSIBLE` the tag of its subformat.
    tag: u16,
    channels: u16,
    rate: u32,
    /// Bytes of one sample of every channel.
    block: u16,
    bits: u16,
}

/// Why a format is not read.
enum Refusal {
    Malformed(String),
    Unsupported(String),
}

/// The last 14 bytes of every subformat that stands for a format tag: KSDATAFORMAT_SUBTYPE_…
const SUBTYPE: [u8; 14] = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];

/// The same in ambisonic files.
const AMBISONIC: [u8; 14] = [
    0, 0, 0x21, 0x07, 0xd3, 0x11, 0x86, 0x44, 0xc8, 0xc1, 0xca, 0, 0, 0,
];

impl Format {
    fn parse(fmt: &[u8]) -> Result<Self, &'static str> {
        let (head, extension) = fmt
            .split_first_chunk::<16>()
            .ok_or("the `fmt ` chunk is shorter than 16 bytes")?;
        let half = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]);
        let mut format = Format {
            tag: half(0),
            channels: half(2),
            rate: u32::from_le_bytes([head[4], head[5], head[6], head[7]]),
            block: half(12),
            bits: half(14),
        };
        if format.tag == EXTENSIBLE {
            // Its size, the valid bits, the speakers' mask, then the subformat.
            let subformat = extension
                .get(8..24)
                .ok_or("the extensible `fmt ` chunk is shorter than 40 bytes")?;
            if subformat[2..] == SUBTYPE || subformat[2..] == AMBISONIC {
                format.tag = u16::from_le_bytes([subformat[0], subformat[1]]);
            }
        }
        Ok(format)
    }

    fn adpcm(&self) -> Option<adpcm::Kind> {
        match self.tag {
            MS_ADPCM => Some(adpcm::Kind::Microsoft),
            IMA_ADPCM => Some(adpcm::Kind::Ima),
            _ => None,
        }
    }

    fn coding(&self) -> Result<Coding, Refusal> {
        let (tag, bits, width) = (self.tag, self.bits, self.block / self.channels);
        let coding = match (tag, width, bits) {
            (A_LAW, 1, _) => Coding::ALaw,
            (MU_LAW, 1, _) => Coding::MuLaw,
            (FLOAT, 4, 32) => Coding::F32,
            (FLOAT, 8, 64) => Coding::F64,
            (PCM | FLOAT, _, 0) => {
                return Err(Refusal::Malformed("bits per sample is 0".into()));
            }
            (PCM | FLOAT, ..) if u32::from(bits) > 8 * u32::from(width) => {
                let what = format!("samples of {bits} bits in {width} bytes");
                return Err(Refusal::Malformed(what));
            }
            (PCM, 1, 1..=8) => Coding::U8,
            (PCM, 2, 9..=16) => Coding::I16,
            // Four bytes for 24 bits: the first three hold them.
            (PCM, 3, 17..=24) | (PCM, 4, 24) => Coding::I24,
            (PCM, 4, 25..=32) => Coding::I32,
            (PCM | FLOAT, ..) => {
                let kind = if tag == PCM { "bits" } else { "bits of float" };
                let what = format!("WAV with {bits} {kind} in {width} bytes");
                return Err(Refusal::Unsupported(what));
            }
            _ => return Err(Refusal::Unsupported(format!("WAV with {}", tag_name(tag)))),
        };
        Ok(coding)
    }
}

fn tag_name(tag: u16) -> String {
    match tag {
        0x31 => "GSM samples".into(),
        0x161..=0x163 => "WMA samples".into(),
        other => format!("format {other:#06x}"),
    }
}
