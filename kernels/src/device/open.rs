//! Which device a name means.

#[cfg(feature = "gpu")]
use super::Backend;
use super::Device;
#[cfg(not(target_arch = "wasm32"))]
use super::block_on;
#[cfg(feature = "gpu")]
use crate::counters::Watch;
use crate::error::{Error, Result};
#[cfg(feature = "gpu")]
use std::sync::Arc;

impl Device {
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
}
