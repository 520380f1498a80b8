//! Recording: one command encoder, one compute pass, one ring of uniform blocks, submitted together.

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
}

struct Open {
    // The pass is ended before its encoder is finished: fields drop in this order.
    pass: Option<wgpu::ComputePass<'static>>,
    encoder: wgpu::CommandEncoder,
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
        }
    }

    /// Stores a dispatch's parameters and gives their offset; submits first where the ring is full.
    pub fn uniforms(&mut self, device: &wgpu::Device, queue: &wgpu::Queue, params: &[u32]) -> u32 {
        debug_assert!(params.len() <= Pass::MAX_PARAMS);
        if self.blocks.len() == BATCH * STRIDE {
            self.submit(device, queue);
        }
        let offset = self.blocks.len();
        self.blocks.extend_from_slice(bytemuck::cast_slice(params));
        self.blocks.resize(offset + STRIDE, 0);
        offset as u32
    }

    /// Records one dispatch.
    pub fn dispatch(
        &mut self,
        device: &wgpu::Device,
        pipeline: &wgpu::ComputePipeline,
        group: &wgpu::BindGroup,
        offset: u32,
        groups: [u32; 3],
    ) {
        let open = Self::open(&mut self.open, device);
        let pass = open.pass.get_or_insert_with(|| {
            let descriptor = wgpu::ComputePassDescriptor::default();
            open.encoder
                .begin_compute_pass(&descriptor)
                .forget_lifetime()
        });
        pass.set_pipeline(pipeline);
        pass.set_bind_group(0, group, &[offset]);
        pass.dispatch_workgroups(groups[0], groups[1], groups[2]);
    }

    /// Records a copy from the start of one buffer to the start of another.
    pub fn copy(
        &mut self,
        device: &wgpu::Device,
        from: &wgpu::Buffer,
        to: &wgpu::Buffer,
        bytes: u64,
    ) {
        let open = Self::open(&mut self.open, device);
        open.pass = None;
        open.encoder.copy_buffer_to_buffer(from, 0, to, 0, bytes);
    }

    /// Submits everything recorded, without waiting.
    pub fn submit(&mut self, device: &wgpu::Device, queue: &wgpu::Queue) {
        let Some(open) = self.open.take() else { return };
        drop(open.pass);
        if !self.blocks.is_empty() {
            queue.write_buffer(&self.ring, 0, &self.blocks);
            self.blocks.clear();
        }
        queue.submit([open.encoder.finish()]);
        // Lets the driver give back what earlier submissions held; does not wait.
        let _ = device.poll(wgpu::PollType::Poll);
    }

    fn open<'a>(slot: &'a mut Option<Open>, device: &wgpu::Device) -> &'a mut Open {
        slot.get_or_insert_with(|| Open {
            pass: None,
            encoder: device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default()),
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
        let mut state = super::lock(&self.0);
        state.result = Some(result);
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
    }
}

impl Future for Mapped {
    type Output = Result<(), wgpu::BufferAsyncError>;

    fn poll(self: std::pin::Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = super::lock(&self.0);
        match state.result.take() {
            Some(result) => Poll::Ready(result),
            None => {
                state.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}
