//! Layers I and II (ISO/IEC 11172-3, 2.4.1.5, 2.4.1.6 and 2.4.3.1 to 2.4.3.3; 13818-3 for the lower rates): each
//! subband's values are whole numbers of as many levels as it was allotted, times a scale factor.

use super::bits::Bits;
use super::header::Header;
use super::synthesis::{MOST_SLOTS, SUBBANDS};

/// Values in time: `[slot][subband]`.
pub(super) type Values = [[f32; SUBBANDS]; MOST_SLOTS];

/// Layer I allots `2^bits - 1` levels by four bits.
const LAYER1: [u16; 15] = [
    0, 3, 7, 15, 31, 63, 127, 255, 511, 1023, 2047, 4095, 8191, 16383, 32767,
];

/// The levels that layer II's allotments stand for (tables B.2; 13818-3, B.1). As many bits name one as the list needs.
const RICH: [u16; 16] = [
    0, 3, 7, 15, 31, 63, 127, 255, 511, 1023, 2047, 4095, 8191, 16383, 32767, 65535,
];
const HIGH: [u16; 16] = [
    0, 3, 5, 7, 9, 15, 31, 63, 127, 255, 511, 1023, 2047, 4095, 8191, 65535,
];
const MIDDLE: [u16; 8] = [0, 3, 5, 7, 9, 15, 31, 65535];
const FEW: [u16; 4] = [0, 3, 5, 65535];
const POOR: [u16; 16] = [
    0, 3, 5, 9, 15, 31, 63, 127, 255, 511, 1023, 2047, 4095, 8191, 16383, 32767,
];
const POORER: [u16; 8] = [0, 3, 5, 9, 15, 31, 63, 127];
const LOW: [u16; 16] = [
    0, 3, 5, 7, 9, 15, 31, 63, 127, 255, 511, 1023, 2047, 4095, 8191, 16383,
];
const LOWER: [u16; 4] = [0, 3, 5, 9];

/// Subbands up to the first number have the list of levels beside it.
type Allotment = &'static [(usize, &'static [u16])];

fn allotment(header: &Header) -> Allotment {
    const LAYER_1: Allotment = &[(32, &LAYER1)];
    const LOW_RATES: Allotment = &[(4, &LOW), (11, &POORER), (30, &LOWER)];
    const SPARSE: Allotment = &[(2, &POOR), (8, &POORER)];
    const SPARSE_AT_32: Allotment = &[(2, &POOR), (12, &POORER)];
    const ORDINARY: Allotment = &[(3, &RICH), (11, &HIGH), (23, &MIDDLE), (27, &FEW)];
    const WIDE: Allotment = &[(3, &RICH), (11, &HIGH), (23, &MIDDLE), (30, &FEW)];
    match (header.layer, header.mpeg1) {
        (1, _) => return LAYER_1,
        (_, false) => return LOW_RATES,
        _ => {}
    }
    let at_least = |rate| header.bitrate == 0 || header.bitrate / header.channels >= rate;
    match (header.rate, at_least(56), at_least(96)) {
        (32_000, false, _) => SPARSE_AT_32,
        (_, false, _) => SPARSE,
        (48_000, ..) | (_, _, false) => ORDINARY,
        _ => WIDE,
    }
}

/// Decodes a frame's `bytes`, those behind its header and checksum: how many time slots of `values`, which are zero, it
/// fills with the mean of its channels. `None` where an allotment is no code, or where there are fewer bits than were allotted.
pub(super) fn decode(header: &Header, bytes: &[u8], values: &mut Values) -> Option<usize> {
    let mut bits = Bits::new(bytes);
    let channels = header.channels;
    // Subbands from the bound on have the same values in both channels, with scale factors of their own.
    let own = |subband: usize| if subband < header.bound { channels } else { 1 };
    let allotment = allotment(header);
    let list = |subband: usize| {
        allotment
            .iter()
            .find(|(end, _)| subband < *end)
            .map(|(_, list)| *list)
    };
    let mut levels = [[0u16; 2]; SUBBANDS];
    for (subband, levels) in levels.iter_mut().enumerate() {
        let Some(list) = list(subband) else { break };
        for channel in 0..own(subband) {
            let code = bits.read(list.len().next_power_of_two().ilog2());
            levels[channel] = *list.get(code as usize)?;
        }
        if own(subband) < channels {
            levels[1] = levels[0];
        }
    }
    let factors = factors(header, &levels, &mut bits);
    let (slots, group) = if header.layer == 1 {
        (12, 1)
    } else {
        (MOST_SLOTS, 3)
    };
    for slot in (0..slots).step_by(group) {
        let part = slot / 12;
        for subband in 0..SUBBANDS {
            for channel in 0..own(subband) {
                let levels = levels[subband][channel];
                let numbers = numbers(levels, group, &mut bits);
                // What both channels share counts for each with its factor.
                let channels_of = if own(subband) < channels {
                    0..channels
                } else {
                    channel..channel + 1
                };
                let factors = &factors[subband][channels_of];
                let factor = factors.iter().map(|parts| parts[part]).sum::<f32>() / channels as f32;
                for (i, number) in numbers[..group].iter().enumerate() {
                    values[slot + i][subband] += number * factor;
                }
            }
        }
    }
    (bits.position() <= bytes.len() * 8).then_some(slots)
}

/// The scale factors of each subband, channel and third of the frame; layer I has the first only.
fn factors(
    header: &Header,
    levels: &[[u16; 2]; SUBBANDS],
    bits: &mut Bits<'_>,
) -> [[[f32; 3]; 2]; SUBBANDS] {
    let channels = header.channels;
    // Which thirds share a factor; in layer I there is nothing to say.
    let mut shared = [[2; 2]; SUBBANDS];
    if header.layer == 2 {
        for (shared, levels) in shared.iter_mut().zip(levels) {
            for (shared, levels) in shared.iter_mut().zip(levels).take(channels) {
                if *levels > 0 {
                    *shared = bits.read(2);
                }
            }
        }
    }
    let mut factors = [[[0.0; 3]; 2]; SUBBANDS];
    for ((factors, levels), shared) in factors.iter_mut().zip(levels).zip(shared) {
        for ((factors, levels), shared) in factors.iter_mut().zip(levels).zip(shared).take(channels)
        {
            if *levels == 0 {
                continue;
            }
            let mut next = || 2f32.powf(1.0 - bits.read(6) as f32 / 3.0);
            let first = next();
            *factors = match shared {
                0 => [first, next(), next()],
                1 => [first, first, next()],
                2 => [first; 3],
                _ => {
                    let second = next();
                    [first, second, second]
                }
            };
        }
    }
    factors
}

/// The next `count` numbers of `levels` levels from -1 to 1 (none of which is quite reached). In layer II three numbers
/// of 3, 5 or 9 levels have one code.
fn numbers(levels: u16, count: usize, bits: &mut Bits<'_>) -> [f32; 3] {
    let n = u32::from(levels);
    let number = |code: u32| (2.0 * code as f32 + 1.0 - n as f32) / n as f32;
    let mut numbers = [0.0; 3];
    match n {
        0 => {}
        3 | 5 | 9 if count == 3 => {
            let code = bits.read((n.pow(3) - 1).ilog2() + 1);
            numbers = [code % n, code / n % n, code / (n * n) % n].map(number);
        }
        _ => {
            for out in &mut numbers[..count] {
                *out = number(bits.read(n.ilog2() + 1));
            }
        }
    }
    numbers
}
