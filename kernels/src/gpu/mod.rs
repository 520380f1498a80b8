//! One GPU adapter: its blocks, its recorded stream, its reads.
//!
//! | file | holds |
//! | --- | --- |
//! | `mod.rs` | `Gpu`: allocation, transfers |
//! | `launch.rs` | kernels recorded |
//! | `driver.rs` | wgpu, and what it reports behind our back |
//! | `adapter.rs` | which adapters there are, and the choice among them |
//! | `pipelines.rs` | compiled rungs and bind groups |
//! | `stream.rs` | recording: one encoder, one compute pass, one ring of uniform blocks |
//! | `timer.rs`, `times.rs` | how long launches took, by the adapter's own clock |
//!
//! Launches are recorded and submitted in batches and at a read, never one by one. A block that is freed while
//! recorded work still uses it may be handed out again at once: later work comes later in the stream, and a write
//! from the host submits the stream first.

mod adapter;
mod driver;
mod launch;
mod pipelines;
mod stream;
#[cfg(test)]
mod tests;
mod timer;
mod times;

pub use adapter::{Choice, Report, list};

use crate::counters::Watch;
use crate::error::{Error, Result};
use crate::kernel::Limits;
use crate::pool::{Numbered, Pool, Usage};
use driver::{Driver, Failure, lock};
use pipelines::Pipelines;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use stream::Stream;

/// Memory on the adapter, under its number in the pool.
pub(crate) type Block = Numbered<Memory>;

pub(crate) struct Memory {
    words: usize,
    buffer: wgpu::Buffer,
}

pub(crate) struct Gpu {
    report: Report,
    driver: Driver,
    state: Mutex<State>,
}

struct State {
    pool: Pool<Memory>,
    pipelines: Pipelines,
    stream: Stream,
    /// Mappable buffers of earlier reads.
    staging: Vec<wgpu::Buffer>,
}

/// Opens the adapter of this choice; `checked` keeps bounds checks in the shaders, `matrices` opens its matrix units.
pub(crate) async fn open(
    choice: Choice<'_>,
    checked: bool,
    matrices: bool,
    watch: Arc<Watch>,
) -> Result<Gpu> {
    let (report, device, queue) = adapter::request(choice, matrices).await?;
    let failure = Arc::new(Mutex::new(Failure::default()));
    let sink = failure.clone();
    device.set_device_lost_callback(move |reason, message| {
        lock(&sink)
            .lost
            .get_or_insert(format!("{reason:?}: {message}"));
    });
    let sink = failure.clone();
    device.on_uncaptured_error(Arc::new(move |error| {
        let mut failure = lock(&sink);
        match error {
            wgpu::Error::OutOfMemory { .. } => failure.out_of_memory = true,
            other => {
                failure.refused.get_or_insert(other.to_string());
            }
        }
    }));
    let state = Mutex::new(State {
        pool: Pool::default(),
        pipelines: Pipelines::default(),
        stream: Stream::new(&device),
        staging: Vec::new(),
    });
    let driver = Driver {
        device,
        queue,
        checked,
        failure,
        watch,
    };
    Ok(Gpu {
        report,
        driver,
        state,
    })
}

impl Gpu {
    pub fn name(&self) -> &str {
        &self.report.name
    }

    pub fn driver(&self) -> &str {
        &self.report.driver
    }

    pub fn is_software(&self) -> bool {
        self.report.software
    }

    pub fn usage(&self) -> Usage {
        lock(&self.state).pool.usage()
    }

    pub fn limits(&self) -> &Limits {
        &self.report.limits
    }

    /// What went wrong since the last call, if anything did.
    fn check(&self, operation: &str, bytes: u64) -> Result<()> {
        self.verdict(operation, bytes, || self.usage())
    }

    /// [`Gpu::check`] for who holds the state.
    fn verdict(&self, operation: &str, bytes: u64, usage: impl FnOnce() -> Usage) -> Result<()> {
        let mut failure = lock(&self.driver.failure);
        let device = || self.name().to_string();
        if let Some(reason) = failure.lost.clone() {
            return Err(Error::DeviceLost {
                device: device(),
                reason,
            });
        }
        if std::mem::take(&mut failure.out_of_memory) {
            drop(failure);
            return Err(Error::OutOfMemory {
                device: device(),
                bytes,
                in_use: usage().live_bytes,
            });
        }
        match failure.refused.take() {
            Some(reason) => Err(self.refused(operation, reason)),
            None => Ok(()),
        }
    }

    fn refused(&self, operation: &str, reason: impl ToString) -> Error {
        Error::Driver {
            device: self.name().into(),
            operation: operation.into(),
            reason: reason.to_string(),
        }
    }

    /// A block of at least `len` words.
    pub fn alloc(&self, len: usize) -> Result<Block> {
        let limit = self.limits().binding_bytes;
        if 4 * len as u64 > limit {
            return Err(Error::TooLarge {
                operation: "alloc",
                bytes: 4 * len as u64,
                limit,
                device: self.name().into(),
            });
        }
        let class = Pool::<()>::class(len).min(limit as usize / 4);
        let mut state = lock(&self.state);
        if let Some(block) = state.pool.take(class) {
            return Ok(block);
        }
        self.driver.watch.tally.allocations.add(1);
        let (number, released) = state.pool.book(class);
        state.release(&released);
        drop(state);
        let usage = wgpu::BufferUsages::STORAGE
            | wgpu::BufferUsages::COPY_SRC
            | wgpu::BufferUsages::COPY_DST;
        let buffer = self
            .create_buffer(4 * class as u64, usage)
            .inspect_err(|_| lock(&self.state).pool.unbook(class))?;
        let words = class;
        Ok(Numbered {
            number,
            block: Memory { words, buffer },
        })
    }

    /// When memory is short, free blocks of the pool are released first.
    fn create_buffer(&self, size: u64, usage: wgpu::BufferUsages) -> Result<wgpu::Buffer> {
        let create = || {
            let buffer = self.driver.device.create_buffer(&wgpu::BufferDescriptor {
                label: None,
                size,
                usage,
                mapped_at_creation: false,
            });
            self.check("alloc", size).map(|()| buffer)
        };
        match create() {
            Err(Error::OutOfMemory { .. }) => {
                self.flush()?;
                self.wait()?;
                let mut state = lock(&self.state);
                let released = state.pool.drain();
                state.release(&released);
                drop((state, released));
                self.wait()?;
                create()
            }
            result => result,
        }
    }

    /// Takes a block back.
    pub fn free(&self, block: Block) {
        lock(&self.state).pool.put(block.block.words, block);
    }

    /// Host words into a block from word `start` on, after everything recorded so far.
    pub fn write(&self, block: &Block, start: usize, data: &[f32]) -> Result<()> {
        self.flush()?;
        let offset = 4 * start as u64;
        self.driver
            .queue
            .write_buffer(&block.block.buffer, offset, bytemuck::cast_slice(data));
        self.check("write", 4 * data.len() as u64)
    }

    /// Submits the recorded work.
    pub fn flush(&self) -> Result<()> {
        lock(&self.state).stream.submit(&self.driver);
        self.check("submit", 0)
    }

    /// Submits the recorded work and waits for it.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn synchronize(&self) -> Result<()> {
        self.flush()?;
        self.wait()
    }

    fn wait(&self) -> Result<()> {
        self.driver.watch.tally.synchronisations.add(1);
        match self.driver.device.poll(wgpu::PollType::wait_indefinitely()) {
            Ok(_) => self.check("wait", 0),
            Err(error) => Err(self.refused("wait", error)),
        }
    }

    /// Words of a block, after everything recorded so far.
    pub async fn read(&self, block: &Block, range: Range<usize>) -> Result<Vec<f32>> {
        let len = range.len();
        if len == 0 {
            return Ok(Vec::new());
        }
        let bytes = 4 * len as u64;
        let staging = self.staging(bytes)?;
        {
            let mut state = lock(&self.state);
            let encoder = state.stream.encoder(&self.driver);
            encoder.copy_buffer_to_buffer(
                &block.block.buffer,
                4 * range.start as u64,
                &staging,
                0,
                bytes,
            );
        }
        self.fetch(staging, bytes).await
    }

    /// A mappable buffer of at least so many bytes.
    fn staging(&self, bytes: u64) -> Result<wgpu::Buffer> {
        let mut state = lock(&self.state);
        let fits = |s: &wgpu::Buffer| (bytes..=4 * bytes.max(4096)).contains(&s.size());
        if let Some(position) = state.staging.iter().position(fits) {
            return Ok(state.staging.swap_remove(position));
        }
        drop(state);
        let watch = &self.driver.watch;
        if watch.allocation.blows() {
            return Err(Error::OutOfMemory {
                device: self.name().into(),
                bytes,
                in_use: self.usage().live_bytes,
            });
        }
        watch.tally.allocations.add(1);
        let size = 4 * Pool::<()>::class(bytes as usize / 4) as u64;
        let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
        self.create_buffer(size, usage)
    }

    /// Submits the recorded work, including the copies into this staging buffer, and returns the buffer's contents.
    async fn fetch<T: bytemuck::Pod>(&self, staging: wgpu::Buffer, bytes: u64) -> Result<Vec<T>> {
        self.driver.watch.tally.reads.add(1);
        self.flush()?;
        let mapped = stream::Mapped::default();
        let done = mapped.clone();
        staging.map_async(wgpu::MapMode::Read, ..bytes, move |result| {
            done.finish(result)
        });
        self.wait()?;
        mapped.await.map_err(|error| self.refused("read", error))?;
        let view = staging
            .get_mapped_range(..bytes)
            .map_err(|error| self.refused("read", error))?;
        let data = bytemuck::pod_collect_to_vec(&view[..]);
        drop(view);
        staging.unmap();
        let mut state = lock(&self.state);
        if state.staging.len() < 8 {
            state.staging.push(staging);
        }
        Ok(data)
    }
}

impl State {
    /// Lets go of the bind groups over these blocks.
    fn release(&mut self, blocks: &[Block]) {
        let numbers: Vec<u64> = blocks.iter().map(|block| block.number).collect();
        self.pipelines.forget(&numbers);
    }
}
