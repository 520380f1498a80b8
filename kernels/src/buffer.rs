//! Buffers: blocks of 4-byte words on a device, returned to the device's pool on drop.

use crate::device::{Backend, Device};
use crate::error::{Error, Result};
use crate::pool::Numbered;
use std::sync::{Arc, RwLock};

/// A block of f32 (or u32) values on a device, or a part of one. Clones share it; dropping the last one frees the
/// block.
#[derive(Clone)]
pub struct Buffer(Arc<View>);

/// Range of words within a block.
struct View {
    memory: Arc<Memory>,
    start: usize,
    len: usize,
    /// A part begins at a multiple of [`PLACE`] words; it also owns the words behind it up to the next multiple.
    part: bool,
}

/// A block with the device that owns it.
struct Memory {
    device: Device,
    /// `None` only during drop.
    block: Option<Block>,
}

/// Alignment of the parts of a block, in words: 256 bytes, which every GPU can bind.
pub const PLACE: usize = 64;

/// Memory from a pool: at least as long as the buffer that holds it.
pub(crate) enum Block {
    Cpu(Numbered<RwLock<Vec<f32>>>),
    Oracle(RwLock<Vec<f64>>),
    #[cfg(feature = "gpu")]
    Gpu(crate::gpu::Block),
}

impl Buffer {
    pub(crate) fn new(device: &Device, len: usize, block: Block) -> Self {
        let memory = Memory {
            device: device.clone(),
            block: Some(block),
        };
        Buffer(Arc::new(View {
            memory: Arc::new(memory),
            start: 0,
            len,
            part: false,
        }))
    }

    /// Returns the `len` words from `start` on as a part; `start` must be a multiple of [`PLACE`].
    pub(crate) fn part(&self, start: usize, len: usize) -> Self {
        debug_assert!(start.is_multiple_of(PLACE) && start + len <= self.len());
        Buffer(Arc::new(View {
            memory: self.0.memory.clone(),
            start: self.0.start + start,
            len,
            part: true,
        }))
    }

    /// Joins adjacent buffers of one block (see [`Device::zeros_together`]) into one buffer, with the unused words
    /// between and behind them. A single buffer is returned unchanged; `None` for any others.
    pub fn join(buffers: &[&Buffer]) -> Option<Buffer> {
        let first = buffers.first()?;
        if buffers.len() == 1 && !first.0.part {
            return Some((*first).clone());
        }
        let mut end = first.0.start;
        for buffer in buffers {
            let own = &buffer.0;
            if !own.part || own.start != end || !Arc::ptr_eq(&own.memory, &first.0.memory) {
                return None;
            }
            end = buffer.end();
        }
        Some(first.reach(end - first.0.start))
    }

    /// Returns the first `len` words.
    ///
    /// # Panics
    /// If the buffer is shorter.
    pub fn first(&self, len: usize) -> Buffer {
        assert!(len <= self.len(), "{len} of {} words", self.len());
        self.reach(len)
    }

    fn reach(&self, len: usize) -> Buffer {
        Buffer(Arc::new(View {
            memory: self.0.memory.clone(),
            len,
            ..*self.0
        }))
    }

    /// Returns the number of elements.
    pub fn len(&self) -> usize {
        self.0.len
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.0.len == 0
    }

    /// Returns the device.
    pub fn device(&self) -> &Device {
        &self.0.memory.device
    }

    /// Returns the offset in its block.
    pub(crate) fn start(&self) -> usize {
        self.0.start
    }

    /// Returns the number of words to bind, including the unused ones behind a part; `None`: the whole block.
    #[cfg(feature = "gpu")]
    pub(crate) fn span(&self) -> Option<usize> {
        self.0.part.then(|| self.end() - self.0.start)
    }

    /// Returns where the next part may begin.
    fn end(&self) -> usize {
        (self.0.start + self.len().max(1)).next_multiple_of(PLACE)
    }

    /// Whether both overlap.
    pub fn same(&self, other: &Buffer) -> bool {
        Arc::ptr_eq(&self.0.memory, &other.0.memory)
            && self.0.start < other.end()
            && other.0.start < self.end()
    }

    /// Whether both are in one block. WebGPU allows no dispatch to read and write the same block.
    pub(crate) fn neighbours(&self, other: &Buffer) -> bool {
        Arc::ptr_eq(&self.0.memory, &other.0.memory)
    }

    /// Whether there are other clones.
    pub fn is_shared(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }

    /// Reads the contents. Waits for all recorded work.
    pub async fn read(&self) -> Result<Vec<f32>> {
        self.read_block(self.len()).await
    }

    /// Reads the contents as unsigned integers.
    pub async fn read_u32(&self) -> Result<Vec<u32>> {
        if let Some(values) = self.to_vec_f64() {
            return Ok(values.into_iter().map(|v| v as u32).collect());
        }
        Ok(bytemuck::allocation::cast_vec(self.read().await?))
    }

    /// Reads the contents in f64, on [`Device::oracle`], which computes in f64.
    pub fn to_vec_f64(&self) -> Option<Vec<f64>> {
        match self.block() {
            Block::Oracle(values) => {
                let values = values
                    .read()
                    .unwrap_or_else(|poisoned| poisoned.into_inner());
                Some(values[self.start()..][..self.len()].to_vec())
            }
            _ => None,
        }
    }

    /// [`Buffer::read`], blocking.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn to_vec(&self) -> Result<Vec<f32>> {
        crate::device::block_on(self.read())
    }

    /// [`Buffer::read_u32`], blocking.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn to_vec_u32(&self) -> Result<Vec<u32>> {
        crate::device::block_on(self.read_u32())
    }

    /// Reads `len` words of the block from the buffer's first on, possibly more than the buffer has: proofs read the
    /// guard zone behind an output this way.
    pub(crate) async fn read_block(&self, len: usize) -> Result<Vec<f32>> {
        let range = self.start()..self.start() + len;
        match (self.block(), self.device().backend()) {
            (Block::Cpu(words), _) => {
                let words = words
                    .block
                    .read()
                    .unwrap_or_else(|poisoned| poisoned.into_inner());
                Ok(words[range].to_vec())
            }
            (Block::Oracle(values), _) => {
                let values = values
                    .read()
                    .unwrap_or_else(|poisoned| poisoned.into_inner());
                Ok(values[range].iter().map(|v| *v as f32).collect())
            }
            #[cfg(feature = "gpu")]
            (Block::Gpu(block), Backend::Gpu(gpu)) => gpu.read(block, range).await,
            #[cfg(feature = "gpu")]
            (Block::Gpu(_), _) => unreachable!("a GPU block on another device"),
        }
    }

    pub(crate) fn block(&self) -> &Block {
        let memory = &self.0.memory;
        memory
            .block
            .as_ref()
            .expect("the block leaves only when the buffer is dropped")
    }

    pub(crate) fn on(&self, device: &Device, operation: &'static str) -> Result<()> {
        if self.device().same(device) {
            return Ok(());
        }
        Err(Error::WrongDevice {
            operation,
            expected: device.name().to_string(),
            found: self.device().name().to_string(),
        })
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        match (self.block.take(), self.device.backend()) {
            (Some(Block::Cpu(words)), Backend::Cpu(cpu)) => {
                let lent = words.map(|words| {
                    words
                        .into_inner()
                        .unwrap_or_else(|poisoned| poisoned.into_inner())
                });
                cpu.pool().put(lent.block.len(), lent);
            }
            #[cfg(feature = "gpu")]
            (Some(Block::Gpu(block)), Backend::Gpu(gpu)) => gpu.free(block),
            _ => {}
        }
    }
}

impl std::fmt::Debug for Buffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Buffer({} on {})", self.len(), self.device().name())
    }
}
