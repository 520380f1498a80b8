//! Layer III's joint stereo (ISO/IEC 11172-3, 2.4.3.4; 13818-3, 2.4.3.2): sum and difference, and intensity, where one
//! channel has what both share and the other says of each band where it lies.

use super::bands::{Bands, LINES};
use super::header::Header;
use super::scale_factors::ScaleFactors;
use super::side_info::Granule;
use std::f32::consts::{FRAC_1_SQRT_2, PI};

/// Turns the lines of both channels into left and right. `granule` and `factors` are the second channel's.
pub(super) fn decode(
    header: &Header,
    granule: &Granule,
    factors: &ScaleFactors,
    lines: &mut [[f32; LINES]; 2],
) {
    let [left, right] = lines;
    if !header.intensity {
        if header.middle_side {
            sum_and_difference(left, right);
        }
        return;
    }
    let bands = granule.bands(header);
    let coded = highest_coded(bands, right);
    let mut positions = factors.positions;
    let windows = if bands.count > bands.long { 3 } else { 1 };
    // The last band lies where the one before it does, or in the middle if that one is coded.
    let middle = if header.mpeg1 { 3 } else { 0 };
    for band in bands.count - windows..bands.count {
        let before = band - windows;
        positions[band] = match coded[band % 3] >= Some(before) {
            true => Some(middle),
            false => positions[before],
        };
    }
    for (band, start, width) in bands.iter() {
        let (left, right) = (
            &mut left[start..start + width],
            &mut right[start..start + width],
        );
        match positions[band].filter(|_| coded[band % 3] < Some(band)) {
            Some(position) => {
                let (l, r) = gains(header, granule, position);
                for (left, right) in left.iter_mut().zip(right) {
                    (*left, *right) = (*left * l, *left * r);
                }
            }
            None if header.middle_side => sum_and_difference(left, right),
            None => {}
        }
    }
}

fn sum_and_difference(left: &mut [f32], right: &mut [f32]) {
    for (l, r) in left.iter_mut().zip(right) {
        let (sum, difference) = (*l + *r, *l - *r);
        (*l, *r) = (sum * FRAC_1_SQRT_2, difference * FRAC_1_SQRT_2);
    }
}

/// The highest band of each window (by the band's number mod 3) in which a channel has sound of its own; where there are
/// long windows, of all.
fn highest_coded(bands: &Bands, lines: &[f32; LINES]) -> [Option<usize>; 3] {
    let mut highest = [None; 3];
    for (band, start, width) in bands.iter() {
        if lines[start..start + width].iter().any(|x| *x != 0.0) {
            highest[band % 3] = Some(band);
        }
    }
    if bands.long > 0 {
        highest = [highest.into_iter().max().flatten(); 3];
    }
    highest
}

/// Of the left and the right channel.
fn gains(header: &Header, granule: &Granule, position: u8) -> (f32, f32) {
    if header.mpeg1 {
        // From all right (0) to all left (6).
        let ratio = (f32::from(position) * PI / 12.0).tan();
        return match position {
            6 => (1.0, 0.0),
            _ => (ratio / (1.0 + ratio), 1.0 / (1.0 + ratio)),
        };
    }
    // Steps of 1.5 or 3 dB, odd ones of the left channel.
    let step = if granule.scalefac_compress & 1 == 1 {
        FRAC_1_SQRT_2
    } else {
        FRAC_1_SQRT_2.sqrt()
    };
    let gain = step.powi(position.div_ceil(2).into());
    if position % 2 == 1 {
        (gain, 1.0)
    } else {
        (1.0, gain)
    }
}
