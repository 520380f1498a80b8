//! Counters of a device's work; and simulated failures, for tests.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Counters since the device was opened. The difference of two is the cost of the work between them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        pub struct Counters {
            $($(#[$doc])* pub $name: u64,)*
        }

        impl std::ops::Sub for Counters {
            type Output = Counters;

            fn sub(self, earlier: Counters) -> Counters {
                Counters { $($name: self.$name - earlier.$name,)* }
            }
        }

        /// [`Counters`] that are still counting.
        #[derive(Debug, Default)]
        pub(crate) struct Tally {
            $(pub $name: Count,)*
        }

        impl Tally {
            pub fn read(&self) -> Counters {
                Counters { $($name: self.$name.0.load(Relaxed),)* }
            }
        }
    };
}

counters! {
    /// Number of kernels launched.
    launches,
    /// Number of dispatches recorded: on a GPU, a launch has one or several.
    dispatches,
    /// Floating-point operations of the launched kernels.
    flops,
    /// The fewest bytes that the launched kernels can have moved.
    bytes,
    /// Number of blocks allocated; constant once a training step repeats, like the next two.
    allocations,
    /// Number of pipelines compiled.
    pipelines,
    /// Number of bind groups created.
    bind_groups,
    /// Number of command streams submitted.
    submissions,
    /// Number of waits for the device.
    synchronisations,
    /// Number of transfers to the host, each of which waits.
    reads,
    /// Number of transfers to the device.
    writes,
}

/// One of the counters.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Relaxed);
    }
}

/// Counts down to the call that is to fail.
#[derive(Debug, Default)]
pub(crate) struct Fuse(AtomicU64);

impl Fuse {
    /// The `n`-th use from now on blows it; with 0 none does.
    pub fn set(&self, n: u64) {
        self.0.store(n, Relaxed);
    }

    pub fn blows(&self) -> bool {
        // Never set but in tests: a load.
        self.0.load(Relaxed) != 0
            && self.0.fetch_update(Relaxed, Relaxed, |n| n.checked_sub(1)) == Ok(1)
    }
}

/// A device's counters and fuses.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    pub tally: Tally,
    /// Blows at a request for a block.
    pub allocation: Fuse,
    /// Blows at a submission: the device is lost.
    pub submission: Fuse,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fuse_blows_once_at_the_nth_use() {
        let fuse = Fuse::default();
        assert!(!fuse.blows());
        fuse.set(3);
        let uses: Vec<bool> = (0..5).map(|_| fuse.blows()).collect();
        assert_eq!(uses, [false, false, true, false, false]);
    }

    #[test]
    fn counters_are_subtracted() {
        let tally = Tally::default();
        tally.launches.add(2);
        let before = tally.read();
        tally.launches.add(3);
        tally.bytes.add(7);
        let cost = Counters {
            launches: 3,
            bytes: 7,
            ..Counters::default()
        };
        assert_eq!(tally.read() - before, cost);
    }
}
