//! Scale factor bands: neighbouring lines of the spectrum that share a factor (ISO/IEC 11172-3, table B.8; 13818-3,
//! table B.2; of MPEG-2.5 what encoders agree on).

use std::sync::LazyLock;

/// Lines in a granule of one channel, and in a subband.
pub(super) const LINES: usize = 576;
pub(super) const SUBBAND: usize = 18;

/// The most bands there are: thirteen for each of three short windows.
pub(super) const MOST_BANDS: usize = 39;

/// Lines of each band of a long window, by [`rate_index`](super::header::Header).
const LONG: [[u8; 22]; 9] = {
    const AT_44: [u8; 22] = [
        4, 4, 4, 4, 4, 4, 6, 6, 8, 8, 10, 12, 16, 20, 24, 28, 34, 42, 50, 54, 76, 158,
    ];
    const AT_48: [u8; 22] = [
        4, 4, 4, 4, 4, 4, 6, 6, 6, 8, 10, 12, 16, 18, 22, 28, 34, 40, 46, 54, 54, 192,
    ];
    const AT_32: [u8; 22] = [
        4, 4, 4, 4, 4, 4, 6, 6, 8, 10, 12, 16, 20, 24, 30, 38, 46, 56, 68, 84, 102, 26,
    ];
    const AT_22: [u8; 22] = [
        6, 6, 6, 6, 6, 6, 8, 10, 12, 14, 16, 20, 24, 28, 32, 38, 46, 52, 60, 68, 58, 54,
    ];
    const AT_24: [u8; 22] = [
        6, 6, 6, 6, 6, 6, 8, 10, 12, 14, 16, 18, 22, 26, 32, 38, 46, 54, 62, 70, 76, 36,
    ];
    const AT_8: [u8; 22] = [
        12, 12, 12, 12, 12, 12, 16, 20, 24, 28, 32, 40, 48, 56, 64, 76, 90, 2, 2, 2, 2, 2,
    ];
    [AT_44, AT_48, AT_32, AT_22, AT_24, AT_22, AT_22, AT_22, AT_8]
};

/// Lines of each band of a short window.
const SHORT: [[u8; 13]; 9] = {
    const AT_44: [u8; 13] = [4, 4, 4, 4, 6, 8, 10, 12, 14, 18, 22, 30, 56];
    const AT_48: [u8; 13] = [4, 4, 4, 4, 6, 6, 10, 12, 14, 16, 20, 26, 66];
    const AT_32: [u8; 13] = [4, 4, 4, 4, 6, 8, 12, 16, 20, 26, 34, 42, 12];
    const AT_22: [u8; 13] = [4, 4, 4, 6, 6, 8, 10, 14, 18, 26, 32, 42, 18];
    const AT_24: [u8; 13] = [4, 4, 4, 6, 8, 10, 12, 14, 18, 24, 32, 44, 12];
    const AT_16: [u8; 13] = [4, 4, 4, 6, 8, 10, 12, 14, 18, 24, 30, 40, 18];
    const AT_8: [u8; 13] = [8, 8, 8, 12, 16, 20, 24, 28, 36, 2, 2, 2, 26];
    [AT_44, AT_48, AT_32, AT_22, AT_24, AT_16, AT_16, AT_16, AT_8]
};

/// Which windows a granule of one channel has.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) enum Windows {
    #[default]
    Long,
    Short,
    /// Long ones in the two lowest subbands, short ones above.
    Mixed,
}

/// The bands of one granule in the order of the stream: long ones, then short ones, three (one of each window) at a time.
#[derive(Debug)]
pub(super) struct Bands {
    /// Lines of each.
    pub(super) widths: [usize; MOST_BANDS],
    /// How many there are, and how many of them are long.
    pub(super) count: usize,
    pub(super) long: usize,
}

impl Bands {
    /// Those of a rate and its granules' windows.
    pub(super) fn of(rate_index: usize, windows: Windows) -> &'static Bands {
        static BANDS: LazyLock<[[Bands; 3]; 9]> = LazyLock::new(|| {
            let all = [Windows::Long, Windows::Short, Windows::Mixed];
            std::array::from_fn(|rate| all.map(|windows| Bands::new(rate, windows)))
        });
        &BANDS[rate_index][windows as usize]
    }

    fn new(rate_index: usize, windows: Windows) -> Self {
        let mut bands = Bands {
            widths: [0; MOST_BANDS],
            count: 0,
            long: 0,
        };
        let mut lines = 0;
        if windows != Windows::Short {
            let end = if windows == Windows::Mixed {
                2 * SUBBAND
            } else {
                LINES
            };
            for width in LONG[rate_index].map(usize::from) {
                if lines < end {
                    bands.widths[bands.count] = width;
                    bands.count += 1;
                    lines += width;
                }
            }
            bands.long = bands.count;
        }
        // A mixed granule's short bands begin where its long ones end; only at 8 kHz is that inside of a band.
        let mut start = 0;
        for width in SHORT[rate_index].map(usize::from) {
            let end = start + 3 * width;
            if end > lines {
                let width = width.min((end - lines) / 3);
                bands.widths[bands.count..bands.count + 3].fill(width);
                bands.count += 3;
                lines += 3 * width;
            }
            start = end;
        }
        bands
    }

    /// The line where band `band` begins: the last one's end, where there are not so many.
    pub(super) fn line(&self, band: usize) -> usize {
        self.widths.iter().take(band).sum()
    }

    /// The index of each band, its first line and its width.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, usize, usize)> {
        let mut start = 0;
        self.widths[..self.count]
            .iter()
            .enumerate()
            .map(move |(band, width)| {
                start += width;
                (band, start - width, *width)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_cover_every_line_once() {
        for rate in 0..9 {
            for (windows, long) in [
                (Windows::Long, 22),
                (Windows::Short, 0),
                (Windows::Mixed, [8, 6, 6][rate / 3]),
            ] {
                let bands = Bands::new(rate, windows);
                let lines: usize = bands.widths[..bands.count].iter().sum();
                assert_eq!(lines, LINES, "{rate} {windows:?}");
                assert_eq!(
                    bands.long,
                    if (rate, windows) == (8, Windows::Mixed) {
                        3
                    } else {
                        long
                    }
                );
            }
        }
    }
}
