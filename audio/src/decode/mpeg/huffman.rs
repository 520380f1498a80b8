//! Layer III's Huffman codes (ISO/IEC 11172-3, 2.4.2.7): whole numbers in pairs, or in fours of -1, 0 and 1, that stand
//! for their absolute value's power of 4/3.

use super::bits::{Bits, HELD};
use super::codes;
use std::array::from_fn;
use std::sync::LazyLock;

/// Bits of which a short word and its signs consist at most: those are looked up at once.
const SHORT: u32 = 11;

/// Pairs at once: as many short words as there are bits for, once they were filled up.
const AT_ONCE: usize = (HELD / SHORT) as usize;

/// The largest number that a pair's word tells, and with as many as 13 bits added.
const LARGEST: i32 = 15;
const MOST: i32 = LARGEST + (1 << 13) - 1;

/// For each of the 32 tables that the side information can name, its code and the bits that follow a value of 15.
#[rustfmt::skip]
const SELECT: [(usize, u32); 32] = [
    (0, 0), (1, 0), (2, 0), (3, 0), (0, 0), (4, 0), (5, 0), (6, 0),
    (7, 0), (8, 0), (9, 0), (10, 0), (11, 0), (12, 0), (0, 0), (13, 0),
    (14, 1), (14, 2), (14, 3), (14, 4), (14, 6), (14, 8), (14, 10), (14, 13),
    (15, 4), (15, 5), (15, 6), (15, 7), (15, 8), (15, 9), (15, 11), (15, 13),
];

/// The codes that `SELECT` names, and whether bits may follow. The first is all zero and takes no bits.
const PAIRS: [(&[u16], bool); 16] = [
    (&[0], false),
    (&codes::TWO_1, false),
    (&codes::TWO_2, false),
    (&codes::TWO_3, false),
    (&codes::TWO_5, false),
    (&codes::TWO_6, false),
    (&codes::TWO_7, false),
    (&codes::TWO_8, false),
    (&codes::TWO_9, false),
    (&codes::TWO_10, false),
    (&codes::TWO_11, false),
    (&codes::TWO_12, false),
    (&codes::TWO_13, false),
    (&codes::TWO_15, false),
    (&codes::TWO_16, true),
    (&codes::TWO_24, true),
];

/// All codes.
pub(super) struct Codes {
    pairs: Vec<Code<2>>,
    fours: Vec<Code<4>>,
    /// The powers of all numbers from -8206 to 8206.
    powers: Vec<f32>,
    /// Those of 0 to 15 and of -16 to -1.
    small: [f32; 32],
}

impl Codes {
    pub(super) fn get() -> &'static Codes {
        static CODES: LazyLock<Codes> = LazyLock::new(|| Codes {
            pairs: PAIRS.map(|(says, more)| Code::new(says, more)).into(),
            fours: [codes::FOUR_A, codes::FOUR_B]
                .iter()
                .map(|says| Code::new(says, false))
                .collect(),
            powers: (-MOST..=MOST).map(power).collect(),
            small: from_fn(|i| power(if i < 16 { i as i32 } else { i as i32 - 32 })),
        });
        &CODES
    }

    /// Reads as many pairs as `lines` has room for by table `table` (of 32).
    pub(super) fn pairs(&self, table: usize, bits: &mut Bits<'_>, lines: &mut [f32]) {
        let (code, more) = SELECT[table];
        let code = &self.pairs[code];
        // A copy stays in registers.
        let mut local = *bits;
        let (pairs, _) = lines.as_chunks_mut::<2>();
        for some in pairs.chunks_mut(AT_ONCE) {
            // No count of bits is looked at from pair to pair: such a branch would be guessed wrong.
            local.fill();
            for pair in some {
                let short = code.short(&local);
                local.skip(short.bits());
                if short.signs() {
                    *pair = short.places().map(|place| self.small[place]);
                    continue;
                }
                // Enough for the longest word (19), two times 13 bits more and two signs.
                local.fill();
                let values = match short.bits() {
                    0 => {
                        let (word, values) = code.word(local.peek());
                        local.skip(word);
                        values.map(i32::from)
                    }
                    _ => short.values(),
                };
                for (line, value) in pair.iter_mut().zip(values) {
                    // Without a branch, which would be guessed wrong half of the time.
                    let added = local.take(if value == LARGEST { more } else { 0 });
                    let value = value + added as i32;
                    let negative = local.take(u32::from(value > 0)) == 1;
                    *line = self.power(if negative { -value } else { value });
                }
                local.fill();
            }
        }
        *bits = local;
    }

    /// Reads fours by table B or A until bit `end`, or until `lines` are full; says how many lines were read. A four
    /// that would pass the end is none.
    pub(super) fn fours(
        &self,
        b: bool,
        bits: &mut Bits<'_>,
        end: usize,
        lines: &mut [f32],
    ) -> usize {
        let code = &self.fours[usize::from(b)];
        let mut read = 0;
        for four in lines.as_chunks_mut::<4>().0 {
            bits.fill();
            let short = code.short(bits);
            if bits.position() + short.bits() as usize > end {
                break;
            }
            bits.skip(short.bits());
            *four = short.values().map(|value| value as f32);
            read += 4;
        }
        read
    }

    /// `sign(n) · |n|^(4/3)`.
    #[inline(always)]
    fn power(&self, n: i32) -> f32 {
        self.powers[(n + MOST) as usize]
    }
}

/// `sign(n) · |n|^(4/3)`.
fn power(n: i32) -> f32 {
    let n = n as f32;
    n * n.abs().cbrt()
}

/// A code for `N` values.
struct Code<const N: usize> {
    /// What the next eleven bits say.
    short: Box<[Short<N>; 1 << SHORT]>,
    /// The words on top of 32 bits, in ascending order, and what they say, as in `codes.rs`.
    words: Vec<u32>,
    says: &'static [u16],
}

/// What eleven bits begin with, in two bytes, so that the tables in use stay in the first cache: from the top on `N` values
/// of 10/N bits, with their signs or without; whether with; and the bits of the word, with those of the signs that are
/// in, or 0 where the word is longer.
#[derive(Clone, Copy)]
struct Short<const N: usize>(u16);

impl<const N: usize> Short<N> {
    const VALUE: usize = 10 / N;

    fn new(values: [i8; N], signs: bool, bits: u32) -> Self {
        let place = |i: usize| 16 - Self::VALUE * (i + 1);
        let mask = (1 << Self::VALUE) - 1;
        let each = values.iter().enumerate();
        let values = each.map(|(i, value)| (*value as u16 & mask) << place(i));
        Short(values.sum::<u16>() | u16::from(signs) << 4 | bits as u16)
    }

    #[inline(always)]
    fn values(self) -> [i32; N] {
        let value = |i| (self.0 << (Self::VALUE * i)) as i16 >> (16 - Self::VALUE);
        from_fn(|i| i32::from(value(i)))
    }

    /// The values' places in `Codes::small`.
    #[inline(always)]
    fn places(self) -> [usize; N] {
        let mask = (1 << Self::VALUE) - 1;
        from_fn(|i| usize::from(self.0 >> (16 - Self::VALUE * (i + 1)) & mask))
    }

    #[inline(always)]
    fn signs(self) -> bool {
        self.0 & 16 != 0
    }

    #[inline(always)]
    fn bits(self) -> u32 {
        u32::from(self.0 & 15)
    }
}

impl<const N: usize> Code<N> {
    /// `more`: whether bits follow a value of 15.
    fn new(says: &'static [u16], more: bool) -> Self {
        let mut next = 0u64;
        let words = says.iter().map(|says| {
            let word = next as u32;
            next += 1 << (32 - (says >> 8));
            word
        });
        let mut code = Code {
            words: words.collect(),
            short: Box::new([Short(0); 1 << SHORT]),
            says,
        };
        code.short = Box::new(from_fn(|bits| {
            code.look_up((bits as u32) << (32 - SHORT), more)
        }));
        code
    }

    /// The word that `bits` begin with: its length, and values without signs.
    fn word(&self, bits: u32) -> (u32, [i8; N]) {
        // The first word is 0, so at least one is not above.
        let says = self.says[self.words.partition_point(|word| *word <= bits) - 1];
        let each = 8 / N;
        let value = |i| ((says << (each * i)) as u8 >> (8 - each)) as i8;
        (u32::from(says >> 8), from_fn(value))
    }

    fn look_up(&self, bits: u32, more: bool) -> Short<N> {
        let (word, values) = self.word(bits);
        let mut signed = word;
        let with_signs = values.map(|value| {
            let negative = value > 0 && bits << signed >> 31 == 1;
            signed += u32::from(value > 0);
            if negative { -value } else { value }
        });
        let longer = more && values.iter().any(|v| i32::from(*v) == LARGEST);
        let signs = signed <= SHORT && !longer;
        let bits = if signs { signed } else { word };
        let values = if signs { with_signs } else { values };
        Short::new(values, signs, if bits <= SHORT { bits } else { 0 })
    }

    /// What the next bits say.
    #[inline(always)]
    fn short(&self, bits: &Bits<'_>) -> Short<N> {
        self.short[(bits.peek() >> (32 - SHORT)) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_each_code_leave_no_gap() {
        let all = PAIRS
            .iter()
            .map(|(says, _)| *says)
            .chain([&codes::FOUR_A[..], &codes::FOUR_B]);
        for says in all {
            let share: f64 = says
                .iter()
                .map(|says| 0.5f64.powi(i32::from(says >> 8)))
                .sum();
            assert_eq!(share, 1.0);
        }
    }

    #[test]
    fn pairs_are_read_with_signs_and_more_bits() {
        let codes = Codes::get();
        // Table 1: 1 is 0 0; 01 is 1 0; 001 is 0 1; 000 is 1 1.
        let bytes = [0b1011_0010, 0b0001_0000];
        let mut lines = [9.0; 8];
        let mut bits = Bits::new(&bytes);
        codes.pairs(1, &mut bits, &mut lines);
        assert_eq!(lines, [0.0, 0.0, -1.0, 0.0, 0.0, 1.0, -1.0, 1.0]);
        assert_eq!(bits.position(), 13);
        // Table 31 is table 24 with 13 more bits.
        let says = codes::TWO_24
            .iter()
            .position(|says| says & 0xff == 0xff)
            .unwrap();
        let (word, length) = (
            codes.pairs[15].words[says],
            u32::from(codes::TWO_24[says] >> 8),
        );
        let stream = u64::from(word) << 32
            | (8191 << 1 | 1) << (64 - length - 14)
            | (3 << 1) << (64 - length - 28);
        let bytes = stream.to_be_bytes();
        let mut bits = Bits::new(&bytes);
        codes.pairs(31, &mut bits, &mut lines[..2]);
        assert_eq!(lines[..2], [power(-8206), power(18)]);
    }

    #[test]
    fn fours_end_before_the_end() {
        let mut lines = [9.0; 8];
        // Table B: 1111 is all zero, 0000 all ones and four signs.
        let mut bits = Bits::new(&[0b1111_0000, 0b1010_1110]);
        assert_eq!(Codes::get().fours(true, &mut bits, 13, &mut lines), 8);
        assert_eq!(
            (lines, bits.position()),
            ([0.0, 0.0, 0.0, 0.0, -1.0, 1.0, -1.0, 1.0], 12)
        );
        bits.seek(0);
        assert_eq!(Codes::get().fours(true, &mut bits, 11, &mut lines), 4);
    }
}
