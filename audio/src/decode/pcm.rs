//! Samples as they stand in WAV and AU files, one after another, to floats of one channel.

use super::bytes::Bytes;
use super::source::{Source, cut_short};
use crate::error::Result;
use std::ops::Range;

/// What the bytes of a sample mean; the lowest byte comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    /// 8 bits, silence at 128.
    U8,
    I8,
    I16,
    /// The first three bytes, whether a fourth follows or not.
    I24,
    I32,
    F32,
    F64,
    /// 8 bits by ITU-T G.711.
    MuLaw,
    /// 8 bits by ITU-T G.711.
    ALaw,
}

/// How samples are laid out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    pub(super) coding: Coding,
    /// Whether the highest byte comes first.
    pub(super) big_endian: bool,
    /// Bytes of one sample of every channel.
    pub(super) block: usize,
    /// Bytes of a sample; at most `block / channels`.
    pub(super) width: usize,
    pub(super) channels: usize,
    /// Samples per second.
    pub(super) rate: u32,
}

/// Blocks that are converted at once.
const AT_ONCE: u64 = 16_384;

/// Samples that stand in a file as they are.
pub(super) struct Pcm<'a> {
    bytes: Bytes<'a>,
    /// What is still to be read, in whole blocks.
    rest: Range<u64>,
    layout: Layout,
    raw: Vec<u8>,
    pub(super) warnings: Vec<String>,
}

impl<'a> Pcm<'a> {
    /// The samples in `data`, cut to what the file holds and to whole blocks.
    pub(super) fn new(bytes: Bytes<'a>, data: Range<u64>, layout: Layout) -> Self {
        let end = data.end.min(bytes.len());
        let len = end.saturating_sub(data.start);
        let said = data.end.saturating_sub(data.start);
        let end = data.start + len - len % layout.block as u64;
        Pcm {
            warnings: cut_short(said, len).into_iter().collect(),
            bytes,
            rest: data.start..end,
            layout,
            raw: Vec::new(),
        }
    }

    fn blocks(&self) -> u64 {
        (self.rest.end - self.rest.start) / self.layout.block as u64
    }
}

impl Source for Pcm<'_> {
    fn rate(&self) -> u32 {
        self.layout.rate
    }

    fn about(&self) -> Option<u64> {
        Some(self.blocks())
    }

    fn warnings(&self) -> Vec<String> {
        self.warnings.clone()
    }

    fn skip(&mut self, samples: u64) -> u64 {
        let samples = samples.min(self.blocks());
        self.rest.start += samples * self.layout.block as u64;
        samples
    }

    fn read(&mut self, samples: &mut Vec<f32>) -> Result<bool> {
        if self.rest.is_empty() {
            return Ok(false);
        }
        let to = self
            .rest
            .end
            .min(self.rest.start + AT_ONCE * self.layout.block as u64);
        self.raw.clear();
        self.bytes.append(self.rest.start..to, &mut self.raw)?;
        self.rest.start = to;
        if self.layout.big_endian {
            self.raw
                .chunks_exact_mut(self.layout.width)
                .for_each(<[u8]>::reverse);
        }
        self.layout.append(&self.raw, samples);
        Ok(true)
    }
}

impl Layout {
    /// The mean over channels of every block.
    fn append(&self, raw: &[u8], samples: &mut Vec<f32>) {
        match self.coding {
            Coding::U8 => self.mix(raw, samples, |[b]| (f32::from(b) - 128.0) / 128.0),
            Coding::I8 => self.mix(raw, samples, |b| f32::from(i8::from_le_bytes(b)) / 128.0),
            Coding::I16 => self.mix(raw, samples, |b| f32::from(i16::from_le_bytes(b)) / 32768.0),
            Coding::I24 => self.mix(raw, samples, |[low, middle, high]| {
                (i32::from_le_bytes([0, low, middle, high]) >> 8) as f32 / 8_388_608.0
            }),
            Coding::I32 => self.mix(raw, samples, |b| {
                i32::from_le_bytes(b) as f32 / 2_147_483_648.0
            }),
            Coding::F32 => self.mix(raw, samples, f32::from_le_bytes),
            Coding::F64 => self.mix(raw, samples, |b| f64::from_le_bytes(b) as f32),
            Coding::MuLaw => self.mix(raw, samples, |[b]| mu_law(b)),
            Coding::ALaw => self.mix(raw, samples, |[b]| a_law(b)),
        }
    }

    fn mix<const N: usize>(
        &self,
        raw: &[u8],
        samples: &mut Vec<f32>,
        sample: impl Fn([u8; N]) -> f32,
    ) {
        // Usual layouts have a known size, so that they are read in vectors.
        if self.channels == 1 && self.block == N {
            samples.extend(raw.as_chunks::<N>().0.iter().map(|one| sample(*one)));
            return;
        }
        // `N` bytes are there wherever the header's own figures agree, which the readers have checked.
        let first = |bytes: &[u8]| bytes.first_chunk::<N>().map_or(0.0, |b| sample(*b));
        if self.channels == 2 && self.block == 2 * N {
            let both = raw.as_chunks::<N>().0.as_chunks::<2>().0.iter();
            samples.extend(both.map(|[left, right]| 0.5 * (sample(*left) + sample(*right))));
            return;
        }
        let blocks = raw.chunks_exact(self.block);
        if self.channels == 1 {
            samples.extend(blocks.map(first));
            return;
        }
        let gain = 1.0 / self.channels as f32;
        let sum = |block: &[u8]| {
            block
                .chunks_exact(self.width)
                .take(self.channels)
                .map(first)
                .sum::<f32>()
        };
        samples.extend(blocks.map(|block| gain * sum(block)));
    }
}

/// 14 bits in 8: sign, three bits of exponent, four of mantissa, all inverted.
fn mu_law(byte: u8) -> f32 {
    let byte = !byte;
    let magnitude = (((i32::from(byte & 15) << 3) + 0x84) << (byte >> 4 & 7)) - 0x84;
    (if byte & 0x80 == 0 {
        magnitude
    } else {
        -magnitude
    }) as f32
        / 32768.0
}

/// 13 bits in 8: sign, three bits of exponent, four of mantissa, every other one inverted.
fn a_law(byte: u8) -> f32 {
    let byte = byte ^ 0x55;
    let mantissa = i32::from(byte & 15) << 4;
    let magnitude = match byte >> 4 & 7 {
        0 => mantissa + 8,
        exponent => (mantissa + 0x108) << (exponent - 1),
    };
    (if byte & 0x80 == 0 {
        -magnitude
    } else {
        magnitude
    }) as f32
        / 32768.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A few of the 256 values that libsndfile 1.2 gives.
    #[test]
    fn g711_is_what_libsndfile_reads() {
        let as_16_bit = |law: fn(u8) -> f32| {
            [0u8, 1, 85, 127, 128, 200, 213, 255].map(|byte| law(byte) * 32768.0)
        };
        let mu = [-32124.0, -31100.0, -716.0, 0.0, 32124.0, 1372.0, 716.0, 0.0];
        assert_eq!(as_16_bit(mu_law), mu);
        let a = [-5504.0, -5248.0, -8.0, -848.0, 5504.0, 472.0, 8.0, 848.0];
        assert_eq!(as_16_bit(a_law), a);
    }
}
