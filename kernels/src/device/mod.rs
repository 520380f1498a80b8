//! Devices: the CPU or one GPU adapter.
//!
//! | file | holds |
//! | --- | --- |
//! | `mod.rs` | [`Device`] |
//! | `open.rs` | which device a name means |
//! | `memory.rs` | buffers made and filled |
//! | `counters.rs`, `profiling.rs` | what a device has done, and how long launches took |
//! | `../launch.rs` | kernels launched |

mod counters;
mod memory;
mod open;
#[cfg(not(target_arch = "wasm32"))]
mod profiling;

use crate::counters::Watch;
use crate::error::Result;
use crate::kernel::{Kernel, Limits};
use crate::pool::{Pool, Usage};
#[cfg(not(target_arch = "wasm32"))]
use crate::profile::Profiler;
use std::sync::{Arc, Mutex, MutexGuard};

/// A device that stores and computes. Cloning is cheap and refers to the same device.
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

    /// Returns the CPU.
    pub fn cpu() -> Self {
        Device::new(Backend::Cpu(Cpu::default()), Arc::default())
    }

    /// Returns a device that runs every kernel's f64 oracle: slow and exact, for gradient checks. Buffers hold f64.
    pub fn oracle() -> Self {
        Device::new(Backend::Oracle, Arc::default())
    }

    /// Returns `cpu`, `oracle`, or the adapter's name.
    pub fn name(&self) -> &str {
        match self.backend() {
            Backend::Cpu(_) => "cpu",
            Backend::Oracle => "oracle",
            #[cfg(feature = "gpu")]
            Backend::Gpu(gpu) => gpu.name(),
        }
    }

    /// Returns API, driver and driver version of a GPU; architecture and vector instructions of the CPU.
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

    /// Returns the limits for plans of kernels; `None` on the CPU, which has no plans.
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

    /// Returns the rungs that support this kernel here, the best last; `None` on the CPU, which has no rungs.
    #[cfg_attr(not(feature = "gpu"), allow(unused_variables))]
    pub fn rungs(&self, kernel: &dyn Kernel) -> Option<Vec<&'static str>> {
        match self.backend() {
            Backend::Cpu(_) | Backend::Oracle => None,
            #[cfg(feature = "gpu")]
            Backend::Gpu(gpu) => Some(gpu.rungs(kernel)),
        }
    }

    /// Submits the recorded work, without waiting for it.
    pub fn flush(&self) -> Result<()> {
        match self.backend() {
            Backend::Cpu(_) | Backend::Oracle => Ok(()),
            #[cfg(feature = "gpu")]
            Backend::Gpu(gpu) => gpu.flush(),
        }
    }

    /// Submits the recorded work and waits until it is done.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn synchronize(&self) -> Result<()> {
        match self.backend() {
            Backend::Cpu(_) | Backend::Oracle => Ok(()),
            #[cfg(feature = "gpu")]
            Backend::Gpu(gpu) => gpu.synchronize(),
        }
    }

    /// Returns the statistics of the device's pool.
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

/// Runs a future of this crate (a read, or a combination of reads) to its end on this thread.
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
