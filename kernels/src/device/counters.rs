//! What a device has done, and faults on request, for tests.

use super::Device;
use crate::counters::Counters;

impl Device {
    /// What the device has done since it was opened.
    pub fn counters(&self) -> Counters {
        self.watch().tally.read()
    }

    /// For tests: the `n`-th request for a block from now on fails (1: the next; 0: none).
    #[doc(hidden)]
    pub fn fail_allocation(&self, n: u64) {
        self.watch().allocation.set(n);
    }

    /// For tests: the GPU is lost at the `n`-th submission from now on (1: the next; 0: none).
    #[doc(hidden)]
    pub fn lose_at_submission(&self, n: u64) {
        self.watch().submission.set(n);
    }
}
