//! Devices: the CPU or one GPU adapter; which there are, and kernels launched on them. `memory.rs` makes and fills buffers.

mod memory;

use crate::buffer::Buffer;
use crate::counters::Watch;
use crate::error::{Error, Result};
use crate::kernel::{Arg, Kernel, Limits};
use crate::launch;
use crate::pool::{Pool, Usage};
#[cfg(not(target_arch = "wasm32"))]
use crate::profile::Profiler;
use std::sync::{Arc, Mutex, MutexGuard};

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

    /// `auto`, `cpu`, `gpu` (hardware before software) or `gpu:NAME` (a part of the adapter's name). With
    /// `MELGRAD_MATRICES=1` in the environment a GPU's matrix units are used where rungs for them are, after a test of
    /// what they give.
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
            let matrices = std::env::var("MELGRAD_MATRICES").is_ok_and(|on| on == "1");
            match open(choice, checked, matrices, watch.clone()).await {
                Ok(gpu) => Device::new(Backend::Gpu(Box::new(gpu)), watch).tried(),
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

    /// This device, once its matrix units, where it has any, have given what the definitions say.
    #[cfg(feature = "gpu")]
    fn tried(self) -> Result<Self> {
        #[cfg(not(target_arch = "wasm32"))]
        if let Backend::Gpu(gpu) = self.backend()
            && gpu.limits().cooperative.is_some()
        {
            use crate::{conv2d::Conv2d, kernel::Kernel, matmul::Matmul, proof};
            let kernels: [&dyn Kernel; 2] = [
                &Matmul::new(67, 71, 300),
                &Conv2d::new([2, 5, 9, 11], 7, [3, 3]),
            ];
            for kernel in kernels {
                let best = kernel.rungs().last().map(|rung| rung.name);
                proof::prove(&self, kernel, best, 0).map_err(|reason| Error::NoDevice {
                    wanted: format!("the matrix units of `{}`", self.name()),
                    reason,
                })?;
            }
        }
        Ok(self)
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

    /// What plans of kernels may count on; `None` where there are no plans: on the CPU.
    pub fn limits(&self) -> Option<&Limits> {
        match self.backend() {
            Backend::Cpu(_) | Backend::Oracle => None,
            #[cfg(feature = "gpu")]
            Backend::Gpu(gpu) => Some(gpu.limits()),
        }
    }

    /// Whether both are the same device.
    pub fn same(&self, other: &Device) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
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
