//! wgpu, and what it reports behind our back.

use crate::counters::Watch;
use std::sync::{Arc, Mutex, MutexGuard};

/// wgpu as we speak to it.
pub(super) struct Driver {
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    /// Whether shaders keep their bounds checks.
    pub(super) checked: bool,
    /// What the driver reported behind our back: the next call returns it.
    pub(super) failure: Arc<Mutex<Failure>>,
    pub(super) watch: Arc<Watch>,
}

#[derive(Default)]
pub(super) struct Failure {
    pub(super) lost: Option<String>,
    pub(super) out_of_memory: bool,
    pub(super) refused: Option<String>,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

impl Driver {
    /// Loses the device for good, for tests.
    pub(super) fn lose(&self) {
        self.device.destroy();
        lock(&self.failure)
            .lost
            .get_or_insert("by a test's wish".into());
    }
}
