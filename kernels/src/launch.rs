//! Launches of kernels: executed at once on the CPU and on the oracle, recorded on a GPU.

use crate::buffer::{Block, Buffer};
use crate::device::{Backend, Device};
use crate::error::{Error, Result};
use crate::kernel::{Arg, Kernel};
use std::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

impl Device {
    /// Runs a kernel with its best rung: at once on the CPU, recorded on a GPU.
    ///
    /// # Errors
    /// Errors of [`Kernel::check`]; buffers of the wrong number, length or device; an output given twice; on a GPU,
    /// buffers past its limits, no memory for scratch, a lost device.
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
                cpu(kernel, inputs, outputs);
                Ok(())
            }
            Backend::Oracle => {
                oracle(kernel, inputs, outputs);
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
}

/// Runs the CPU implementation on the buffers' words, which have been checked.
fn cpu(kernel: &dyn Kernel, inputs: &[&Buffer], outputs: &[&Buffer]) {
    // A block is locked once, however many of its parts are given: for writing if one of them is written. Blocks are
    // locked in the order of their addresses, so that threads which share blocks cannot deadlock.
    let writes = outputs.iter().map(|b| (words(b), true));
    let mut blocks: Vec<_> = writes
        .chain(inputs.iter().map(|b| (words(b), false)))
        .collect();
    blocks.sort_by_key(|&(lock, write)| (std::ptr::from_ref(lock), !write));
    blocks.dedup_by_key(|(lock, _)| std::ptr::from_ref(*lock));
    let locked: Vec<Locked> = blocks
        .into_iter()
        .map(|(lock, write)| Locked::new(lock, write))
        .collect();
    let data = |buffer: &Buffer| -> *mut f32 {
        let lock = words(buffer);
        let block = locked.iter().find(|l| std::ptr::eq(l.lock, lock));
        let block = block.expect("locked above");
        assert!(buffer.start() + buffer.len() <= block.len);
        block.data.wrapping_add(buffer.start())
    };
    let inputs: Vec<&[f32]> = inputs
        .iter()
        // SAFETY: in bounds, locked for as long as `locked` lives; no output overlaps it (the device has checked).
        .map(|b| unsafe { std::slice::from_raw_parts(data(b), b.len()) })
        .collect();
    let mut outputs: Vec<&mut [f32]> = outputs
        .iter()
        // SAFETY: the same, and locked for writing.
        .map(|b| unsafe { std::slice::from_raw_parts_mut(data(b), b.len()) })
        .collect();
    kernel.cpu(&inputs, &mut outputs);
}

fn words(buffer: &Buffer) -> &RwLock<Vec<f32>> {
    match buffer.block() {
        Block::Cpu(words) => &words.block,
        _ => unreachable!("checked: every buffer is on this device"),
    }
}

/// A locked block, and the address of its words.
struct Locked<'a> {
    lock: &'a RwLock<Vec<f32>>,
    data: *mut f32,
    len: usize,
    _guard: Guard<'a>,
}

enum Guard<'a> {
    Read {
        _guard: RwLockReadGuard<'a, Vec<f32>>,
    },
    Write {
        _guard: RwLockWriteGuard<'a, Vec<f32>>,
    },
}

impl<'a> Locked<'a> {
    fn new(lock: &'a RwLock<Vec<f32>>, write: bool) -> Self {
        let (data, len, guard) = if write {
            let mut _guard = lock.write().unwrap_or_else(|p| p.into_inner());
            (_guard.as_mut_ptr(), _guard.len(), Guard::Write { _guard })
        } else {
            let _guard = lock.read().unwrap_or_else(|p| p.into_inner());
            // Only read.
            let data = _guard.as_ptr().cast_mut();
            (data, _guard.len(), Guard::Read { _guard })
        };
        Locked {
            lock,
            data,
            len,
            _guard: guard,
        }
    }
}

/// Runs the definition on the buffers' f64 values.
fn oracle(kernel: &dyn Kernel, inputs: &[&Buffer], outputs: &[&Buffer]) {
    let copy = |b: &&Buffer| {
        b.to_vec_f64()
            .expect("checked: every buffer is on this device")
    };
    let read: Vec<Vec<f64>> = inputs.iter().map(copy).collect();
    let mut written: Vec<Vec<f64>> = outputs.iter().map(copy).collect();
    kernel.oracle(
        &read.iter().map(Vec::as_slice).collect::<Vec<_>>(),
        &mut written,
    );
    for (buffer, values) in outputs.iter().zip(written) {
        if let Block::Oracle(slot) = buffer.block() {
            slot.write()
                .unwrap_or_else(|poisoned| poisoned.into_inner())[buffer.start()..][..values.len()]
                .copy_from_slice(&values);
        }
    }
}
