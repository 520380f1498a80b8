//! Devices: the CPU or one GPU adapter; buffers are made here and kernels launched.

use crate::buffer::{Block, Buffer, Numbered, PLACE, Pool, Usage};
use crate::counters::Watch;
use crate::error::{Error, Result};
use crate::kernel::{Arg, Kernel};
use crate::launch;
#[cfg(not(target_arch = "wasm32"))]
use crate::profile::Profiler;
use std::sync::{Arc, Mutex, MutexGuard, RwLock};

/// Where numbers live and are computed. Cloning is cheap and means the same device.
#[derive(Clone)]
pub struct Device(Arc<Inner>);

struct Inner {
    backend: Backend,
    /// Shared with the GPU, which counts for itself.
    watch: Arc<Watch>,
    #[cfg(not(target_arch = "wasm32"))]
    profiler: Mutex<Option<Profiler>>,
}

pub(crate) enum Backend {
    Cpu(Cpu),
    Oracle,
    #[cfg(feature = "gpu")]
    Gpu(Box<crate::gpu::Gpu>),
}

/// The CPU as a device: a pool of vectors.
#[derive(Default)]
pub(crate) struct Cpu {
    pool: Mutex<Pool<Vec<f32>>>,
}

impl Cpu {
    pub fn pool(&self) -> MutexGuard<'_, Pool<Vec<f32>>> {
        self.pool
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Device {
    fn new(backend: Backend, watch: Arc<Watch>) -> Self {
        Device(Arc::new(Inner {
            backend,
            watch,
            #[cfg(not(target_arch = "wasm32"))]
            profiler: Mutex::default(),
        }))
    }

    /// The CPU.
    pub fn cpu() -> Self {
        Device::new(Backend::Cpu(Cpu::default()), Arc::default())
    }

    /// Every kernel as its f64 oracle: slow and exact, for checking gradients. Buffers hold f64.
    pub fn oracle() -> Self {
        Device::new(Backend::Oracle, Arc::default())
    }

    /// A hardware GPU if there is one, else the CPU; never a software adapter.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn auto() -> Self {
        block_on(Self::request("auto", false)).unwrap_or_else(|_| Device::cpu())
    }

    /// `auto`, `cpu`, `gpu` (hardware before software) or `gpu:NAME` (a part of the adapter's name).
    #[cfg(not(target_arch = "wasm32"))]
    pub fn open(wanted: &str) -> Result<Self> {
        block_on(Self::request(wanted, false))
    }

    /// [`Device::open`] with bounds checks in every shader: slower, and a bug of ours reads zero instead of noise.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn open_checked(wanted: &str) -> Result<Self> {
        block_on(Self::request(wanted, true))
    }

    /// [`Device::open`] without blocking, as a browser needs it; `checked` keeps bounds checks in the shaders.
    pub async fn request(wanted: &str, checked: bool) -> Result<Self> {
        let no = |reason: &str| Error::NoDevice {
            wanted: wanted.into(),
            reason: reason.into(),
        };
        if wanted == "cpu" {
            return Ok(Device::cpu());
        }
        #[cfg(feature = "gpu")]
        {
            use crate::gpu::{Choice, open};
            let choice = match wanted {
                "auto" => Choice::Hardware,
                "gpu" => Choice::Any,
                _ => Choice::Named(
                    wanted
                        .strip_prefix("gpu:")
                        .filter(|name| !name.is_empty())
                        .ok_or_else(|| no("a device is `auto`, `cpu`, `gpu` or `gpu:NAME`"))?,
                ),
            };
            let watch = Arc::new(Watch::default());
            match open(choice, checked, watch.clone()).await {
                Ok(gpu) => Ok(Device::new(Backend::Gpu(Box::new(gpu)), watch)),
                Err(_) if wanted == "auto" => Ok(Device::cpu()),
                Err(error) => Err(error),
            }
        }
        #[cfg(not(feature = "gpu"))]
        match (wanted, checked) {
            ("auto", _) => Ok(Device::cpu()),
            _ => Err(no("this build has no GPU support (feature `gpu`)")),
        }
    }

    /// `cpu`, `oracle`, or the adapter's name.
    pub fn name(&self) -> &str {
        match self.backend() {
            Backend::Cpu(_) => "cpu",
            Backend::Oracle => "oracle",
            #[cfg(feature = "gpu")]
            Backend::Gpu(gpu) => gpu.name(),
        }
    }

    /// Graphics API, driver and version of a GPU; architecture and vector instructions of the CPU.
    pub fn driver(&self) -> String {
        match self.backend() {
            Backend::Cpu(_) | Backend::Oracle => {
                format!("{}, {:?}", std::env::consts::ARCH, crate::cpu::level()).to_lowercase()
            }
            #[cfg(feature = "gpu")]
            Backend::Gpu(gpu) => gpu.driver().into(),
        }
    }

    /// Whether this is a GPU adapter, hardware or software.
    pub fn is_gpu(&self) -> bool {
        !matches!(self.backend(), Backend::Cpu(_) | Backend::Oracle)
    }

    /// Whether this is a software adapter (llvmpipe, SwiftShader, WARP).
    pub fn is_software(&self) -> bool {
        match self.backend() {
            Backend::Cpu(_) | Backend::Oracle => false,
            #[cfg(feature = "gpu")]
            Backend::Gpu(gpu) => gpu.is_software(),
        }
    }

    /// Whether both are the same device.
    pub fn same(&self, other: &Device) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// `len` words with arbitrary contents.
    pub fn alloc(&self, len: usize) -> Result<Buffer> {
        self.alloc_block(len, len)
    }

    /// A buffer of `len` words in a block of at least `block` words.
    pub(crate) fn alloc_block(&self, len: usize, block: usize) -> Result<Buffer> {
        if self.watch().allocation.blows() {
            return Err(Error::OutOfMemory {
                device: self.name().into(),
                bytes: 4 * block as u64,
                in_use: self.usage().live_bytes,
            });
        }
        match self.backend() {
            Backend::Cpu(cpu) => {
                let class = Pool::<()>::class(block);
                let mut pool = cpu.pool();
                let words = match pool.take(class) {
                    Some(words) => words,
                    None => {
                        self.watch().tally.allocations.add(1);
                        let (number, released) = pool.book(class);
                        drop(released);
                        let in_use = pool.usage().live_bytes;
                        let block =
                            zeroed(class)
                                .inspect_err(|_| pool.unbook(class))
                                .map_err(|bytes| Error::OutOfMemory {
                                    device: "cpu".into(),
                                    bytes,
                                    in_use,
                                })?;
                        Numbered { number, block }
                    }
                };
                let words = words.map(RwLock::new);
                Ok(Buffer::new(self, len, Block::Cpu(words)))
            }
            Backend::Oracle => Ok(Buffer::new(
                self,
                len,
                Block::Oracle(RwLock::new(vec![0.0; block])),
            )),
            #[cfg(feature = "gpu")]
            Backend::Gpu(gpu) => Ok(Buffer::new(self, len, Block::Gpu(gpu.alloc(block)?))),
        }
    }

    /// Buffers of zeros that lie one behind the other, in one block as far as it may be bound at once: what is done to
    /// all of them alike is then a single launch (see [`Buffer::join`]). One launch may not read some and write others.
    pub fn zeros_together(&self, lens: &[usize]) -> Result<Vec<Buffer>> {
        let place = |len: usize| len.max(1).div_ceil(PLACE).saturating_mul(PLACE);
        let mut buffers = Vec::with_capacity(lens.len());
        let mut rest = lens;
        while !rest.is_empty() {
            let mut total = 0usize;
            let fitting = rest.iter().take_while(|&&len| {
                let first = total == 0;
                total = total.saturating_add(place(len));
                // One that is too long by itself is refused below.
                first || total <= self.longest()
            });
            let (some, others) = rest.split_at(fitting.count());
            let block = self.alloc(some.iter().map(|&len| place(len)).sum())?;
            self.write(&block, &vec![0.0; block.len()])?;
            let mut start = 0;
            for &len in some {
                buffers.push(block.part(start, len));
                start += place(len);
            }
            rest = others;
        }
        Ok(buffers)
    }

    /// Words in the longest buffer that kernels take.
    fn longest(&self) -> usize {
        let indices = (1 << 31) - PLACE;
        match self.backend() {
            Backend::Cpu(_) | Backend::Oracle => indices,
            #[cfg(feature = "gpu")]
            Backend::Gpu(gpu) => indices.min(gpu.limits().binding_bytes as usize / 4),
        }
    }

    /// A buffer with these contents.
    pub fn upload(&self, data: &[f32]) -> Result<Buffer> {
        self.upload_block(data, data.len())
    }

    /// A buffer with these integers.
    pub fn upload_u32(&self, data: &[u32]) -> Result<Buffer> {
        match self.backend() {
            Backend::Oracle => {
                Ok(self.upload_f64(&data.iter().map(|&v| f64::from(v)).collect::<Vec<_>>()))
            }
            _ => self.upload(bytemuck::cast_slice(data)),
        }
    }

    /// A buffer with these contents, in f64.
    ///
    /// # Panics
    /// On any device but [`Device::oracle`].
    pub fn upload_f64(&self, data: &[f64]) -> Buffer {
        assert!(
            matches!(self.backend(), Backend::Oracle),
            "only the oracle holds f64"
        );
        Buffer::new(self, data.len(), Block::Oracle(RwLock::new(data.to_vec())))
    }

    /// A buffer of `len` words whose block holds all of `data`.
    pub(crate) fn upload_block(&self, data: &[f32], len: usize) -> Result<Buffer> {
        let buffer = self.alloc_block(len, data.len())?;
        self.write_block(&buffer, data)?;
        Ok(buffer)
    }

    /// New contents for a buffer.
    pub fn write(&self, buffer: &Buffer, data: &[f32]) -> Result<()> {
        if data.len() != buffer.len() {
            return Err(Error::Length {
                kernel: "write",
                arg: "data",
                expected: buffer.len(),
                found: data.len(),
            });
        }
        self.write_block(buffer, data)
    }

    fn write_block(&self, buffer: &Buffer, data: &[f32]) -> Result<()> {
        buffer.on(self, "write")?;
        self.watch().tally.writes.add(1);
        match (buffer.block(), self.backend()) {
            (Block::Cpu(words), _) => {
                let mut words = words
                    .block
                    .write()
                    .unwrap_or_else(|poisoned| poisoned.into_inner());
                words[buffer.start()..][..data.len()].copy_from_slice(data);
                Ok(())
            }
            (Block::Oracle(values), _) => {
                let mut values = values
                    .write()
                    .unwrap_or_else(|poisoned| poisoned.into_inner());
                values[buffer.start()..]
                    .iter_mut()
                    .zip(data)
                    .for_each(|(v, d)| *v = f64::from(*d));
                Ok(())
            }
            #[cfg(feature = "gpu")]
            (Block::Gpu(block), Backend::Gpu(gpu)) => gpu.write(block, buffer.start(), data),
            #[cfg(feature = "gpu")]
            (Block::Gpu(_), _) => unreachable!("a GPU block on another device"),
        }
    }

    /// Runs a kernel with its best rung: at once on the CPU, recorded on a GPU.
    ///
    /// # Errors
    /// Whatever [`Kernel::check`] says; buffers of the wrong number, length or device; an output given twice; on a
    /// GPU, buffers past its limits, no memory for scratch, a lost device.
    pub fn launch(
        &self,
        kernel: &dyn Kernel,
        inputs: &[&Buffer],
        outputs: &[&Buffer],
    ) -> Result<()> {
        self.launch_rung(kernel, None, inputs, outputs)
    }

    /// [`Device::launch`] with the rung of this name (`None`: the best). Only GPUs have rungs.
    pub fn launch_rung(
        &self,
        kernel: &dyn Kernel,
        rung: Option<&str>,
        inputs: &[&Buffer],
        outputs: &[&Buffer],
    ) -> Result<()> {
        kernel.check()?;
        self.check_args(kernel, "inputs", &kernel.inputs(), inputs)?;
        self.check_args(kernel, "outputs", &kernel.outputs(), outputs)?;
        if let Some(rung) = rung.filter(|_| !self.is_gpu()) {
            return Err(Error::NoRung {
                kernel: kernel.name(),
                rung: rung.into(),
                device: self.name().into(),
            });
        }
        for (position, output) in outputs.iter().enumerate() {
            let read = inputs.iter().any(|input| input.neighbours(output));
            if read || outputs[..position].iter().any(|other| other.same(output)) {
                let arg = kernel.outputs()[position].name;
                return Err(Error::Aliased {
                    kernel: kernel.name(),
                    arg,
                });
            }
        }
        let tally = &self.watch().tally;
        tally.launches.add(1);
        tally.flops.add(kernel.flops());
        tally.bytes.add(kernel.bytes());
        let run = || match self.backend() {
            Backend::Cpu(_) => {
                launch::cpu(kernel, inputs, outputs);
                Ok(())
            }
            Backend::Oracle => {
                launch::oracle(kernel, inputs, outputs);
                Ok(())
            }
            #[cfg(feature = "gpu")]
            Backend::Gpu(gpu) => gpu.launch(self, kernel, rung, inputs, outputs),
        };
        #[cfg(not(target_arch = "wasm32"))]
        return self.timed(kernel, run);
        #[cfg(target_arch = "wasm32")]
        run()
    }

    /// The rungs that serve this kernel here, the best last; `None` where there are no rungs: on the CPU.
    #[cfg_attr(not(feature = "gpu"), allow(unused_variables))]
    pub fn rungs(&self, kernel: &dyn Kernel) -> Option<Vec<&'static str>> {
        match self.backend() {
            Backend::Cpu(_) | Backend::Oracle => None,
            #[cfg(feature = "gpu")]
            Backend::Gpu(gpu) => Some(gpu.rungs(kernel)),
        }
    }

    fn check_args(
        &self,
        kernel: &dyn Kernel,
        what: &'static str,
        expected: &[Arg],
        given: &[&Buffer],
    ) -> Result<()> {
        let name = kernel.name();
        if expected.len() != given.len() {
            return Err(Error::Arity {
                kernel: name,
                what,
                expected: expected.len(),
                found: given.len(),
            });
        }
        for (arg, buffer) in expected.iter().zip(given) {
            buffer.on(self, name)?;
            if arg.len != buffer.len() {
                return Err(Error::Length {
                    kernel: name,
                    arg: arg.name,
                    expected: arg.len,
                    found: buffer.len(),
                });
            }
        }
        Ok(())
    }

    /// Submits what is recorded, without waiting for it.
    pub fn flush(&self) -> Result<()> {
        match self.backend() {
            Backend::Cpu(_) | Backend::Oracle => Ok(()),
            #[cfg(feature = "gpu")]
            Backend::Gpu(gpu) => gpu.flush(),
        }
    }

    /// Submits what is recorded and waits until it is done.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn synchronize(&self) -> Result<()> {
        match self.backend() {
            Backend::Cpu(_) | Backend::Oracle => Ok(()),
            #[cfg(feature = "gpu")]
            Backend::Gpu(gpu) => gpu.synchronize(),
        }
    }

    /// What the device's pool holds.
    pub fn usage(&self) -> Usage {
        match self.backend() {
            Backend::Cpu(cpu) => cpu.pool().usage(),
            Backend::Oracle => Usage::default(),
            #[cfg(feature = "gpu")]
            Backend::Gpu(gpu) => gpu.usage(),
        }
    }

    pub(crate) fn backend(&self) -> &Backend {
        &self.0.backend
    }

    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn profiler_slot(&self) -> &Mutex<Option<Profiler>> {
        &self.0.profiler
    }

    pub(crate) fn watch(&self) -> &Watch {
        &self.0.watch
    }
}

impl std::fmt::Debug for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Device({})", self.name())
    }
}

/// `len` zeros, or the bytes that were not to be had.
fn zeroed(len: usize) -> Result<Vec<f32>, u64> {
    // `vec![0.0; len]` aborts where memory is short; this asks first, then takes fresh zero pages in one go.
    let mut probe: Vec<f32> = Vec::new();
    probe.try_reserve_exact(len).map_err(|_| 4 * len as u64)?;
    drop(probe);
    Ok(vec![0.0; len])
}

/// Runs a future of this crate (a read, or something made of reads) to its end on this thread.
#[cfg(not(target_arch = "wasm32"))]
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    #[cfg(feature = "gpu")]
    return pollster::block_on(future);
    #[cfg(not(feature = "gpu"))]
    {
        // Without a GPU nothing is ever pending.
        let mut future = std::pin::pin!(future);
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        loop {
            if let std::task::Poll::Ready(value) = future.as_mut().poll(&mut context) {
                return value;
            }
        }
    }
}
