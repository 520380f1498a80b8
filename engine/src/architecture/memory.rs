//! What a network needs, before it is run; and the largest batch that a device has room for.
//!
//! Counted are parameters, gradients, moments, and the maps that are alive at the worst moment of a step. The scratch
//! of a few kernels and the rounding of the buffer pool (at most an eighth) come on top.

use super::Architecture;
use super::plan::{Operation, Plan};
use super::summary::bytes;
use crate::error::{Error, Result};

/// Bytes that a network needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// The parameters.
    pub parameter_bytes: u64,
    /// Training, whatever the batch: parameters, gradients and Adam's two moments.
    pub training_fixed_bytes: u64,
    /// Training, for each example of a batch: what the way back keeps, and the worst moment's gradients.
    pub training_bytes_per_example: u64,
    /// Inference, for each example of a batch.
    pub inference_bytes_per_example: u64,
    /// The largest single map, for each example of a batch.
    pub largest_map_bytes_per_example: u64,
    /// The largest single parameter.
    pub largest_parameter_bytes: u64,
}

/// How much room a device has; `None` where nobody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Room {
    /// Bytes in all.
    pub total: Option<u64>,
    /// Bytes in one buffer.
    pub buffer: Option<u64>,
}

impl Memory {
    /// Bytes for training with batches of this size.
    pub fn training(&self, batch: usize) -> u64 {
        let maps = self.training_bytes_per_example.saturating_mul(batch as u64);
        self.training_fixed_bytes.saturating_add(maps)
    }

    /// Bytes for inference with batches of this size.
    pub fn inference(&self, batch: usize) -> u64 {
        let maps = self
            .inference_bytes_per_example
            .saturating_mul(batch as u64);
        self.parameter_bytes.saturating_add(maps)
    }

    /// The largest batch that can be trained in this room; 0 where not even one example can.
    pub fn largest_batch(&self, room: Room) -> usize {
        let within = |room: Option<u64>, fixed: u64, each: u64| match room {
            None => u64::MAX,
            Some(room) => room.checked_sub(fixed).map_or(0, |left| left / each.max(1)),
        };
        let total = within(
            room.total,
            self.training_fixed_bytes,
            self.training_bytes_per_example,
        );
        let map = within(room.buffer, 0, self.largest_map_bytes_per_example);
        let parameter_fits = room
            .buffer
            .is_none_or(|room| self.largest_parameter_bytes <= room);
        let largest = if parameter_fits { total.min(map) } else { 0 };
        // Indices have 32 bits: no map may have 2^31 elements.
        largest.min(((1u64 << 31) - 1) * 4 / self.largest_map_bytes_per_example.max(1)) as usize
    }

    /// Whether batches of this size can be trained in this room.
    ///
    /// # Errors
    /// [`Error::Batch`] naming the largest batch that can.
    pub fn check(&self, batch: usize, room: Room) -> Result<()> {
        let largest = self.largest_batch(room);
        if batch <= largest {
            return Ok(());
        }
        let map = self
            .largest_map_bytes_per_example
            .saturating_mul(batch as u64);
        let map = map.max(self.largest_parameter_bytes);
        let reason = match room {
            Room {
                buffer: Some(limit),
                ..
            } if map > limit => {
                format!(
                    "its largest buffer takes {}, the device allows {}",
                    bytes(map),
                    bytes(limit)
                )
            }
            Room {
                total: Some(total), ..
            } => {
                format!(
                    "training takes about {}, there are {}",
                    bytes(self.training(batch)),
                    bytes(total)
                )
            }
            _ => format!(
                "its largest buffer takes {}, more than 32-bit indices reach",
                bytes(map)
            ),
        };
        Err(Error::Batch {
            batch,
            reason,
            largest,
        })
    }
}

impl Architecture {
    /// What the network needs.
    pub fn memory(&self) -> Result<Memory> {
        let plan = self.plan()?;
        let words = |shape: &[usize]| {
            shape
                .iter()
                .fold(1u64, |n, &axis| n.saturating_mul(axis as u64))
        };
        let parameters: Vec<u64> = plan.parameters.iter().map(|p| words(&p.shape)).collect();
        let all: u64 = parameters.iter().sum();
        let maps = plan
            .steps
            .iter()
            .map(|step| words(&step.output))
            .chain([words(&plan.input)]);
        let (training, inference) = peaks(&plan);
        Ok(Memory {
            parameter_bytes: 4 * all,
            training_fixed_bytes: 16 * all,
            training_bytes_per_example: 4 * training,
            inference_bytes_per_example: 4 * inference,
            largest_map_bytes_per_example: 4 * maps.max().unwrap_or(0),
            largest_parameter_bytes: 4 * parameters.into_iter().max().unwrap_or(0),
        })
    }
}

/// Words per example that are alive at the worst moment of a training step, and of inference.
fn peaks(plan: &Plan) -> (u64, u64) {
    let words = |i: Option<usize>| match i {
        Some(i) => plan.steps[i].output.elements() as u64,
        None => plan.input.elements() as u64,
    };
    // What earlier groups keep for the way back; the input belongs to the caller.
    let mut kept = words(None);
    let (mut training, mut inference) = (kept, kept);
    for group in plan.groups() {
        let last = group.end - 1;
        let (input, output) = (words(group.start.checked_sub(1)), words(Some(last)));
        // The map between a convolution and its pooling.
        let pooled = matches!(plan.steps[last].operation, Operation::MaxPool2d(_));
        let inner = match (pooled, group.len() > 1) {
            (true, true) => words(Some(group.start)),
            _ => 0,
        };
        let index = if pooled { output } else { 0 };
        let forward = inner + output + index;
        if plan.steps[last].operation == Operation::Flatten {
            continue;
        }
        kept += output + index;
        // On the way back: the gradient that came, the one before activation or pooling, and the input's.
        let first = group.start == 0;
        let backward = output + inner.max(output) + if first { 0 } else { input };
        training = training.max(kept + inner).max(kept + backward);
        inference = inference.max(input + forward);
    }
    (training, inference)
}
