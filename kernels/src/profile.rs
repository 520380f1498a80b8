//! Where time goes, launch by launch.
//!
//! While a device is profiled, every launch is timed: on the CPU, which does the work at once, by the host's clock; on
//! a GPU by its own ([`Clock::Timestamps`]) or, where that is not to be had or not to be trusted, by waiting for each
//! launch ([`Clock::Waits`]).

/// Whose clock took a time, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// The host's, around a call that does the work itself.
    Host,
    /// The adapter's, before and behind a launch's dispatches.
    Timestamps,
    /// The host's, around a launch and a wait for it: what the way there and back takes is counted too.
    Waits,
    /// The host's, around many launches and one wait, divided by their number.
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
    /// The kernel's name.
    pub kernel: &'static str,
    /// How long it took.
    pub seconds: f64,
    /// Its floating-point operations.
    pub flops: u64,
    /// The fewest bytes that it can have moved.
    pub bytes: u64,
}

/// Launches in their order.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// How they were timed.
    pub clock: Clock,
    /// What was launched.
    pub spans: Vec<Span>,
}

/// All launches of one kernel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// How many.
    pub launches: u64,
    /// Their sum.
    pub total: Span,
}

impl Profile {
    /// By kernel, the one that took longest first.
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

    /// The time of all launches.
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
