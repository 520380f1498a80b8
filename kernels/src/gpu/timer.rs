//! How long launches took, by the adapter's own clock: each has a compute pass of its own, with a timestamp before and
//! behind it.
#![cfg_attr(target_arch = "wasm32", allow(dead_code))] // Profiles are for native targets.

use super::driver::Driver;

/// Timestamps of launches that were not read yet.
pub(crate) struct Timer {
    queries: wgpu::QuerySet,
    /// Where they are written out, as ticks of 64 bits.
    ticks: wgpu::Buffer,
    /// Seconds in a tick.
    period: f64,
    most: u32,
    launches: u32,
    /// Whether the launch that is being recorded has begun: one of many dispatches may need several passes.
    begun: bool,
}

impl Timer {
    /// For so many launches at once. `None` where the adapter has no clock for us.
    pub fn new(driver: &Driver, most: u32) -> Option<Self> {
        let device = &driver.device;
        if !device.features().contains(wgpu::Features::TIMESTAMP_QUERY) {
            return None;
        }
        Some(Timer {
            queries: device.create_query_set(&wgpu::QuerySetDescriptor {
                label: Some("timer"),
                ty: wgpu::QueryType::Timestamp,
                count: 2 * most,
            }),
            ticks: device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("ticks"),
                size: 16 * u64::from(most),
                usage: wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC,
                mapped_at_creation: false,
            }),
            period: f64::from(driver.queue.get_timestamp_period()) * 1e-9,
            most,
            launches: 0,
            begun: false,
        })
    }

    /// The timestamps of the launch that is being recorded: the beginning of its first pass, the end of its last.
    pub fn writes(&mut self) -> wgpu::ComputePassTimestampWrites<'_> {
        let at = 2 * self.launches;
        let first = !std::mem::replace(&mut self.begun, true);
        wgpu::ComputePassTimestampWrites {
            query_set: &self.queries,
            beginning_of_pass_write_index: first.then_some(at),
            end_of_pass_write_index: Some(at + 1),
        }
    }

    /// The launch is recorded.
    pub fn next(&mut self) {
        self.launches += 1;
        self.begun = false;
        debug_assert!(self.launches <= self.most, "times must be read in between");
    }

    /// Bytes of the timestamps so far, and seconds in a tick.
    pub fn size(&self) -> (u64, f64) {
        (16 * u64::from(self.launches), self.period)
    }

    /// Records a copy of all timestamps into `staging`, and begins anew.
    pub fn resolve(&mut self, encoder: &mut wgpu::CommandEncoder, staging: &wgpu::Buffer) {
        let (bytes, _) = self.size();
        encoder.resolve_query_set(&self.queries, 0..2 * self.launches, &self.ticks, 0);
        encoder.copy_buffer_to_buffer(&self.ticks, 0, staging, 0, bytes);
        self.launches = 0;
    }
}
