//! Buffers: blocks of 4-byte words on a device, given back to the device's pool when dropped.

use crate::device::{Backend, Device};
use crate::error::{Error, Result};
use std::collections::BTreeMap;
use std::sync::{Arc, RwLock};

/// A block of f32 (or u32) numbers on a device, or a part of one. Cloning shares it; the last clone gives the block back.
#[derive(Clone)]
pub struct Buffer(Arc<View>);

/// Which words of a block.
struct View {
    memory: Arc<Memory>,
    start: usize,
    len: usize,
    /// A part begins at a multiple of [`PLACE`] words, and what lies behind it up to the next one is its own.
    part: bool,
}

/// A block with the device that it goes back to.
struct Memory {
    device: Device,
    /// `None` only while being dropped.
    block: Option<Block>,
}

/// Parts of a block begin at multiples of so many words: 256 bytes, which every GPU can bind.
pub const PLACE: usize = 64;

/// Memory that a pool hands out: at least as long as the buffer that holds it.
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

    /// The `len` words from `start` on, which must be a multiple of [`PLACE`], as a part.
    pub(crate) fn part(&self, start: usize, len: usize) -> Self {
        debug_assert!(start.is_multiple_of(PLACE) && start + len <= self.len());
        Buffer(Arc::new(View {
            memory: self.0.memory.clone(),
            start: self.0.start + start,
            len,
            part: true,
        }))
    }

    /// Buffers that lie one behind the other in one block (see [`Device::zeros_together`]) as one buffer, with the
    /// unused words between and behind them; a single buffer as it is. `None` for any others.
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

    /// The first `len` words.
    ///
    /// # Panics
    /// If there are not so many.
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

    /// How many elements.
    pub fn len(&self) -> usize {
        self.0.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.len == 0
    }

    /// Where it lives.
    pub fn device(&self) -> &Device {
        &self.0.memory.device
    }

    /// Where it begins in its block.
    pub(crate) fn start(&self) -> usize {
        self.0.start
    }

    /// How many words are bound, the unused ones behind a part among them; `None`: the whole block.
    #[cfg(feature = "gpu")]
    pub(crate) fn span(&self) -> Option<usize> {
        self.0.part.then(|| self.end() - self.0.start)
    }

    /// Where the next part may begin.
    fn end(&self) -> usize {
        (self.0.start + self.len().max(1)).next_multiple_of(PLACE)
    }

    /// Whether both have words in common.
    pub fn same(&self, other: &Buffer) -> bool {
        Arc::ptr_eq(&self.0.memory, &other.0.memory)
            && self.0.start < other.end()
            && other.0.start < self.end()
    }

    /// Whether both lie in one block. WebGPU lets no dispatch read and write the same block.
    pub(crate) fn neighbours(&self, other: &Buffer) -> bool {
        Arc::ptr_eq(&self.0.memory, &other.0.memory)
    }

    /// Whether there are other clones of it.
    pub fn is_shared(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }

    /// The contents. Waits for the work recorded so far.
    pub async fn read(&self) -> Result<Vec<f32>> {
        self.read_block(self.len()).await
    }

    /// The contents as unsigned integers.
    pub async fn read_u32(&self) -> Result<Vec<u32>> {
        if let Some(values) = self.to_vec_f64() {
            return Ok(values.into_iter().map(|v| v as u32).collect());
        }
        Ok(bytemuck::allocation::cast_vec(self.read().await?))
    }

    /// The contents in f64, where they are held so: on [`Device::oracle`].
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

    /// `len` words of the block from the buffer's first on, which may be more than the buffer has: proofs read the
    /// guard zone behind an output with it.
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

/// Something with the number under which a pool knows it. No number is given twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Numbered<B> {
    pub number: u64,
    pub block: B,
}

impl<B> Numbered<B> {
    pub fn map<C>(self, f: impl FnOnce(B) -> C) -> Numbered<C> {
        Numbered {
            number: self.number,
            block: f(self.block),
        }
    }
}

/// Free blocks, of which the oldest that fits is lent.
///
/// So a repeated training step meets the same blocks from its second time on, and makes nothing new: where the first
/// time found a free block, the second finds the same one, since blocks made later are younger; where the first time
/// made one, that one is the oldest of those not yet in use.
#[derive(Debug)]
pub(crate) struct Pool<B> {
    /// By size class, then by number.
    free: BTreeMap<usize, BTreeMap<u64, B>>,
    next_number: u64,
    free_words: usize,
    live_words: usize,
    peak_words: usize,
}

impl<B> Default for Pool<B> {
    fn default() -> Self {
        Pool {
            free: BTreeMap::new(),
            next_number: 0,
            free_words: 0,
            live_words: 0,
            peak_words: 0,
        }
    }
}

impl<B> Pool<B> {
    /// The size class of `len` words: at most an eighth more.
    pub fn class(len: usize) -> usize {
        let len = len.max(64);
        len.next_multiple_of((len.next_power_of_two() / 16).max(64))
    }

    /// A free block of this class, or of one up to half as large again: clips of varying length then share blocks.
    pub fn take(&mut self, class: usize) -> Option<Numbered<B>> {
        let (number, class) = self
            .free
            .range(class..=class + class / 2)
            .filter_map(|(class, blocks)| Some((*blocks.first_key_value()?.0, *class)))
            .min()?;
        self.free_words -= class;
        self.lend(class);
        let block = self.free.get_mut(&class)?.remove(&number)?;
        Some(Numbered { number, block })
    }

    /// Books a new block of this class under the number that is given back. With it comes what to release first,
    /// where much more lies free than was ever in use.
    pub fn book(&mut self, class: usize) -> (u64, Vec<Numbered<B>>) {
        self.lend(class);
        self.next_number += 1;
        let released = match self.free_words > 2 * self.peak_words {
            true => self.drain(),
            false => Vec::new(),
        };
        (self.next_number, released)
    }

    /// Everything that lies free.
    pub fn drain(&mut self) -> Vec<Numbered<B>> {
        self.free_words = 0;
        std::mem::take(&mut self.free)
            .into_values()
            .flatten()
            .map(|(number, block)| Numbered { number, block })
            .collect()
    }

    /// Takes back a booking whose memory was not to be had.
    pub fn unbook(&mut self, class: usize) {
        self.live_words -= class;
    }

    /// Takes a block back.
    pub fn put(&mut self, class: usize, lent: Numbered<B>) {
        self.live_words -= class;
        self.free_words += class;
        let blocks = self.free.entry(class).or_default();
        blocks.insert(lent.number, lent.block);
    }

    fn lend(&mut self, class: usize) {
        self.live_words += class;
        self.peak_words = self.peak_words.max(self.live_words);
    }

    /// What the pool has seen.
    pub fn usage(&self) -> Usage {
        Usage {
            live_bytes: 4 * self.live_words as u64,
            free_bytes: 4 * self.free_words as u64,
            peak_bytes: 4 * self.peak_words as u64,
        }
    }
}

/// Memory of a device as our pool sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// In buffers that somebody holds.
    pub live_bytes: u64,
    /// Kept for reuse.
    pub free_bytes: u64,
    /// The most that was ever held at once.
    pub peak_bytes: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_classes_cover_and_waste_little() {
        for len in (1..5000).chain([1 << 20, (1 << 20) + 1, 53_000_000]) {
            let class = Pool::<()>::class(len);
            assert!(
                class >= len && (len < 1024 || class <= len + len / 8 + 1),
                "{len} -> {class}"
            );
            assert_eq!(Pool::<()>::class(class), class, "a class is its own class");
        }
    }

    /// A pool that lends and makes blocks, each of them its class.
    fn lend(pool: &mut Pool<usize>, class: usize) -> Numbered<usize> {
        pool.take(class).unwrap_or_else(|| {
            let (number, released) = pool.book(class);
            assert!(released.is_empty());
            Numbered {
                number,
                block: class,
            }
        })
    }

    #[test]
    fn pool_lends_the_oldest_block_that_fits() {
        let mut pool = Pool::default();
        let [small, large] = [768, 1024].map(|class| lend(&mut pool, class));
        for block in [large, small] {
            pool.put(block.block, block);
        }
        assert_eq!(pool.take(512), Some(small));
        assert_eq!(pool.take(512), None, "twice as large is too large");
        assert_eq!(pool.take(768), Some(large), "a little too large is not");
        pool.put(1024, large);
        pool.put(768, small);
        assert_eq!(pool.usage().live_bytes, 0);
    }

    /// A step of random requests, each held for a random time, meets the same blocks whenever it is repeated.
    #[test]
    fn a_repeated_step_meets_the_same_blocks() {
        let mut pool = Pool::default();
        let mut step = |seed| {
            let mut random = crate::philox::Philox::new(seed, 0);
            let (mut held, mut met) = (Vec::new(), Vec::new());
            for _ in 0..300 {
                if random.below(5) < 3 {
                    let class = Pool::<()>::class(64 + random.below(4000));
                    let lent = lend(&mut pool, class);
                    met.push(lent.number);
                    held.push(lent);
                } else if !held.is_empty() {
                    let lent: Numbered<usize> = held.swap_remove(random.below(held.len()));
                    pool.put(lent.block, lent);
                }
            }
            for lent in held {
                pool.put(lent.block, lent);
            }
            met
        };
        assert_eq!(step(1), step(1));
        for seed in 2..6 {
            step(seed);
        }
        let second = [step(1), step(1)];
        assert_eq!(second[0], second[1]);
    }
}
