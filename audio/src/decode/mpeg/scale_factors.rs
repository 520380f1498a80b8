//! Layer III's scale factors (ISO/IEC 11172-3, 2.4.2.7; 13818-3, 2.4.3.2): what each band's lines are to be multiplied
//! by, and in intensity stereo, where its sound lies.

use super::bands::{Bands, MOST_BANDS};
use super::bits::Bits;
use super::header::Header;
use super::side_info::Granule;
use std::f32::consts::SQRT_2;

/// One granule's of one channel, by band; bands that have none stay at zero.
#[derive(Clone, Copy)]
pub(super) struct ScaleFactors {
    factors: [u8; MOST_BANDS],
    /// Where the bands of an intensity channel lie; `None` where they are coded as others are.
    pub(super) positions: [Option<u8>; MOST_BANDS],
    /// Whether the table of higher bands' additions counts.
    preflag: bool,
}

impl Default for ScaleFactors {
    fn default() -> Self {
        ScaleFactors {
            factors: [0; MOST_BANDS],
            positions: [Some(0); MOST_BANDS],
            preflag: false,
        }
    }
}

/// Bits of the first two and the last two groups by `scalefac_compress`, in MPEG-1.
const LENGTHS: [[u32; 2]; 16] = [
    [0, 0],
    [0, 1],
    [0, 2],
    [0, 3],
    [3, 0],
    [1, 1],
    [1, 2],
    [1, 3],
    [2, 1],
    [2, 2],
    [2, 3],
    [3, 1],
    [3, 2],
    [3, 3],
    [4, 2],
    [4, 3],
];

/// Bands of each group with long, short and mixed windows, in MPEG-1.
const GROUPS: [[usize; 4]; 3] = [[6, 5, 5, 5], [9, 9, 9, 9], [8, 9, 9, 9]];

/// The same for the lower rates: three ways for ordinary channels, three for the right one in intensity stereo.
const LOW_GROUPS: [[[usize; 4]; 3]; 6] = [
    [[6, 5, 5, 5], [9, 9, 9, 9], [6, 9, 9, 9]],
    [[6, 5, 7, 3], [9, 9, 12, 6], [6, 9, 12, 6]],
    [[11, 10, 0, 0], [18, 18, 0, 0], [15, 18, 0, 0]],
    [[7, 7, 7, 0], [12, 12, 12, 0], [6, 15, 12, 0]],
    [[6, 6, 6, 3], [12, 9, 9, 6], [6, 12, 9, 6]],
    [[8, 8, 5, 0], [15, 12, 9, 0], [6, 18, 9, 0]],
];

/// The way (of `LOW_GROUPS`) and each group's bits that a lower rate's `scalefac_compress` stands for.
fn low(compress: u32, intensity: bool) -> (usize, [u32; 4]) {
    let c = compress;
    if intensity {
        return match c / 2 {
            c @ 0..180 => (3, [c / 36, c % 36 / 6, c % 6, 0]),
            c @ 180..244 => (4, [(c - 180) / 16, (c - 180) / 4 % 4, (c - 180) % 4, 0]),
            c => (5, [(c - 244) / 3, (c - 244) % 3, 0, 0]),
        };
    }
    match c {
        0..400 => (0, [c / 80, c / 16 % 5, c / 4 % 4, c % 4]),
        400..500 => (1, [(c - 400) / 20, (c - 400) / 4 % 5, (c - 400) % 4, 0]),
        _ => (2, [(c - 500) / 3, (c - 500) % 3, 0, 0]),
    }
}

/// What is added to long bands' factors where the side information says so.
const PRETAB: [u8; 22] = [
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 3, 2, 0,
];

impl ScaleFactors {
    /// Reads them. `first`: the first granule's, some of which the second may share.
    pub(super) fn read(
        header: &Header,
        granule: &Granule,
        right: bool,
        first: &ScaleFactors,
        bits: &mut Bits<'_>,
    ) -> Self {
        let windows = granule.windows as usize;
        let intensity = header.intensity && right;
        let (groups, lengths, preflag) = if header.mpeg1 {
            let [a, b] = LENGTHS[granule.scalefac_compress as usize];
            (GROUPS[windows], [a, a, b, b], granule.preflag)
        } else {
            let (way, lengths) = low(granule.scalefac_compress, intensity);
            (LOW_GROUPS[way][windows], lengths, way == 2)
        };
        let mut all = ScaleFactors {
            preflag,
            ..ScaleFactors::default()
        };
        let mut start = 0;
        for (group, (count, length)) in groups.into_iter().zip(lengths).enumerate() {
            let bands = start..start + count;
            start += count;
            if windows == 0 && granule.scfsi >> (3 - group) & 1 == 1 {
                all.factors[bands.clone()].copy_from_slice(&first.factors[bands.clone()]);
                all.positions[bands.clone()].copy_from_slice(&first.positions[bands]);
                continue;
            }
            // The value of an intensity channel that says "coded as others are".
            let none = if header.mpeg1 { 7 } else { (1 << length) - 1 };
            for band in bands.filter(|_| length > 0) {
                let factor = bits.read(length) as u8;
                all.factors[band] = factor;
                all.positions[band] = (factor != none).then_some(factor);
            }
        }
        all
    }

    /// What the lines of a band are to be multiplied by.
    pub(super) fn gain(&self, granule: &Granule, bands: &Bands, band: usize) -> f32 {
        let scale = 2 << u32::from(granule.scalefac_scale);
        let mut quarters = granule.global_gain - 210;
        let mut factor = i32::from(self.factors[band]);
        if band >= bands.long {
            quarters -= 8 * granule.subblock_gain[(band - bands.long) % 3];
        } else if self.preflag {
            factor += i32::from(PRETAB[band]);
        }
        power_of_two(quarters - scale * factor)
    }
}

/// `2^(quarters/4)`.
fn power_of_two(quarters: i32) -> f32 {
    const STEPS: [f32; 4] = [1.0, 1.189_207_1, SQRT_2, 1.681_792_8];
    // Between -364/4 and 45/4, far inside of the exponent's range.
    let whole = f32::from_bits(((127 + (quarters >> 2)) as u32) << 23);
    STEPS[(quarters & 3) as usize] * whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;

    #[test]
    fn powers_of_two_are_exact_to_a_bit() {
        for quarters in -400..46 {
            let exact = 2f64.powf(f64::from(quarters) / 4.0);
            assert_abs_diff_eq!(
                f64::from(power_of_two(quarters)) / exact,
                1.0,
                epsilon = 1e-7
            );
        }
    }

    #[test]
    fn groups_have_as_many_bands_as_there_are() {
        for (way, groups) in LOW_GROUPS.iter().chain([&GROUPS]).enumerate() {
            let counts = groups.map(|group| group.iter().sum::<usize>());
            // Mixed: eight or six long bands, and three times nine or ten short ones.
            let mixed = if way == 6 { 35 } else { 33 };
            assert_eq!(counts, [21, 36, mixed]);
        }
        assert_eq!(low(511, false), (2, [3, 2, 0, 0]));
        assert_eq!(low(399, false), (0, [4, 4, 3, 3]));
        assert_eq!(low(487, true), (4, [3, 3, 3, 0]));
    }
}
