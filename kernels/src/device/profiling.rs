//! Times launches, while a device is profiled.

#[cfg(feature = "gpu")]
use super::block_on;
use super::{Backend, Device};
use crate::error::Result;
use crate::kernel::Kernel;
use crate::profile::{Clock, Profile, Profiler, Span};
use std::sync::MutexGuard;
use std::time::Instant;

/// Launches whose times may be waiting on the adapter.
const PENDING: usize = 2048;

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
            let seconds = block_on(gpu.times())?;
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
