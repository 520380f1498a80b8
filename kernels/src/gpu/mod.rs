//! One GPU adapter: its blocks, its recorded stream, its reads.
//!
//! | file | holds |
//! | --- | --- |
//! | `mod.rs` | `Gpu`: allocation, transfers, launching |
//! | `adapter.rs` | which adapters there are, and the choice among them |
//! | `pipelines.rs` | compiled rungs and bind groups |
//! | `stream.rs` | recording: one encoder, one compute pass, one ring of uniform blocks |
//!
//! Launches are recorded and submitted in batches and at a read, never one by one. A block that is freed while
//! recorded work still uses it may be handed out again at once: later work comes later in the stream, and a write
//! from the host submits the stream first.

mod adapter;
mod pipelines;
mod stream;

pub use adapter::{Choice, Report, list};

use crate::buffer::{self, Buffer, Pool, Usage};
use crate::device::Device;
use crate::error::{Error, Result};
use crate::kernel::{Kernel, Limits, Plan, Rung};
use pipelines::Pipelines;
use std::sync::{Arc, Mutex, MutexGuard};
use stream::Stream;

/// Memory on the adapter; `id` is never used twice.
pub(crate) struct Block {
    id: u64,
    words: usize,
    buffer: wgpu::Buffer,
}

pub(crate) struct Gpu {
    report: Report,
    checked: bool,
    device: wgpu::Device,
    queue: wgpu::Queue,
    /// What the driver reported behind our back: the next call returns it.
    failure: Arc<Mutex<Failure>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct Failure {
    lost: Option<String>,
    out_of_memory: bool,
    refused: Option<String>,
}

struct State {
    pool: Pool<Block>,
    next_id: u64,
    pipelines: Pipelines,
    stream: Stream,
    /// Mappable buffers of earlier reads.
    staging: Vec<wgpu::Buffer>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Opens the adapter of this choice; `checked` keeps bounds checks in the shaders.
pub(crate) async fn open(choice: Choice<'_>, checked: bool) -> Result<Gpu> {
    let (report, device, queue) = adapter::request(choice).await?;
    let failure = Arc::new(Mutex::new(Failure::default()));
    let sink = failure.clone();
    device.set_device_lost_callback(move |reason, message| {
        // Dropping the device is no loss.
        if reason != wgpu::DeviceLostReason::Destroyed {
            lock(&sink)
                .lost
                .get_or_insert(format!("{reason:?}: {message}"));
        }
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
        next_id: 0,
        pipelines: Pipelines::default(),
        stream: Stream::new(&device),
        staging: Vec::new(),
    });
    Ok(Gpu {
        report,
        checked,
        device,
        queue,
        failure,
        state,
    })
}

impl Gpu {
    pub fn name(&self) -> &str {
        &self.report.name
    }

    pub fn is_software(&self) -> bool {
        self.report.software
    }

    pub fn usage(&self) -> Usage {
        lock(&self.state).pool.usage()
    }

    fn limits(&self) -> &Limits {
        &self.report.limits
    }

    /// What went wrong since the last call, if anything did.
    fn check(&self, operation: &str, bytes: u64) -> Result<()> {
        let mut failure = lock(&self.failure);
        let device = self.name().to_string();
        if let Some(reason) = failure.lost.clone() {
            return Err(Error::DeviceLost { device, reason });
        }
        if std::mem::take(&mut failure.out_of_memory) {
            drop(failure);
            return Err(Error::OutOfMemory {
                device,
                bytes,
                in_use: self.usage().live_bytes,
            });
        }
        match failure.refused.take() {
            Some(reason) => Err(Error::Driver {
                device,
                operation: operation.into(),
                reason,
            }),
            None => Ok(()),
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
        let bytes = 4 * class as u64;
        let mut state = lock(&self.state);
        if let Some(block) = state.pool.take(class) {
            return Ok(block);
        }
        let released = state.pool.book(class);
        state
            .pipelines
            .forget(&released.iter().map(|b| b.id).collect::<Vec<_>>());
        drop(released);
        let buffer = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: bytes,
            usage: wgpu::BufferUsages::STORAGE
                | wgpu::BufferUsages::COPY_SRC
                | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let id = state.next_id;
        state.next_id += 1;
        drop(state);
        self.check("alloc", bytes)
            .inspect_err(|_| lock(&self.state).pool.unbook(class))?;
        Ok(Block {
            id,
            words: class,
            buffer,
        })
    }

    /// Takes a block back.
    pub fn free(&self, block: Block) {
        lock(&self.state).pool.put(block.words, block);
    }

    /// Host words into a block, after everything recorded so far.
    pub fn write(&self, block: &Block, data: &[f32]) -> Result<()> {
        self.flush()?;
        self.queue
            .write_buffer(&block.buffer, 0, bytemuck::cast_slice(data));
        self.check("write", 4 * data.len() as u64)
    }

    /// Submits what is recorded.
    pub fn flush(&self) -> Result<()> {
        lock(&self.state).stream.submit(&self.device, &self.queue);
        self.check("submit", 0)
    }

    /// Submits what is recorded and waits for it.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn synchronize(&self) -> Result<()> {
        self.flush()?;
        self.wait()
    }

    fn wait(&self) -> Result<()> {
        match self.device.poll(wgpu::PollType::wait_indefinitely()) {
            Ok(_) => self.check("wait", 0),
            Err(error) => Err(Error::Driver {
                device: self.name().into(),
                operation: "wait".into(),
                reason: error.to_string(),
            }),
        }
    }

    /// The first `len` words of a block, after everything recorded so far.
    pub async fn read(&self, block: &Block, len: usize) -> Result<Vec<f32>> {
        if len == 0 {
            return Ok(Vec::new());
        }
        let bytes = 4 * len as u64;
        let staging = {
            let mut state = lock(&self.state);
            let fits = state
                .staging
                .iter()
                .position(|s| (bytes..=4 * bytes.max(4096)).contains(&s.size()));
            let staging = match fits {
                Some(position) => state.staging.swap_remove(position),
                None => self.device.create_buffer(&wgpu::BufferDescriptor {
                    label: Some("staging"),
                    size: 4 * Pool::<()>::class(len) as u64,
                    usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
                    mapped_at_creation: false,
                }),
            };
            state
                .stream
                .copy(&self.device, &block.buffer, &staging, bytes);
            state.stream.submit(&self.device, &self.queue);
            staging
        };
        self.check("read", bytes)?;
        let mapped = stream::Mapped::default();
        let done = mapped.clone();
        staging.map_async(wgpu::MapMode::Read, ..bytes, move |result| {
            done.finish(result)
        });
        self.wait()?;
        let refused = |reason: String| Error::Driver {
            device: self.name().into(),
            operation: "read".into(),
            reason,
        };
        mapped.await.map_err(|error| refused(error.to_string()))?;
        let view = staging
            .get_mapped_range(..bytes)
            .map_err(|error| refused(error.to_string()))?;
        let data = bytemuck::pod_collect_to_vec(&view[..]);
        drop(view);
        staging.unmap();
        let mut state = lock(&self.state);
        if state.staging.len() < 8 {
            state.staging.push(staging);
        }
        Ok(data)
    }

    /// Records a kernel: the named rung, or the best that serves this shape here.
    pub fn launch(
        &self,
        device: &Device,
        kernel: &dyn Kernel,
        rung: Option<&str>,
        inputs: &[&Buffer],
        outputs: &[&Buffer],
    ) -> Result<()> {
        self.check(kernel.name(), 0)?;
        let plan = self.plan(kernel, rung)?;
        // Scratch is freed when this returns, and may then be handed out again: the stream keeps the order.
        let scratch = plan
            .scratch
            .iter()
            .map(|&len| device.alloc(len))
            .collect::<Result<Vec<_>>>()?;
        let blocks: Vec<&Block> = inputs
            .iter()
            .chain(outputs)
            .copied()
            .chain(&scratch)
            .map(|buffer| match buffer.block() {
                buffer::Block::Gpu(block) => block,
                _ => unreachable!("checked: every buffer is on this device"),
            })
            .collect();
        let mut state = lock(&self.state);
        let State {
            pipelines, stream, ..
        } = &mut *state;
        for pass in &plan.passes {
            let reads: Vec<bool> = pass.bindings.iter().map(|&b| b < inputs.len()).collect();
            let bound: Vec<_> = pass
                .bindings
                .iter()
                .map(|&b| (blocks[b].id, &blocks[b].buffer))
                .collect();
            let position = pipelines.find(&self.device, self.checked, pass, &reads)?;
            let offset = stream.uniforms(&self.device, &self.queue, &pass.params);
            let group = pipelines
                .group(&self.device, &stream.ring, position, &bound)
                .clone();
            let pipeline = &pipelines.get(position).pipeline;
            stream.dispatch(&self.device, pipeline, &group, offset, pass.groups);
        }
        drop(state);
        self.check(kernel.name(), 0)
    }

    fn plan(&self, kernel: &dyn Kernel, rung: Option<&str>) -> Result<Plan> {
        let wanted = |candidate: &&Rung| rung.is_none_or(|name| candidate.name == name);
        kernel
            .rungs()
            .iter()
            .rev()
            .filter(wanted)
            .filter_map(|rung| kernel.plan(rung, self.limits()))
            .find(|plan| {
                let iterations = plan.passes.iter().map(|pass| pass.iterations).max();
                iterations <= Some(self.limits().iterations)
            })
            .ok_or_else(|| Error::NoRung {
                kernel: kernel.name(),
                rung: rung.unwrap_or("any").into(),
                device: self.name().into(),
            })
    }
}
