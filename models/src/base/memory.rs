//! How much memory a device has, as far as anybody can say beforehand.

use engine::{AvailableMemory, Device};

/// The room for networks on a device.
///
/// On the CPU: on Linux what the system calls available, elsewhere unknown. On a GPU: the largest buffer; drivers do
/// not tell how much memory is free.
pub(crate) fn available(device: &Device) -> AvailableMemory {
    if !device.is_gpu() {
        return AvailableMemory {
            total: free_memory(),
            buffer: None,
        };
    }
    AvailableMemory {
        total: None,
        buffer: largest_buffer(device.name()),
    }
}

#[cfg(all(feature = "gpu", not(target_arch = "wasm32")))]
fn largest_buffer(name: &str) -> Option<u64> {
    let adapters = kernels::block_on(kernels::gpu::list());
    let own = adapters.into_iter().find(|adapter| adapter.name == name);
    own.map(|adapter| adapter.limits.binding_bytes)
}

#[cfg(not(all(feature = "gpu", not(target_arch = "wasm32"))))]
fn largest_buffer(_: &str) -> Option<u64> {
    None
}

/// Bytes that can be had without swapping.
fn free_memory() -> Option<u64> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim()
        .strip_suffix("kB")?
        .trim()
        .parse::<u64>()
        .ok()?
        .checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_has_room() {
        assert_eq!(free_memory().is_some(), cfg!(target_os = "linux"));
        assert!(free_memory().is_none_or(|bytes| bytes > 1 << 20));
    }
}
