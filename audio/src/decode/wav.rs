//! WAV: every integer and float form that hound reads, and what hound is strict about made whole first.
//!
//! Files in the wild have data lengths of 0xffffffff (streamed), lengths beyond the end (truncated), odd chunks
//! without or with their padding byte, byte rates that do not fit, a format chunk of unusual size. So the chunks are
//! walked here, and hound is handed a canonical file: one `fmt ` chunk and one `data` chunk of the length that is there.

use super::Limits;
use crate::clip::Clip;
use crate::error::{Error, Result};
use hound::{SampleFormat, WavReader};

/// Format tags, as in Microsoft's mmreg.h.
const PCM: u16 = 1;
const FLOAT: u16 = 3;
const MP3: u16 = 0x55;
const EXTENSIBLE: u16 = 0xfffe;

pub(super) fn decode(bytes: &[u8], name: &str, limits: &Limits) -> Result<Clip> {
    let malformed = |what: &str| Error::Malformed {
        name: name.into(),
        what: what.into(),
    };
    let unsupported = |what: String| Error::Unsupported {
        name: name.into(),
        what,
    };
    let chunks = Chunks::find(bytes);
    let format = Format::parse(chunks.fmt.ok_or_else(|| malformed("no `fmt ` chunk"))?)
        .ok_or_else(|| malformed("the `fmt ` chunk is shorter than 16 bytes"))?;
    let data = chunks.data.ok_or_else(|| malformed("no `data` chunk"))?;
    limits.check_channels(name, format.channels)?;
    limits.check_rate(name, format.rate)?;
    match format.tag {
        FLOAT if format.bits == 64 => {
            return Err(unsupported("WAV with 64-bit float samples".into()));
        }
        PCM | FLOAT | EXTENSIBLE => {}
        MP3 => return super::mpeg(data, name, limits, true),
        tag => return Err(unsupported(format!("WAV with {}", tag_name(tag)))),
    }

    let (header, data) = format
        .canonical(data)
        .ok_or_else(|| malformed("the size of a sample is zero"))?;
    let blocks = data.len() / usize::from(format.block);
    limits.check_seconds(name, blocks as f64 / f64::from(format.rate.max(1)))?;
    // hound judges the header; its samples come one read at a time, so they are converted here, many at once.
    let spec = WavReader::new(header.as_slice())
        .map_err(|e| match e {
            hound::Error::Unsupported => unsupported("this kind of WAV".into()),
            hound::Error::FormatError(what) => malformed(what),
            other => malformed(&other.to_string()),
        })?
        .spec();
    let bytes = format.block / format.channels;
    let blocks = Blocks {
        data,
        block: format.block.into(),
        bytes: bytes.into(),
        channels: format.channels.into(),
    };
    let samples = match (spec.sample_format, bytes, spec.bits_per_sample) {
        (SampleFormat::Float, 4, 32) => {
            blocks.mix(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
        }
        (SampleFormat::Int, 1, 8) => blocks.mix(|b| (f32::from(b[0]) - 128.0) / 128.0),
        (SampleFormat::Int, 2, 16) => {
            blocks.mix(|b| f32::from(i16::from_le_bytes([b[0], b[1]])) / 32768.0)
        }
        (SampleFormat::Int, 3, 24) | (SampleFormat::Int, 4, 24) => {
            blocks.mix(|b| int24([b[0], b[1], b[2]]))
        }
        (SampleFormat::Int, 4, 32) => {
            blocks.mix(|b| i32::from_le_bytes([b[0], b[1], b[2], b[3]]) as f32 / 2_147_483_648.0)
        }
        (_, bytes, bits) => {
            return Err(unsupported(format!(
                "WAV with {bits} bits in {bytes} bytes"
            )));
        }
    };
    Ok(Clip {
        samples,
        sample_rate: spec.sample_rate,
    })
}

/// Three bytes, lowest first, full scale at 1.
fn int24([low, middle, high]: [u8; 3]) -> f32 {
    (i32::from_le_bytes([0, low, middle, high]) >> 8) as f32 / 8_388_608.0
}

/// Samples of all channels, one block after another.
struct Blocks<'a> {
    data: &'a [u8],
    /// Bytes of a block.
    block: usize,
    /// Bytes of a sample.
    bytes: usize,
    channels: usize,
}

impl Blocks<'_> {
    /// The mean over channels.
    fn mix(&self, sample: impl Fn(&[u8]) -> f32) -> Vec<f32> {
        let blocks = self.data.chunks_exact(self.block);
        if self.channels == 1 {
            return blocks.map(|block| sample(&block[..self.bytes])).collect();
        }
        let gain = 1.0 / self.channels as f32;
        let sum = |block: &[u8]| {
            block
                .chunks_exact(self.bytes)
                .take(self.channels)
                .map(&sample)
                .sum::<f32>()
        };
        blocks.map(|block| gain * sum(block)).collect()
    }
}

/// The two chunks that matter.
#[derive(Default)]
struct Chunks<'a> {
    fmt: Option<&'a [u8]>,
    data: Option<&'a [u8]>,
}

impl<'a> Chunks<'a> {
    /// Walks the chunks after `RIFF size WAVE`; a chunk that reaches beyond the end is cut there.
    fn find(bytes: &'a [u8]) -> Self {
        let mut found = Chunks::default();
        let mut at = 12;
        while let Some((id, rest)) = bytes.get(at..).and_then(<[u8]>::split_first_chunk::<4>) {
            let Some((size, body)) = rest.split_first_chunk::<4>() else {
                break;
            };
            let size = usize::try_from(u32::from_le_bytes(*size)).unwrap_or(usize::MAX);
            let body = &body[..size.min(body.len())];
            match id {
                b"fmt " if found.fmt.is_none() => found.fmt = Some(body),
                b"data" if found.data.is_none() => found.data = Some(body),
                _ => {}
            }
            if found.fmt.is_some() && found.data.is_some() {
                break;
            }
            at = at.saturating_add(8).saturating_add(size);
            // Chunks start at even offsets; some writers forget, and then the next name starts right here.
            if size % 2 == 1 && !bytes.get(at..).is_some_and(starts_with_known_chunk) {
                at = at.saturating_add(1);
            }
        }
        found
    }
}

fn starts_with_known_chunk(bytes: &[u8]) -> bool {
    [b"fmt ", b"data", b"fact", b"LIST"]
        .iter()
        .any(|id| bytes.starts_with(*id))
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

    /// The header of a file that holds just this format and `data`, cut to whole blocks. Leaves to hound what hound
    /// judges well (bits against bytes); `None` where a block is empty.
    fn canonical<'d>(&self, data: &'d [u8]) -> Option<(Vec<u8>, &'d [u8])> {
        if self.channels == 0 || self.block < self.channels {
            return None;
        }
        // The data chunk's length is a 32-bit number, also where the slice is longer.
        let most = data
            .len()
            .min(usize::try_from(u32::MAX).unwrap_or(usize::MAX));
        let data = &data[..most - most % usize::from(self.block)];
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
        header.extend(b"data");
        header.extend((data.len() as u32).to_le_bytes());
        Some((header, data))
    }
}

fn tag_name(tag: u16) -> String {
    match tag {
        2 | 0x11 => "ADPCM samples".into(),
        6 => "A-law samples".into(),
        7 => "µ-law samples".into(),
        0x31 => "GSM samples".into(),
        other => format!("format {other:#06x}"),
    }
}
