//! Profile of a device's time, launch by launch.
//!
//! While a device is profiled, every launch is timed: on the CPU, which does the work at once, by the host's clock; on
//! a GPU by its own ([`Clock::Timestamps`]) or, where that is not to be had or not to be trusted, by waiting for each
//! launch ([`Clock::Waits`]).

/// Clock used for a time, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// Host's clock, around a call that does the work itself.
    Host,
    /// Adapter's timestamps, before and after a launch's dispatches.
    Timestamps,
    /// Host's clock, around a launch and a wait for it, including the latency of both.
    Waits,
    /// Host's clock, around many launches and one wait, divided by their number.
    Batches,
}

impl Clock {
    /// A few words for tables.
    pub fn name(self) -> &'static str {
        match self {
            Clock::Host => "host clock",
            Clock::Timestamps => "timestamps",
            Clock::Waits => "synchronised launches",
            Clock::Batches => "batches of launches",
        }
    }
}

/// One launch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span {
    /// Name of the kernel.
    pub kernel: &'static str,
    /// Duration.
    pub seconds: f64,
    /// Number of floating-point operations.
    pub flops: u64,
    /// Fewest bytes that it must move.
    pub bytes: u64,
}

/// Launches, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Clock used.
    pub clock: Clock,
    /// All launches.
    pub spans: Vec<Span>,
}

/// All launches of one kernel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// Number of launches.
    pub launches: u64,
    /// Total time.
    pub total: Span,
}

impl Profile {
    /// Returns the totals per kernel, the longest first.
    pub fn by_kernel(&self) -> Vec<Row> {
        let mut rows: Vec<Row> = Vec::new();
        for span in &self.spans {
            match rows.iter_mut().find(|row| row.total.kernel == span.kernel) {
                None => rows.push(Row {
                    launches: 1,
                    total: *span,
                }),
                Some(row) => {
                    row.launches += 1;
                    row.total.seconds += span.seconds;
                    row.total.flops += span.flops;
                    row.total.bytes += span.bytes;
                }
            }
        }
        rows.sort_by(|a, b| b.total.seconds.total_cmp(&a.total.seconds));
        rows
    }

    /// Returns the total time of all launches.
    pub fn seconds(&self) -> f64 {
        self.spans.iter().map(|span| span.seconds).sum()
    }
}

/// A profile that is being taken.
#[derive(Debug)]
pub(crate) struct Profiler {
    pub profile: Profile,
    /// How many of the last spans still lack their times, which are on the adapter.
    pub pending: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_sums_and_the_longest_comes_first() {
        let span = |kernel, seconds| Span {
            kernel,
            seconds,
            flops: 10,
            bytes: 4,
        };
        let profile = Profile {
            clock: Clock::Host,
            spans: vec![span("a", 1.0), span("b", 5.0), span("a", 2.0)],
        };
        let rows = profile.by_kernel();
        assert_eq!((rows[0].total.kernel, rows[0].launches), ("b", 1));
        let a = Row {
            launches: 2,
            total: Span {
                flops: 20,
                bytes: 8,
                ..span("a", 3.0)
            },
        };
        assert_eq!(rows[1], a);
        assert_eq!(profile.seconds(), 8.0);
    }
}
