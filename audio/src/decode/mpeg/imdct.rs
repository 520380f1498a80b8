//! Layer III's second filter bank (ISO/IEC 11172-3, 2.4.3.4): the 18 lines of each of 32 subbands become 18 values of that
//! subband in time, by inverse modified cosine transforms whose windows overlap by half.
//!
//! A transform of `n` values out of `n/2` lines, `x[i] = Σ_k X[k] cos(π/2n · (2i + 1 + n/2)(2k + 1))`, is odd about the
//! middle of its first half and even about that of its second: so `n/2` of its values tell the rest. With one transform
//! of 36 (a long window) or three of 12 (short ones), a subband's granule is one product of an 18 × 18 matrix either way.
//! Lines and values stand subband by subband (`[18][32]`), so that all subbands are worked on at once.

use super::aligned::Aligned;
use super::bands::{LINES, SUBBAND, Windows};
use super::side_info::Granule;
use super::synthesis::SUBBANDS;
use kernels::cpu::transpose::transpose;
use kernels::vectorized;
use std::array::from_fn;
use std::f64::consts::PI;
use std::sync::LazyLock;

/// A granule's lines or values, by subband.
pub(super) type Subbands = [[f32; SUBBANDS]; SUBBAND];

/// Values at once: so many sums of 32 keep a processor's adders busy.
const AT_ONCE: usize = 3;

/// `[value][line]`, in groups of values.
type Matrix = [[[f32; AT_ONCE]; SUBBAND]; SUBBAND / AT_ONCE];

struct Tables {
    long: Matrix,
    short: Matrix,
    /// Of block types 0 to 3; the last of those for short windows, 12 values long.
    windows: [[f32; 36]; 4],
    /// Of the butterflies between neighbouring subbands.
    keep: [f32; 8],
    swap: [f32; 8],
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let sine = |i: usize, n: usize| (PI / n as f64 * (i as f64 + 0.5)).sin() as f32;
    // Table B.9.
    let c = [
        -0.6f64, -0.535, -0.33, -0.185, -0.095, -0.041, -0.0142, -0.0037,
    ];
    Tables {
        long: matrix(1),
        short: matrix(3),
        windows: [
            from_fn(|i| sine(i, 36)),
            from_fn(|i| match i {
                0..18 => sine(i, 36),
                18..24 => 1.0,
                24..30 => sine(i - 18, 12),
                _ => 0.0,
            }),
            from_fn(|i| if i < 12 { sine(i, 12) } else { 0.0 }),
            from_fn(|i| match i {
                0..6 => 0.0,
                6..12 => sine(i - 6, 12),
                12..18 => 1.0,
                _ => sine(i, 36),
            }),
        ],
        keep: c.map(|c| (1.0 / (1.0 + c * c).sqrt()) as f32),
        swap: c.map(|c| (c / (1.0 + c * c).sqrt()) as f32),
    }
});

/// The first half of each half of the values of `windows` transforms whose lines alternate.
fn matrix(windows: usize) -> Matrix {
    let n = 36 / windows;
    let cosine = |value: usize, line: usize| {
        let (window, value) = (value / (n / 2), value % (n / 2));
        if line % windows != window {
            return 0.0;
        }
        let i = if value < n / 4 { value } else { n / 4 + value };
        let k = line / windows;
        (PI / (2 * n) as f64 * ((2 * i + 1 + n / 2) * (2 * k + 1)) as f64).cos() as f32
    };
    from_fn(|group| from_fn(|line| from_fn(|value| cosine(group * AT_ONCE + value, line))))
}

/// Turns the lines of one granule into values of each subband, given what the granule before left to be added
/// (`overlap`, where what this one leaves goes).
pub(super) fn run(
    lines: &[f32; LINES],
    granule: &Granule,
    overlap: &mut Subbands,
    values: &mut Subbands,
) {
    let tables = &*TABLES;
    let mut turned = Aligned([[0.0; SUBBANDS]; SUBBAND]);
    let turned = &mut turned.0;
    let by_line = turned.as_flattened_mut();
    transpose(lines, SUBBAND, [SUBBANDS, SUBBAND], by_line, SUBBANDS);
    let (matrix, parts, long): (_, &[_], _) = match granule.windows {
        Windows::Long => (&tables.long, &LONG, SUBBANDS),
        Windows::Mixed => (&tables.short, &SHORT, LOW),
        Windows::Short => (&tables.short, &SHORT, 0),
    };
    unalias(tables, long, turned);
    let low = granule.mixed.then(|| {
        let (mut overlap, mut values) = (*overlap, *values);
        let window = &tables.windows[0];
        transform(
            &tables.long,
            &LONG,
            window,
            turned,
            &mut overlap,
            &mut values,
        );
        (overlap, values)
    });
    let window = &tables.windows[granule.block_type];
    transform(matrix, parts, window, turned, overlap, values);
    if let Some((low_overlap, low)) = low {
        for t in 0..SUBBAND {
            values[t][..LOW].copy_from_slice(&low[t][..LOW]);
            overlap[t][..LOW].copy_from_slice(&low_overlap[t][..LOW]);
        }
    }
}

/// Subbands that have ordinary windows in a mixed granule.
const LOW: usize = 2;

/// Where the values of one long transform begin, and how many it has.
const LONG: [(usize, usize); 1] = [(0, 36)];

/// Where the values of three short transforms begin, and how many each has.
const SHORT: [(usize, usize); 3] = [(6, 12), (12, 12), (18, 12)];

vectorized! {
    /// Undoes what the first filter bank's neighbouring subbands, the lowest `subbands` of them, let through of each other.
    fn unalias(tables: &Tables, subbands: usize, lines: &mut Subbands) {
        let (low, high) = lines.split_at_mut(SUBBAND / 2);
        for (i, (keep, swap)) in tables.keep.iter().zip(&tables.swap).enumerate() {
            let up = high[SUBBAND / 2 - 1 - i].iter_mut();
            let down = low[i].iter_mut().take(subbands).skip(1);
            for (up, down) in up.zip(down) {
                (*up, *down) = (*up * keep - *down * swap, *down * keep + *up * swap);
            }
        }
    }

    /// `parts`: where the values of each transform begin among the granule's 36, and how many they are.
    fn transform(
        matrix: &Matrix, parts: &[(usize, usize)], window: &[f32; 36], lines: &Subbands, overlap: &mut Subbands,
        values: &mut Subbands,
    ) {
        *values = *overlap;
        *overlap = [[0.0; SUBBANDS]; SUBBAND];
        let mut matrix = matrix.iter();
        for &(start, n) in parts {
            // Each half of the values, with the sign of its second quarter, which mirrors the first.
            for (half, sign) in [(0, -1.0), (n / 2, 1.0)] {
                for (group, matrix) in (0..n / 4).step_by(AT_ONCE).zip(matrix.by_ref()) {
                    for (i, sums) in (group..).zip(&sums(matrix, lines)) {
                        let [i, mirrored] = [half + i, half + n / 2 - 1 - i];
                        for (i, factor) in [(i, window[i]), (mirrored, sign * window[mirrored])] {
                            let at = start + i;
                            let to = if at < SUBBAND { &mut values[at] } else { &mut overlap[at - SUBBAND] };
                            add(to, factor, sums);
                        }
                    }
                }
            }
        }
        // Every other value of every other subband is upside down.
        for values in values.iter_mut().skip(1).step_by(2) {
            for value in values.iter_mut().skip(1).step_by(2) {
                *value = -*value;
            }
        }
    }
}

/// Some values of all subbands.
#[inline(always)]
fn sums(matrix: &[[f32; AT_ONCE]; SUBBAND], lines: &Subbands) -> [[f32; SUBBANDS]; AT_ONCE] {
    let mut sums = [[0.0; SUBBANDS]; AT_ONCE];
    for (factors, lines) in matrix.iter().zip(lines) {
        for (sums, factor) in sums.iter_mut().zip(factors) {
            add(sums, *factor, lines);
        }
    }
    sums
}

#[inline(always)]
fn add(to: &mut [f32; SUBBANDS], factor: f32, values: &[f32; SUBBANDS]) {
    for (to, value) in to.iter_mut().zip(values) {
        *to += factor * value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::abs_diff_eq;

    fn noise() -> [f32; LINES] {
        from_fn(|i| ((i * i + 7 * i) as f32 * 0.37).sin())
    }

    fn granule(windows: Windows, block_type: usize, mixed: bool) -> Granule {
        Granule {
            windows,
            block_type,
            mixed,
            ..Granule::default()
        }
    }

    /// Both halves of what `run` makes, all subbands the right way up.
    fn values(lines: &[f32; LINES], granule: &Granule) -> [Subbands; 2] {
        let (mut overlap, mut values) = ([[0.0; SUBBANDS]; SUBBAND], [[0.0; SUBBANDS]; SUBBAND]);
        run(lines, granule, &mut overlap, &mut values);
        for (t, row) in values.iter_mut().enumerate() {
            for (subband, value) in row.iter_mut().enumerate() {
                *value *= if t % 2 == 1 && subband % 2 == 1 {
                    -1.0
                } else {
                    1.0
                };
            }
        }
        [values, overlap]
    }

    /// The definition: `n` values of one transform of every `step`-th line from `first` on.
    fn defined(lines: &[f32], first: usize, step: usize, n: usize, i: usize) -> f64 {
        let lines = lines[first..].iter().step_by(step).take(n / 2);
        let term = |(k, x): (usize, &f32)| {
            f64::from(*x) * (PI / (2 * n) as f64 * ((2 * i + 1 + n / 2) * (2 * k + 1)) as f64).cos()
        };
        lines.enumerate().map(term).sum()
    }

    #[test]
    fn short_windows_are_three_transforms_that_overlap() {
        let lines = noise();
        let [now, later] = values(&lines, &granule(Windows::Short, 2, false));
        for subband in [0, 5, 31] {
            let mut whole = [0.0; 36];
            for window in 0..3 {
                for i in 0..12 {
                    let value = defined(&lines[subband * SUBBAND..], window, 3, 12, i);
                    whole[6 + 6 * window + i] += value * (PI / 12.0 * (i as f64 + 0.5)).sin();
                }
            }
            for (t, expected) in whole.iter().enumerate() {
                let got = if t < SUBBAND {
                    now[t]
                } else {
                    later[t - SUBBAND]
                }[subband];
                assert!(
                    abs_diff_eq!(f64::from(got), expected, epsilon = 1e-5),
                    "{subband} {t}: {got} {expected}"
                );
            }
        }
    }

    #[test]
    fn long_windows_are_one_transform_once_aliases_are_gone() {
        // Lines in the middle of subbands have no aliases: the eight on each side of a border do.
        let mut lines = noise();
        for (i, line) in lines.iter_mut().enumerate() {
            if !(8..10).contains(&(i % SUBBAND)) {
                *line = 0.0;
            }
        }
        for (block_type, window) in TABLES.windows.iter().enumerate().filter(|(t, _)| *t != 2) {
            let [now, later] = values(&lines, &granule(Windows::Long, block_type, false));
            for (t, factor) in window.iter().enumerate() {
                let expected = f64::from(*factor) * defined(&lines[7 * SUBBAND..], 0, 1, 36, t);
                let got = if t < SUBBAND {
                    now[t]
                } else {
                    later[t - SUBBAND]
                }[7];
                assert!(
                    abs_diff_eq!(f64::from(got), expected, epsilon = 1e-5),
                    "{block_type} {t}: {got} {expected}"
                );
            }
        }
    }

    #[test]
    fn the_two_lowest_subbands_of_mixed_granules_have_ordinary_windows() {
        let lines = noise();
        let ordinary = values(&lines, &granule(Windows::Long, 0, false));
        for block_type in [1, 3] {
            let [all, mixed] = [false, true]
                .map(|mixed| values(&lines, &granule(Windows::Long, block_type, mixed)));
            for half in 0..2 {
                for t in 0..SUBBAND {
                    assert_eq!(mixed[half][t][..LOW], ordinary[half][t][..LOW]);
                    assert_eq!(mixed[half][t][LOW..], all[half][t][LOW..]);
                }
            }
        }
        let [short, mixed] = [
            granule(Windows::Short, 2, false),
            granule(Windows::Mixed, 2, true),
        ]
        .map(|granule| values(&lines, &granule));
        assert_eq!(mixed[0][3][LOW..], short[0][3][LOW..]);
        assert_eq!(
            mixed[0][3][0], ordinary[0][3][0],
            "away from its only border"
        );
    }
}
