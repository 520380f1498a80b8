//! ADPCM, four bits a sample: Microsoft's, and IMA's as WAV and as AIFF-C hold it.
//!
//! A file is a row of blocks of equal size; each begins with the state of its predictor, so a damaged block spoils no
//! other. What a damaged block says beyond 16 bits is clamped.

use super::bytes::Bytes;
use super::source::{Source, cut_short};
use crate::error::Result;
use std::ops::Range;

/// The kinds of block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Microsoft,
    /// IMA's: 4 bytes of state a channel, then 4 bytes of samples a channel in turn.
    Ima,
    /// IMA's as QuickTime has it: 34 bytes and 64 samples a channel, one channel after the other.
    ImaQuickTime,
}

impl Kind {
    /// Bytes of one channel's state at the start of a block.
    fn state(self) -> usize {
        match self {
            Kind::Microsoft => 7,
            Kind::Ima => 4,
            Kind::ImaQuickTime => 2,
        }
    }

    /// Samples of one channel that the state itself holds.
    fn samples_in_state(self) -> usize {
        match self {
            Kind::Microsoft => 2,
            Kind::Ima => 1,
            Kind::ImaQuickTime => 0,
        }
    }

    /// Samples of one channel in `block` bytes; `None` where not even the states fit.
    pub(super) fn samples(self, block: usize, channels: usize) -> Option<usize> {
        let bytes = block.checked_sub(self.state() * channels)?;
        let coded = match self {
            // Four bytes of each channel in turn: what is left of such a group is no sample.
            Kind::Ima => bytes / (4 * channels) * 8,
            _ => bytes * 2 / channels,
        };
        Some(self.samples_in_state() + coded)
    }
}

/// How blocks are laid out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    pub(super) kind: Kind,
    /// Bytes of a block; at least as many as the states of its channels take.
    pub(super) block: usize,
    /// At least 1.
    pub(super) channels: usize,
    /// Samples per second.
    pub(super) rate: u32,
}

/// ADPCM in a part of a file.
pub(super) struct Adpcm<'a> {
    bytes: Bytes<'a>,
    /// What is still to be read.
    rest: Range<u64>,
    layout: Layout,
    /// Samples of a whole block.
    samples: usize,
    /// Samples that are still to be given: the last block may be longer than the sound.
    left: u64,
    raw: Vec<u8>,
    sums: Vec<i32>,
    pub(super) warnings: Vec<String>,
}

impl<'a> Adpcm<'a> {
    /// The blocks in `data`, of which the first `samples` samples are sound, where that is known; `None` for blocks too
    /// short to hold their own state.
    pub(super) fn new(
        bytes: Bytes<'a>,
        data: Range<u64>,
        layout: Layout,
        samples: Option<u64>,
    ) -> Option<Self> {
        let end = data.end.min(bytes.len()).max(data.start);
        let said = data.end.saturating_sub(data.start);
        let whole = layout.kind.samples(layout.block, layout.channels)?;
        let (blocks, torn) = {
            let (len, block) = (end - data.start, layout.block as u64);
            (len / block, (len % block) as usize)
        };
        let torn = layout.kind.samples(torn, layout.channels).unwrap_or(0);
        let held = (blocks * whole as u64).saturating_add(torn as u64);
        Some(Adpcm {
            bytes,
            rest: data.start..end,
            layout,
            samples: whole,
            left: samples.map_or(held, |samples| samples.min(held)),
            raw: Vec::new(),
            sums: Vec::new(),
            warnings: cut_short(said, end - data.start).into_iter().collect(),
        })
    }
}

impl Source for Adpcm<'_> {
    fn rate(&self) -> u32 {
        self.layout.rate
    }

    fn about(&self) -> Option<u64> {
        Some(self.left)
    }

    fn warnings(&self) -> Vec<String> {
        self.warnings.clone()
    }

    fn skip(&mut self, samples: u64) -> u64 {
        // Whole blocks, since each stands for itself.
        let whole = self.samples.max(1) as u64;
        let blocks = samples.min(self.left) / whole;
        self.rest.start = (self.rest.end).min(self.rest.start + blocks * self.layout.block as u64);
        self.left -= blocks * whole;
        blocks * whole
    }

    fn read(&mut self, samples: &mut Vec<f32>) -> Result<bool> {
        if self.rest.is_empty() || self.left == 0 {
            return Ok(false);
        }
        let to = (self.rest.end).min(self.rest.start + self.layout.block as u64);
        self.raw.clear();
        self.bytes.append(self.rest.start..to, &mut self.raw)?;
        self.rest.start = to;
        let Layout { kind, channels, .. } = self.layout;
        let count = kind.samples(self.raw.len(), channels).unwrap_or(0);
        self.sums.clear();
        self.sums.resize(count, 0);
        for channel in 0..channels {
            match kind {
                Kind::Microsoft => microsoft(&self.raw, channel, channels, &mut self.sums),
                Kind::Ima => ima(&self.raw, channel, channels, &mut self.sums),
                Kind::ImaQuickTime => quick_time(&self.raw, channel, channels, &mut self.sums),
            }
        }
        let count = count.min(usize::try_from(self.left).unwrap_or(usize::MAX));
        self.left -= count as u64;
        let gain = 1.0 / (32_768.0 * channels as f32);
        samples.extend(self.sums[..count].iter().map(|&sum| gain * sum as f32));
        Ok(true)
    }
}

/// Two bytes, the lower first; 0 beyond the end.
fn i16_at(raw: &[u8], at: usize) -> i32 {
    let bytes = raw.get(at..at + 2).and_then(|bytes| bytes.first_chunk());
    bytes.map_or(0, |bytes| i16::from_le_bytes(*bytes).into())
}

fn to_16_bits(value: i32) -> i32 {
    value.clamp(i16::MIN.into(), i16::MAX.into())
}

/// Microsoft's seven predictors: weights of the last sample and of the one before, in 256ths.
const PREDICTORS: [(i32, i32); 7] = [
    (256, 0),
    (512, -256),
    (0, 0),
    (192, 64),
    (240, 0),
    (460, -208),
    (392, -232),
];

/// By how much, in 256ths, a code changes the step.
const ADAPTATION: [i32; 16] = [
    230, 230, 230, 230, 307, 409, 512, 614, 768, 614, 512, 409, 307, 230, 230, 230,
];

/// Adds a channel of a block to `sums`.
fn microsoft(raw: &[u8], channel: usize, channels: usize, sums: &mut [i32]) {
    let predictor = raw.get(channel).copied().unwrap_or(0);
    // An unknown predictor is damage; libsndfile takes the first one too.
    let (last, before) = PREDICTORS
        .get(usize::from(predictor))
        .copied()
        .unwrap_or(PREDICTORS[0]);
    let word = |i: usize| i16_at(raw, channels + 2 * (i * channels + channel));
    let (mut step, mut one, mut two) = (word(0), word(1), word(2));
    let coded = &raw[(7 * channels).min(raw.len())..];
    for (i, sum) in sums.iter_mut().enumerate() {
        *sum += match i {
            0 => two,
            1 => one,
            _ => {
                let code = nibble(coded, (i - 2) * channels + channel, true);
                let signed = if code > 7 { code - 16 } else { code };
                let next = ((one * last + two * before) >> 8) + signed * step;
                (one, two) = (to_16_bits(next), one);
                // Sound never needs a step beyond 16 bits.
                step = ((step * ADAPTATION[code as usize]) >> 8).clamp(16, 1 << 16);
                one
            }
        };
    }
}

/// The `i`th code of four bits, 0 to 15; 0 beyond the end.
fn nibble(coded: &[u8], i: usize, high_first: bool) -> i32 {
    let byte = coded.get(i / 2).copied().unwrap_or(0);
    let high = i.is_multiple_of(2) == high_first;
    (if high { byte >> 4 } else { byte & 15 }).into()
}

/// IMA's 89 steps.
#[rustfmt::skip]
const STEPS: [i32; 89] = [
    7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45, 50, 55, 60, 66, 73, 80, 88, 97, 107,
    118, 130, 143, 157, 173, 190, 209, 230, 253, 279, 307, 337, 371, 408, 449, 494, 544, 598, 658, 724, 796, 876, 963,
    1060, 1166, 1282, 1411, 1552, 1707, 1878, 2066, 2272, 2499, 2749, 3024, 3327, 3660, 4026, 4428, 4871, 5358, 5894,
    6484, 7132, 7845, 8630, 9493, 10442, 11487, 12635, 13899, 15289, 16818, 18500, 20350, 22385, 24623, 27086, 29794,
    32767,
];

/// By how much a code's lower three bits change the index of the step.
const INDEX_CHANGE: [i32; 8] = [-1, -1, -1, -1, 2, 4, 6, 8];

/// IMA's predictor.
struct Ima {
    sample: i32,
    index: i32,
}

impl Ima {
    fn next(&mut self, code: i32) -> i32 {
        self.index = self.index.clamp(0, 88);
        let step = STEPS[self.index as usize];
        let mut change = step >> 3;
        for (bit, part) in [(4, step), (2, step >> 1), (1, step >> 2)] {
            if code & bit != 0 {
                change += part;
            }
        }
        let change = if code & 8 != 0 { -change } else { change };
        self.sample = to_16_bits(self.sample + change);
        self.index += INDEX_CHANGE[(code & 7) as usize];
        self.sample
    }
}

/// Adds a channel of a block to `sums`.
fn ima(raw: &[u8], channel: usize, channels: usize, sums: &mut [i32]) {
    let mut state = Ima {
        sample: i16_at(raw, 4 * channel),
        index: raw.get(4 * channel + 2).copied().unwrap_or(0).into(),
    };
    let coded = &raw[(4 * channels).min(raw.len())..];
    for (i, sum) in sums.iter_mut().enumerate() {
        *sum += match i.checked_sub(1) {
            None => state.sample,
            Some(i) => {
                let group = i / 8 * channels + channel;
                state.next(nibble(coded, group * 8 + i % 8, false))
            }
        };
    }
}

/// Adds a channel of a block to `sums`.
fn quick_time(raw: &[u8], channel: usize, channels: usize, sums: &mut [i32]) {
    let len = raw.len() / channels;
    let raw = &raw[channel * len..(channel + 1) * len];
    let Some((head, coded)) = raw.split_first_chunk::<2>() else {
        return;
    };
    // Nine bits of the sample, seven of the index.
    let head = i16::from_be_bytes(*head);
    let mut state = Ima {
        sample: (head & !0x7f).into(),
        index: (head & 0x7f).into(),
    };
    for (i, sum) in sums.iter_mut().enumerate() {
        *sum += state.next(nibble(coded, i, false));
    }
}
