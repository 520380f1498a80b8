//! Where time goes, launch by launch.
//!
//! While a device is profiled, every launch is timed: on the CPU, which does the work at once, by the host's clock; on
//! a GPU by its own ([`Clock::Timestamps`]) or, where that is not to be had or not to be trusted, by waiting for each
//! launch ([`Clock::Waits`]).

use crate::device::{Backend, Device};
use crate::error::Result;
use crate::kernel::Kernel;
use std::sync::MutexGuard;
use std::time::Instant;

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

/// Launches whose times may be waiting on the adapter.
const PENDING: usize = 2048;

/// A profile that is being taken.
#[derive(Debug)]
pub(crate) struct Profiler {
    profile: Profile,
    /// How many of the last spans still lack their times, which are on the adapter.
    pending: usize,
}

impl Device {
    /// Times every launch from here on, by this clock where the device has it. An earlier profile is given up.
    ///
    /// Gives the clock that is used: the CPU's is always [`Clock::Host`], a GPU without timestamps waits.
    pub fn start_profile(&self, wanted: Clock) -> Result<Clock> {
        self.synchronize()?;
        let clock = match self.backend() {
            Backend::Cpu(_) | Backend::Oracle => Clock::Host,
            #[cfg(feature = "gpu")]
            Backend::Gpu(gpu) => {
                gpu.stop_timer();
                match wanted == Clock::Timestamps && gpu.start_timer(PENDING as u32) {
                    true => Clock::Timestamps,
                    false => Clock::Waits,
                }
            }
        };
        #[cfg(not(feature = "gpu"))]
        let _ = wanted;
        let profile = Profile {
            clock,
            spans: Vec::new(),
        };
        *self.profiler() = Some(Profiler {
            profile,
            pending: 0,
        });
        Ok(clock)
    }

    /// Ends what [`Device::start_profile`] began; waits for the launches. `None` where nothing was begun.
    pub fn take_profile(&self) -> Result<Option<Profile>> {
        let filled = self.fill_profile();
        #[cfg(feature = "gpu")]
        if let Backend::Gpu(gpu) = self.backend() {
            gpu.stop_timer();
        }
        let profiler = self.profiler().take();
        filled.map(|()| profiler.map(|profiler| profiler.profile))
    }

    /// Launches a kernel, and times it where somebody asked for it.
    pub(crate) fn timed(
        &self,
        kernel: &dyn Kernel,
        launch: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        let clock = self.profiler().as_ref().map(|p| p.profile.clock);
        let Some(clock) = clock else { return launch() };
        let start = Instant::now();
        launch()?;
        if clock == Clock::Waits {
            self.synchronize()?;
        }
        let span = Span {
            kernel: kernel.name(),
            seconds: start.elapsed().as_secs_f64(),
            flops: kernel.flops(),
            bytes: kernel.bytes(),
        };
        let mut full = false;
        if let Some(profiler) = &mut *self.profiler() {
            profiler.profile.spans.push(span);
            profiler.pending += usize::from(clock == Clock::Timestamps);
            full = profiler.pending == PENDING;
        }
        match full {
            true => self.fill_profile(),
            false => Ok(()),
        }
    }

    /// Fetches the times that are still on the adapter.
    fn fill_profile(&self) -> Result<()> {
        #[cfg(feature = "gpu")]
        if let Backend::Gpu(gpu) = self.backend() {
            let seconds = crate::device::block_on(gpu.times())?;
            if let Some(profiler) = &mut *self.profiler() {
                let spans = &mut profiler.profile.spans;
                let from = spans.len() - profiler.pending;
                for (span, seconds) in spans[from..].iter_mut().zip(seconds) {
                    span.seconds = seconds;
                }
                profiler.pending = 0;
            }
        }
        Ok(())
    }

    fn profiler(&self) -> MutexGuard<'_, Option<Profiler>> {
        self.profiler_slot()
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
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
