//! Sliding medians over [`SPAN`] numbers, the costly part of harmonic/percussive separation.
//!
//! Many windows are searched side by side, in the lanes of vectors, without a branch. Two windows that lie one step
//! apart share all but one number each: of the 30 shared ones only the middle two matter, and each window's median is its
//! own number, held between them. The middle two are found by *forgetful selection*: of 17 numbers the least and the
//! greatest cannot be in the middle of 30; they are dropped, the next number comes in, and so on.
//!
//! Beyond the ends numbers are repeated in reverse (`d c b a | a b c d | d c b a`), as SciPy's mode `reflect` does.

use kernels::vectorized;

/// How many numbers each median is of.
pub(super) const SPAN: usize = 31;

/// Numbers on each side of the middle one.
pub(super) const REACH: usize = SPAN / 2;

/// Windows searched side by side: several vectors of them. Loops over just one are unrolled into scalars by the
/// compiler,
/// which take 141 ns a median instead of 9.
pub(super) const LANES: usize = 64;

/// Numbers that two neighbouring windows share.
const SHARED: usize = SPAN - 1;

/// How many of them are looked at first.
const POOL: usize = SHARED / 2 + 2;

type Lanes = [f32; LANES];

/// Where the number at `place`, which may lie beyond the ends, is found among `len > 0` ones.
pub(super) fn reflect(place: isize, len: usize) -> usize {
    let period = 2 * len as isize;
    let place = place.rem_euclid(period);
    place.min(period - 1 - place) as usize
}

#[inline(always)]
fn load(values: &[f32], from: usize) -> Lanes {
    let values = &values[from..from + LANES];
    std::array::from_fn(|lane| values[lane])
}

#[inline(always)]
fn order(pool: &mut [Lanes; POOL], low: usize, high: usize) {
    for lane in 0..LANES {
        let (a, b) = (pool[low][lane], pool[high][lane]);
        // Not `f32::min`, which asks about NaN: there is none.
        pool[low][lane] = if a < b { a } else { b };
        pool[high][lane] = if a < b { b } else { a };
    }
}

/// Moves the least of the first `SIZE` numbers to their beginning, the greatest to their end.
#[inline(always)]
fn extremes<const SIZE: usize>(pool: &mut [Lanes; POOL]) {
    for i in 0..SIZE / 2 {
        order(pool, i, SIZE - 1 - i);
    }
    for i in 1..SIZE.div_ceil(2) {
        order(pool, 0, i);
    }
    for i in SIZE / 2..SIZE - 1 {
        order(pool, i, SIZE - 1);
    }
}

/// The middle two of the [`SHARED`] numbers `value(0)`, `value(1)`, …, the lesser first.
#[inline(always)]
fn middle(value: impl Fn(usize) -> Lanes) -> [Lanes; 2] {
    let mut pool: [Lanes; POOL] = std::array::from_fn(&value);
    macro_rules! forget {
        ($($size:literal)*) => {$(
            extremes::<$size>(&mut pool);
            pool[0] = value(2 * POOL - $size);
        )*};
    }
    forget!(17 16 15 14 13 12 11 10 9 8 7 6 5);
    extremes::<4>(&mut pool);
    order(&mut pool, 1, 2);
    [pool[1], pool[2]]
}

/// The median of 31 numbers: the one that is not shared, held between the middle two of the others.
#[inline(always)]
fn held(own: Lanes, [low, high]: &[Lanes; 2]) -> Lanes {
    std::array::from_fn(|lane| {
        let least = if own[lane] < low[lane] {
            low[lane]
        } else {
            own[lane]
        };
        if least < high[lane] {
            least
        } else {
            high[lane]
        }
    })
}

vectorized! {
    /// Medians down the columns of `rows` (`[SPAN + 1, width]`, `width` a multiple of [`LANES`]): `first` of the rows
    /// from 0 on, `second` of those from 1 on.
    pub(super) fn of_columns(rows: &[f32], width: usize, first: &mut [f32], second: &mut [f32]) {
        for at in (0..width).step_by(LANES) {
            let middle = middle(|k| load(rows, (1 + k) * width + at));
            first[at..at + LANES].copy_from_slice(&held(load(rows, at), &middle));
            second[at..at + LANES].copy_from_slice(&held(load(rows, SPAN * width + at), &middle));
        }
    }

    /// Medians along a row that is given in two halves, its numbers at even and at odd places. They are written in two
    /// halves too: number `i` of the whole is the median of the row's from `i` on. The halves given are
    /// [`REACH`]` + 1` longer than those written, whose length is a multiple of [`LANES`].
    pub(super) fn of_row(halves: [&[f32]; 2], medians: [&mut [f32]; 2]) {
        let [even, odd] = halves;
        let [even_medians, odd_medians] = medians;
        for at in (0..even_medians.len()).step_by(LANES) {
            // Places 2·at + 1 to 2·at + 30.
            let middle = middle(|k| match k % 2 {
                0 => load(odd, at + k / 2),
                _ => load(even, at + k / 2 + 1),
            });
            even_medians[at..at + LANES].copy_from_slice(&held(load(even, at), &middle));
            odd_medians[at..at + LANES].copy_from_slice(&held(load(odd, at + REACH), &middle));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn naive(values: &[f32]) -> f32 {
        let mut sorted = values.to_vec();
        sorted.sort_by(f32::total_cmp);
        sorted[sorted.len() / 2]
    }

    #[test]
    fn places_beyond_the_ends_are_reflected() {
        let places: Vec<usize> = (-5..8).map(|i| reflect(i, 3)).collect();
        assert_eq!(places, [1, 2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0, 1]);
        assert!((-40..40).all(|i| reflect(i, 1) == 0));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Few distinct values, so that equal ones meet.
        #[test]
        fn both_ways_give_the_median(values in prop::collection::vec(0u8..40, 32 * LANES..=32 * LANES)) {
            let values: Vec<f32> = values.into_iter().map(f32::from).collect();
            let (mut first, mut second) = ([0.0; LANES], [0.0; LANES]);
            of_columns(&values, LANES, &mut first, &mut second);
            for lane in 0..LANES {
                let column: Vec<f32> = values.iter().skip(lane).step_by(LANES).copied().collect();
                prop_assert_eq!(first[lane], naive(&column[..SPAN]));
                prop_assert_eq!(second[lane], naive(&column[1..]));
            }

            let half = |start| values.iter().skip(start).step_by(2).copied().collect::<Vec<f32>>();
            let (mut first, mut second) = ([0.0; 2 * LANES], [0.0; 2 * LANES]);
            of_row([&half(0), &half(1)], [&mut first, &mut second]);
            for i in 0..2 * LANES {
                prop_assert_eq!(first[i], naive(&values[2 * i..][..SPAN]));
                prop_assert_eq!(second[i], naive(&values[2 * i + 1..][..SPAN]));
            }
        }
    }
}
