//! Memory of a device, as far as it is known in advance.

use engine::{AvailableMemory, Device};

/// Returns the memory available on a device for networks.
///
/// On the CPU: on Linux the available memory that the system reports, elsewhere unknown. On a GPU: the size of the
/// largest buffer, because drivers do not report free memory.
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

/// Returns the bytes available without swapping.
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
