//! Bits, the highest of each byte first.

/// Bits that are there at least, once they were filled up.
pub(super) const HELD: u32 = 56;

/// Reads bits from a slice of bytes; behind its end stand zeros.
#[derive(Clone, Copy)]
pub(super) struct Bits<'d> {
    bytes: &'d [u8],
    /// The byte that is read next.
    next: usize,
    /// Bits that were read, the first on top, and how many; behind them some that are read again, or zeros.
    window: u64,
    held: u32,
}

impl<'d> Bits<'d> {
    pub(super) fn new(bytes: &'d [u8]) -> Self {
        Bits {
            bytes,
            next: 0,
            window: 0,
            held: 0,
        }
    }

    /// Sees to it that the window holds at least [`HELD`] bits.
    #[inline(always)]
    pub(super) fn fill(&mut self) {
        let rest = self.bytes.get(self.next..);
        let word = match rest.and_then(|rest| rest.first_chunk()) {
            Some(word) => u64::from_be_bytes(*word),
            None => tail(self.bytes, self.next),
        };
        // Without a branch: whole bytes count as read, the bits below them come again.
        self.window |= word >> self.held;
        self.next += (63 - self.held) as usize / 8;
        self.held |= HELD;
    }

    /// Sees to it that the window holds at least `count` bits, of at most [`HELD`]: no more work than that takes.
    #[inline(always)]
    pub(super) fn at_least(&mut self, count: u32) {
        if self.held < count {
            self.fill();
        }
    }

    /// The window's first 32 bits, after [`fill`](Self::fill).
    #[inline(always)]
    pub(super) fn peek(&self) -> u32 {
        (self.window >> 32) as u32
    }

    /// Leaves out `count` bits, at most as many as the window holds.
    #[inline(always)]
    pub(super) fn skip(&mut self, count: u32) {
        self.window <<= count;
        self.held -= count;
    }

    /// The next `count` bits, at most 32.
    #[inline(always)]
    pub(super) fn read(&mut self, count: u32) -> u32 {
        self.at_least(count);
        self.take(count)
    }

    /// The next `count` bits of the window.
    #[inline(always)]
    pub(super) fn take(&mut self, count: u32) -> u32 {
        // In two steps, because a shift by 64 is none.
        let bits = (self.window >> 1 >> (63 - count)) as u32;
        self.skip(count);
        bits
    }

    pub(super) fn flag(&mut self) -> bool {
        self.read(1) == 1
    }

    /// Bits read so far.
    #[inline(always)]
    pub(super) fn position(&self) -> usize {
        self.next * 8 - self.held as usize
    }

    /// Goes on at bit `position`.
    pub(super) fn seek(&mut self, position: usize) {
        *self = Bits {
            next: position / 8,
            ..Bits::new(self.bytes)
        };
        self.read((position % 8) as u32);
    }
}

/// The last bytes, from `next` on, and zeros.
#[cold]
fn tail(bytes: &[u8], next: usize) -> u64 {
    let rest = bytes.get(next..).unwrap_or_default();
    let mut word = [0; 8];
    word[..rest.len()].copy_from_slice(rest);
    u64::from_be_bytes(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_come_in_order_and_end_in_zeros() {
        let bytes = [0b1010_0001, 0xff, 0x12, 0x34, 0x56, 0x78, 0x9a];
        let mut bits = Bits::new(&bytes);
        assert_eq!((bits.read(3), bits.read(0), bits.read(5)), (0b101, 0, 1));
        assert_eq!((bits.read(32), bits.position()), (0xff12_3456, 40));
        bits.seek(12);
        assert_eq!((bits.read(8), bits.position()), (0xf1, 20));
        bits.seek(52);
        assert_eq!((bits.read(8), bits.read(32), bits.read(32)), (0xa0, 0, 0));
        bits.seek(1 << 40);
        assert_eq!((bits.read(9), bits.flag()), (0, false));
    }
}
