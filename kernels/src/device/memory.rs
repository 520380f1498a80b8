//! Buffers on a device: made from its pool, filled from the host.

use super::{Backend, Device};
use crate::buffer::{Block, Buffer, PLACE};
use crate::error::{Error, Result};
use crate::pool::{Numbered, Pool};
use std::sync::RwLock;

impl Device {
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
                total = total.saturating_add(place(len));
                total <= self.longest()
            });
            let fitting = fitting.count();
            if fitting == 0 {
                return Err(Error::TooLarge {
                    operation: "zeros",
                    device: self.name().into(),
                    bytes: rest[0].saturating_mul(4) as u64,
                    limit: 4 * self.longest() as u64,
                });
            }
            let (some, others) = rest.split_at(fitting);
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
}

/// `len` zeros, or the bytes that were not to be had.
fn zeroed(len: usize) -> Result<Vec<f32>, u64> {
    // `vec![0.0; len]` aborts where memory is short; this asks first, then takes fresh zero pages in one go.
    let mut probe: Vec<f32> = Vec::new();
    probe.try_reserve_exact(len).map_err(|_| 4 * len as u64)?;
    drop(probe);
    let zeros = vec![0.0; len];
    large_pages(&zeros);
    Ok(zeros)
}

/// Asks for large pages under memory that nobody has touched yet: the first touch of each page is a call of the system,
/// and the processor reads ahead no further than to its end. The system may decline.
#[cfg(target_os = "linux")]
fn large_pages(fresh: &[f32]) {
    use std::ffi::{c_int, c_void};
    unsafe extern "C" {
        fn madvise(start: *mut c_void, bytes: usize, advice: c_int) -> c_int;
    }
    const HUGEPAGE: c_int = 14;
    const LARGE: usize = 2 << 20;
    let range = fresh.as_ptr_range();
    let first = (range.start as usize).next_multiple_of(LARGE);
    let end = range.end as usize / LARGE * LARGE;
    if first < end {
        // SAFETY: the pages lie within `fresh`; what they hold stays.
        unsafe { madvise(first as *mut c_void, end - first, HUGEPAGE) };
    }
}

#[cfg(not(target_os = "linux"))]
fn large_pages(_: &[f32]) {}
