//! Recording: one command encoder, one compute pass, one ring of uniform blocks, submitted together.

use super::driver::Driver;
use super::timer::Timer;
use crate::kernel::Pass;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

/// Dispatches in one submission.
const BATCH: usize = 256;

/// Bytes between two uniform blocks: the largest alignment that WebGPU devices ask for.
const STRIDE: usize = 256;

/// What is recorded and not yet submitted.
pub(super) struct Stream {
    open: Option<Open>,
    /// Uniform blocks of the recorded dispatches, on the host until they are submitted.
    blocks: Vec<u8>,
    /// Where they go.
    pub ring: wgpu::Buffer,
    /// Takes the time of launches, while somebody wants to know it.
    pub timer: Option<Timer>,
}

struct Open {
    // The pass is ended before its encoder is finished: fields drop in this order.
    pass: Option<wgpu::ComputePass<'static>>,
    encoder: wgpu::CommandEncoder,
}

/// One dispatch, ready to be recorded.
pub(super) struct Dispatch<'a> {
    pub pipeline: &'a wgpu::ComputePipeline,
    pub group: &'a wgpu::BindGroup,
    pub params: &'a [u32],
    pub groups: [u32; 3],
}

impl Stream {
    pub fn new(device: &wgpu::Device) -> Self {
        let ring = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("uniforms"),
            size: (BATCH * STRIDE) as u64,
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        Stream {
            open: None,
            blocks: Vec::with_capacity(BATCH * STRIDE),
            ring,
            timer: None,
        }
    }

    /// Records the dispatches of one launch. Submits first where the ring does not hold their parameters.
    pub fn launch<'a>(
        &mut self,
        driver: &Driver,
        dispatches: impl ExactSizeIterator<Item = Dispatch<'a>>,
    ) {
        if self.blocks.len() + dispatches.len() * STRIDE > BATCH * STRIDE {
            self.submit(driver);
        }
        // Timed launches have a pass each.
        if self.timer.is_some() {
            self.end_pass();
        }
        for dispatch in dispatches {
            if self.blocks.len() == BATCH * STRIDE {
                self.submit(driver);
            }
            self.record(driver, &dispatch);
        }
        if let Some(timer) = &mut self.timer {
            timer.next();
            self.end_pass();
        }
    }

    fn record(&mut self, driver: &Driver, dispatch: &Dispatch<'_>) {
        debug_assert!(dispatch.params.len() <= Pass::MAX_PARAMS);
        let offset = self.blocks.len();
        self.blocks
            .extend_from_slice(bytemuck::cast_slice(dispatch.params));
        self.blocks.resize(offset + STRIDE, 0);
        let timer = &mut self.timer;
        let open = Self::open(&mut self.open, driver);
        let pass = open.pass.get_or_insert_with(|| {
            let descriptor = wgpu::ComputePassDescriptor {
                label: None,
                timestamp_writes: timer.as_mut().map(Timer::writes),
            };
            open.encoder
                .begin_compute_pass(&descriptor)
                .forget_lifetime()
        });
        pass.set_pipeline(dispatch.pipeline);
        pass.set_bind_group(0, dispatch.group, &[offset as u32]);
        let [x, y, z] = dispatch.groups;
        pass.dispatch_workgroups(x, y, z);
        driver.watch.tally.dispatches.add(1);
    }

    fn end_pass(&mut self) {
        if let Some(open) = &mut self.open {
            open.pass = None;
        }
    }

    /// The encoder, between passes.
    pub fn encoder(&mut self, driver: &Driver) -> &mut wgpu::CommandEncoder {
        let open = Self::open(&mut self.open, driver);
        open.pass = None;
        &mut open.encoder
    }

    /// Submits everything recorded, without waiting.
    pub fn submit(&mut self, driver: &Driver) {
        let Some(open) = self.open.take() else { return };
        drop(open.pass);
        if driver.watch.submission.blows() {
            driver.lose();
        }
        if !self.blocks.is_empty() {
            driver.queue.write_buffer(&self.ring, 0, &self.blocks);
            self.blocks.clear();
        }
        driver.queue.submit([open.encoder.finish()]);
        driver.watch.tally.submissions.add(1);
        // Lets the driver give back what earlier submissions held; does not wait.
        let _ = driver.device.poll(wgpu::PollType::Poll);
    }

    fn open<'a>(slot: &'a mut Option<Open>, driver: &Driver) -> &'a mut Open {
        slot.get_or_insert_with(|| Open {
            pass: None,
            encoder: driver
                .device
                .create_command_encoder(&wgpu::CommandEncoderDescriptor::default()),
        })
    }
}

/// Resolves when a buffer is mapped: at once after a wait on native targets, from the event loop in a browser.
#[derive(Clone, Default)]
pub(super) struct Mapped(Arc<Mutex<MapState>>);

#[derive(Default)]
struct MapState {
    result: Option<Result<(), wgpu::BufferAsyncError>>,
    waker: Option<Waker>,
}

impl Mapped {
    /// Called by wgpu.
    pub fn finish(&self, result: Result<(), wgpu::BufferAsyncError>) {
        let mut state = super::driver::lock(&self.0);
        state.result = Some(result);
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
    }
}

impl Future for Mapped {
    type Output = Result<(), wgpu::BufferAsyncError>;

    fn poll(self: std::pin::Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = super::driver::lock(&self.0);
        match state.result.take() {
            Some(result) => Poll::Ready(result),
            None => {
                state.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}
