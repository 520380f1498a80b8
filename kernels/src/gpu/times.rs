//! The adapter's clock, started, read and stopped.
#![cfg_attr(target_arch = "wasm32", allow(dead_code))] // Profiles are for native targets.

use super::Gpu;
use super::driver::lock;
use super::timer::Timer;
use crate::error::Result;

impl Gpu {
    /// Takes the time of every launch from here on by the adapter's own clock; `false` where it has none. After
    /// `most` launches, and before the next, [`Gpu::times`] must be called.
    pub fn start_timer(&self, most: u32) -> bool {
        let mut state = lock(&self.state);
        state.stream.timer = Timer::new(&self.driver, most);
        state.stream.timer.is_some()
    }

    /// The seconds of the launches since [`Gpu::start_timer`] or the last call. Waits.
    pub async fn times(&self) -> Result<Vec<f64>> {
        let Some((bytes, period)) = lock(&self.state).stream.timer.as_ref().map(Timer::size) else {
            return Ok(Vec::new());
        };
        if bytes == 0 {
            return Ok(Vec::new());
        }
        let staging = self.staging(bytes)?;
        {
            let mut state = lock(&self.state);
            if let Some(mut timer) = state.stream.timer.take() {
                timer.resolve(state.stream.encoder(&self.driver), &staging);
                state.stream.timer = Some(timer);
            }
        }
        let ticks: Vec<u64> = self.fetch(staging, bytes).await?;
        // A clock that runs backwards is not to be trusted: its times are negative, and that shows.
        let seconds = |span: &[u64]| span[1].wrapping_sub(span[0]) as i64 as f64 * period;
        Ok(ticks.chunks_exact(2).map(seconds).collect())
    }

    /// Ends what [`Gpu::start_timer`] began.
    pub fn stop_timer(&self) {
        lock(&self.state).stream.timer = None;
    }
}
