//! Counter-based random numbers: Philox4x32-10 (Salmon et al., SC 2011), the same on CPU and GPU.
//!
//! A number depends on (seed, stream, position) alone, so it does not matter who computes it, or in which order.

const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];

/// One round: the counter's words mixed under a key.
#[inline(always)]
fn round(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let a = u64::from(MULTIPLIERS[0]) * u64::from(counter[0]);
    let b = u64::from(MULTIPLIERS[1]) * u64::from(counter[2]);
    [
        (b >> 32) as u32 ^ counter[1] ^ key[0],
        b as u32,
        (a >> 32) as u32 ^ counter[3] ^ key[1],
        a as u32,
    ]
}

/// The keys of the ten rounds, from the first on.
#[inline(always)]
fn keys(first: [u32; 2]) -> impl Iterator<Item = [u32; 2]> {
    (0..10).map(move |i| [0, 1].map(|j| first[j].wrapping_add(WEYL[j].wrapping_mul(i))))
}

/// A seed as the first key.
fn key(seed: u64) -> [u32; 2] {
    [seed as u32, (seed >> 32) as u32]
}

/// Four random words for a counter under a key: ten rounds.
#[inline(always)]
fn block(key: [u32; 2], counter: [u32; 4]) -> [u32; 4] {
    keys(key).fold(counter, round)
}

/// How many counters [`uniforms`] puts through the rounds side by side.
const LANES: usize = 16;

crate::vectorized! {
    /// The numbers in [0, 1) at `start`, `start + 1`, … of stream `stream` under `seed`: those of `unit(word(…))`, a block of
    /// four for each counter and sixteen counters at once.
    pub fn uniforms(seed: u64, stream: u64, start: u32, out: &mut [f32]) {
        // Up to the next whole block, and what is left behind the last of the lanes, one by one.
        let head = (((4 - start % 4) % 4) as usize).min(out.len());
        let body = (out.len() - head) / (4 * LANES) * (4 * LANES);
        for offset in (0..head).chain(head + body..out.len()) {
            out[offset] = unit(word(seed, stream, start.wrapping_add(offset as u32)));
        }
        let mut first = start.wrapping_add(head as u32) / 4;
        for group in out[head..head + body].chunks_exact_mut(4 * LANES) {
            let mut c = [[0u32; LANES]; 4];
            for lane in 0..LANES {
                c[0][lane] = first.wrapping_add(lane as u32) & (u32::MAX >> 2);
                c[2][lane] = stream as u32;
                c[3][lane] = (stream >> 32) as u32;
            }
            for key in keys(key(seed)) {
                for lane in 0..LANES {
                    let mixed = round([c[0][lane], c[1][lane], c[2][lane], c[3][lane]], key);
                    for (c, word) in c.iter_mut().zip(mixed) {
                        c[lane] = word;
                    }
                }
            }
            for (lane, four) in group.chunks_exact_mut(4).enumerate() {
                for (value, words) in four.iter_mut().zip(&c) {
                    *value = unit(words[lane]);
                }
            }
            first = first.wrapping_add(LANES as u32);
        }
    }
}

/// The random word at `index` of stream `stream` under `seed`.
#[inline(always)]
pub fn word(seed: u64, stream: u64, index: u32) -> u32 {
    let counter = [index / 4, 0, stream as u32, (stream >> 32) as u32];
    block(key(seed), counter)[(index % 4) as usize]
}

/// A word as a number in [0, 1), with 24 bits.
#[inline(always)]
pub fn unit(word: u32) -> f32 {
    (word >> 8) as f32 * (1.0 / 16_777_216.0)
}

/// The words of one stream, one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Philox {
    seed: u64,
    stream: u64,
    position: u64,
}

impl Philox {
    /// The start of a stream; streams of one seed are independent of each other.
    pub fn new(seed: u64, stream: u64) -> Self {
        Philox {
            seed,
            stream,
            position: 0,
        }
    }

    /// The next word.
    pub fn next_u32(&mut self) -> u32 {
        let counter = [
            (self.position / 4) as u32,
            (self.position >> 34) as u32,
            self.stream as u32,
            (self.stream >> 32) as u32,
        ];
        let words = block(key(self.seed), counter);
        let word = words[(self.position % 4) as usize];
        self.position += 1;
        word
    }

    /// Uniform in [0, 1).
    pub fn uniform(&mut self) -> f32 {
        unit(self.next_u32())
    }

    /// Uniform in [low, high).
    pub fn range(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.uniform()
    }

    /// Uniform in `0..n` (0 where `n` is 0): the high half of a 64-bit product, whose bias is below n / 2^32.
    pub fn below(&mut self, n: usize) -> usize {
        ((u64::from(self.next_u32()) * n as u64) >> 32) as usize
    }

    /// Standard normal (Box & Muller).
    pub fn normal(&mut self) -> f32 {
        let (u, v) = (1.0 - f64::from(self.uniform()), f64::from(self.uniform()));
        ((-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()) as f32
    }

    /// Puts a list into random order (Fisher & Yates).
    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for i in (1..list.len()).rev() {
            list.swap(i, self.below(i + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_side_by_side_are_those_one_by_one() {
        for start in [0, 1, 2, 3, 4, 63, 1021, u32::MAX - 200, u32::MAX - 63] {
            for len in [0, 1, 3, 63, 64, 65, 67, 130, 260] {
                let mut out = vec![f32::NAN; len];
                uniforms(0x1234_5678_9abc_def0, 77 << 40 | 5, start, &mut out);
                for (offset, value) in out.iter().enumerate() {
                    let index = start.wrapping_add(offset as u32);
                    let expected = unit(word(0x1234_5678_9abc_def0, 77 << 40 | 5, index));
                    assert_eq!(*value, expected, "{start} {len} {offset}");
                }
            }
        }
    }

    // The known-answer vectors of the authors' Random123 library (kat_vectors, philox4x32 10).
    #[test]
    fn known_answers() {
        assert_eq!(
            block([0; 2], [0; 4]),
            [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]
        );
        assert_eq!(
            block([u32::MAX; 2], [u32::MAX; 4]),
            [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
        );
        assert_eq!(
            block(
                [0xa409_3822, 0x299f_31d0],
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344]
            ),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    #[test]
    fn streams_agree_with_positions() {
        let mut philox = Philox::new(7, 3);
        for index in 0..20 {
            assert_eq!(philox.next_u32(), word(7, 3, index));
        }
    }

    #[test]
    fn shuffle_keeps_everything_and_mixes() {
        let mut list: Vec<usize> = (0..100).collect();
        Philox::new(1, 2).shuffle(&mut list);
        assert_ne!(list, (0..100).collect::<Vec<_>>());
        list.sort_unstable();
        assert_eq!(list, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn moments() {
        let mut philox = Philox::new(42, 0);
        let normal: Vec<f32> = (0..20_000).map(|_| philox.normal()).collect();
        let mean = normal.iter().sum::<f32>() / 20_000.0;
        let variance = normal.iter().map(|x| x * x).sum::<f32>() / 20_000.0;
        assert!(
            mean.abs() < 0.03 && (variance - 1.0).abs() < 0.05,
            "{mean} {variance}"
        );
    }
}
