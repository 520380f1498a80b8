//! Running a kernel where it needs no recording: on the CPU and on the oracle. The device has checked everything.

use crate::buffer::{Block, Buffer};
use crate::kernel::Kernel;
use std::sync::RwLock;

/// The CPU implementation over the buffers' words.
pub fn cpu(kernel: &dyn Kernel, inputs: &[&Buffer], outputs: &[&Buffer]) {
    fn words(buffer: &Buffer) -> &RwLock<Vec<f32>> {
        match buffer.block() {
            Block::Cpu(words) => &words.block,
            _ => unreachable!("checked: every buffer is on this device"),
        }
    }
    let read: Vec<_> = inputs
        .iter()
        .map(|b| {
            words(b)
                .read()
                .unwrap_or_else(|poisoned| poisoned.into_inner())
        })
        .collect();
    let mut written: Vec<_> = outputs
        .iter()
        .map(|b| {
            words(b)
                .write()
                .unwrap_or_else(|poisoned| poisoned.into_inner())
        })
        .collect();
    let inputs: Vec<&[f32]> = read
        .iter()
        .zip(inputs)
        .map(|(w, b)| &w[..b.len()])
        .collect();
    let mut outputs: Vec<&mut [f32]> = written
        .iter_mut()
        .zip(outputs)
        .map(|(w, b)| &mut w[..b.len()])
        .collect();
    kernel.cpu(&inputs, &mut outputs);
}

/// The definition over the buffers' f64 values.
pub fn oracle(kernel: &dyn Kernel, inputs: &[&Buffer], outputs: &[&Buffer]) {
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
            *slot
                .write()
                .unwrap_or_else(|poisoned| poisoned.into_inner()) = values;
        }
    }
}
