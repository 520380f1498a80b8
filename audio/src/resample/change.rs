//! Two rates as a fraction.

/// Rate change in lowest terms: `l` samples for every `m`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Change {
    pub(super) m: usize,
    pub(super) l: usize,
}

impl Change {
    pub(super) fn new(from: usize, to: usize) -> Change {
        let divisor = gcd(from, to);
        Change {
            m: from / divisor,
            l: to / divisor,
        }
    }

    /// Length of the result of `len` samples.
    pub(super) fn length(self, len: u64) -> u64 {
        (u128::from(len) * self.l as u128).div_ceil(self.m as u128) as u64
    }

    /// [`Change::length`] as librosa computes it: by a rounded ratio, which makes one sample more of some lengths.
    pub(super) fn librosas_length(self, len: u64) -> u64 {
        (len as f64 * (self.l as f64 / self.m as f64)).ceil() as u64
    }

    /// Length of soxr's result, rounded to the nearest number.
    pub(super) fn soxrs_length(self, len: u64) -> u64 {
        let (m, l) = (self.m as u128, self.l as u128);
        ((2 * u128::from(len) * l + m) / (2 * m)) as u64
    }

    /// Samples that go in for each sample of the lower of both rates.
    pub(super) fn stretch(self) -> f64 {
        (self.m as f64 / self.l as f64).max(1.0)
    }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}
