//! Random choices that are the same on every platform: a counter, hashed.

/// Draws numbers from a key. The n-th draw depends on the key and on n alone.
#[derive(Debug, Clone)]
pub(super) struct Dice {
    key: u64,
    drawn: u64,
}

impl Dice {
    pub(super) fn new(genre: usize, seed: u64) -> Self {
        Dice {
            key: mix(seed ^ mix(genre as u64 + 1)),
            drawn: 0,
        }
    }

    /// Dice of their own for one part of a clip, so that a choice added in one part changes no other.
    pub(super) fn split(&self, part: u64) -> Self {
        Dice {
            key: mix(self.key ^ mix(part + 0x5eed)),
            drawn: 0,
        }
    }

    fn next(&mut self) -> u64 {
        self.drawn += 1;
        mix(self
            .key
            .wrapping_add(self.drawn.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
    }

    /// A number in [0, 1).
    pub(super) fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u64 << 24) as f32
    }

    /// A number in [low, high).
    pub(super) fn between(&mut self, (low, high): (f32, f32)) -> f32 {
        low + (high - low) * self.unit()
    }

    /// One of the numbers 0 to `n - 1`.
    pub(super) fn below(&mut self, n: usize) -> usize {
        (((self.next() >> 32) * n as u64) >> 32) as usize
    }

    /// One of `items`, which holds some.
    pub(super) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): every bit of `x` changes every bit of the result.
fn mix(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;

    #[test]
    fn draws_are_even_and_within_their_range() {
        let mut dice = Dice::new(3, 7);
        let mut counts = [0; 5];
        let mut sum = 0.0;
        for _ in 0..10_000 {
            counts[dice.below(5)] += 1;
            let unit = dice.unit();
            assert!((0.0..1.0).contains(&unit));
            sum += unit;
        }
        assert!(
            counts.iter().all(|c| (1800..2200).contains(c)),
            "{counts:?}"
        );
        assert_abs_diff_eq!(sum / 10_000.0, 0.5, epsilon = 0.02);
    }

    #[test]
    fn keys_differ() {
        let first = |genre, seed| Dice::new(genre, seed).next();
        let draws = [
            first(0, 0),
            first(1, 0),
            first(0, 1),
            Dice::new(0, 0).split(1).next(),
        ];
        for (i, a) in draws.iter().enumerate() {
            assert!(draws[i + 1..].iter().all(|b| a != b), "{draws:?}");
        }
    }
}
