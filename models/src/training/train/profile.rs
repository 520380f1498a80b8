//! Profile of training steps, kernel by kernel.

use std::fmt;
use std::time::Instant;

use engine::Device;
use kernels::Counters;
use kernels::measure::trusted_clock;
use kernels::profile::{Clock, Profile, Span};

use crate::base::columns::{table, time};

/// Number of steps that are profiled.
const STEPS: u64 = 8;

/// Cost of some training steps: time by kernel, and the device's memory operations.
#[derive(Debug, Clone, PartialEq)]
pub struct StepProfile {
    /// Number of steps.
    pub steps: u64,
    /// Time from start to end, including all work of the host.
    pub seconds: f64,
    /// All launches.
    pub launches: Profile,
    /// What the device did.
    pub counters: Counters,
    /// Everything that a step holds (parameters, gradients, moments, the maps that the way back keeps), written once
    /// and read once.
    pub floor_bytes: u64,
}

/// Profiles steps until there are enough of them.
#[derive(Debug)]
pub(super) struct Profiler {
    found: Option<StepProfile>,
    floor_bytes: u64,
    before: Option<(Instant, Counters)>,
    /// Counters of the device before the first step.
    clock: Option<Clock>,
}

impl Profiler {
    pub fn new(floor_bytes: u64) -> Self {
        Profiler {
            found: None,
            floor_bytes,
            before: None,
            clock: None,
        }
    }

    /// Before a step. An adapter's timestamps are taken where they agree with the host's clock; else each launch is
    /// waited
    /// for, since a batch of launches would not tell one kernel from another.
    pub fn begin(&mut self, device: &Device) -> engine::Result<()> {
        let clock = match self.clock {
            Some(clock) => clock,
            None => match trusted_clock(device)? {
                Clock::Batches => Clock::Waits,
                clock => clock,
            },
        };
        self.clock = Some(clock);
        device.start_profile(clock)?;
        self.before = Some((Instant::now(), device.counters()));
        Ok(())
    }

    /// Called after a step; returns the profile once there are enough steps.
    pub fn end(&mut self, device: &Device) -> engine::Result<Option<StepProfile>> {
        let cost = |before| device.counters() - before;
        let Some((start, counters)) = self.before.take().map(|(t, c)| (t, cost(c))) else {
            return Ok(None);
        };
        let launches = device.take_profile()?;
        let seconds = start.elapsed().as_secs_f64();
        let Some(mut launches) = launches else {
            return Ok(None);
        };
        match &mut self.found {
            None => {
                self.found = Some(StepProfile {
                    steps: 1,
                    seconds,
                    launches,
                    counters,
                    floor_bytes: self.floor_bytes,
                });
            }
            Some(found) => {
                found.steps += 1;
                found.seconds += seconds;
                found.launches.spans.append(&mut launches.spans);
                // Taken from the last step, after warm-up.
                found.counters = counters;
            }
        }
        Ok(self.found.take_if(|found| found.steps == STEPS))
    }

    /// Returns the profile so far if an epoch ends early; `None` if there are too few steps.
    pub fn finish(&mut self) -> Option<StepProfile> {
        self.found.take()
    }
}

impl fmt::Display for StepProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps = self.steps as f64;
        let whole = self.seconds / steps;
        writeln!(
            f,
            "a training step: {} (mean of {}; kernels timed by {})",
            time(whole * 1e6),
            self.steps,
            self.launches.clock.name()
        )?;
        let heads = [
            "kernel", "launches", "time", "share", "GFLOP/s", "GB/s", "MB",
        ];
        let mut rows = vec![heads.map(String::from).to_vec()];
        let share = |seconds: f64| format!("{:.1} %", 100.0 * seconds / self.seconds);
        for row in self.launches.by_kernel() {
            let Span {
                kernel,
                seconds,
                flops,
                bytes,
            } = row.total;
            rows.push(vec![
                kernel.into(),
                format!("{:.0}", row.launches as f64 / steps),
                time(seconds / steps * 1e6),
                share(seconds),
                format!("{:.1}", flops as f64 / seconds * 1e-9),
                format!("{:.1}", bytes as f64 / seconds * 1e-9),
                format!("{:.2}", bytes as f64 / steps * 1e-6),
            ]);
        }
        let rest = self.seconds - self.launches.seconds();
        let host = [
            "host, transfers, gaps".into(),
            String::new(),
            time(rest / steps * 1e6),
            share(rest),
        ];
        rows.push(host.to_vec());
        write!(f, "{}", table(&rows, 1))?;
        let c = &self.counters;
        writeln!(
            f,
            "in one step: {} launches, {} dispatches, {} allocations, {} bind groups, {} submissions; {:.2} MB moved at least, {:.1} times the floor of {:.2} MB",
            c.launches,
            c.dispatches,
            c.allocations,
            c.bind_groups,
            c.submissions,
            c.bytes as f64 * 1e-6,
            c.bytes as f64 / self.floor_bytes as f64,
            self.floor_bytes as f64 * 1e-6
        )
    }
}
