//! Windows that tile a plane, some at a time, so that loops over them vectorise whatever the plane's width.

use super::stream::fetch_ahead;

/// Numbers that are asked for at once. Too many wait for each other, while nothing is computed.
const BURST: usize = 256;

/// A row of windows of `KY` by `KX`, `N` at a time: where a block starts, and its rows. The last windows come up twice
/// where they do not come out even. Meanwhile what follows behind the rows is asked for.
pub struct Blocks<'a, const N: usize, const KY: usize, const KX: usize> {
    x: &'a [f32],
    rows: [&'a [[f32; KX]]; KY],
    first: usize,
    next: usize,
}

impl<'a, const N: usize, const KY: usize, const KX: usize> Blocks<'a, N, KY, KX> {
    /// Of `count` windows, `N` at least. Row 0 of window 0 begins at number `first` of `x`, rows lie `w` numbers apart.
    #[inline(always)]
    pub fn of(x: &'a [f32], [first, w, count]: [usize; 3]) -> Self {
        let row = |ky: usize| x[first + ky * w..][..count * KX].as_chunks().0;
        Blocks {
            x,
            rows: std::array::from_fn(row),
            first,
            next: 0,
        }
    }
}

impl<'a, const N: usize, const KY: usize, const KX: usize> Iterator for Blocks<'a, N, KY, KX> {
    type Item = (usize, [&'a [[f32; KX]]; KY]);

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        let (start, count) = (self.next, self.rows[0].len());
        if start >= count {
            return None;
        }
        let burst = (BURST / (KY * KX)).next_multiple_of(N);
        if start.is_multiple_of(burst) {
            let asked = burst.min(count - start) * KY * KX;
            fetch_ahead(self.x, self.first + start * KY * KX, asked);
        }
        self.next += N;
        let start = start.min(count.saturating_sub(N));
        let rows = self.rows.map(|row| &row[start..start + N]);
        Some((start, rows))
    }
}

/// Takes `value` over where it is greater, or NaN.
#[inline(always)]
pub fn wins(value: f32, place: usize, best: &mut f32, at: &mut u32) {
    let wins = (value > *best) | value.is_nan();
    *best = if wins { value } else { *best };
    *at = if wins { place as u32 } else { *at };
}

/// The winner of each window: the number itself, and `position(window, place)`, where places count from 0 in reading
/// order. What is compared is the `key` of each number; the key of a key is the number.
#[inline(always)]
pub fn winners<const KY: usize, const KX: usize>(
    x: &[f32],
    [first, w]: [usize; 2],
    key: impl Fn(f32) -> f32,
    position: impl Fn(u32, u32) -> u32,
    won: &mut [f32],
    index: &mut [u32],
) {
    let place = [first, w, won.len()];
    match won.len() {
        16.. => winners_of(
            Blocks::<16, KY, KX>::of(x, place),
            key,
            position,
            won,
            index,
        ),
        8.. => winners_of(Blocks::<8, KY, KX>::of(x, place), key, position, won, index),
        _ => winners_of(Blocks::<1, KY, KX>::of(x, place), key, position, won, index),
    }
}

#[inline(always)]
fn winners_of<const N: usize, const KY: usize, const KX: usize>(
    blocks: Blocks<N, KY, KX>,
    key: impl Fn(f32) -> f32,
    position: impl Fn(u32, u32) -> u32,
    won: &mut [f32],
    index: &mut [u32],
) {
    for (start, rows) in blocks {
        let (won, index) = (&mut won[start..start + N], &mut index[start..start + N]);
        for window in 0..N {
            let (mut best, mut at) = (key(rows[0][window][0]), 0);
            for ky in 0..KY {
                for kx in 0..KX {
                    wins(key(rows[ky][window][kx]), ky * KX + kx, &mut best, &mut at);
                }
            }
            won[window] = key(best);
            index[window] = position((start + window) as u32, at);
        }
    }
}
