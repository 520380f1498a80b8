//! Memory that a network needs, estimated in advance, and the largest batch that fits on a device.
//!
//! The estimate counts parameters, gradients, moments, and the activations alive at the peak of a step. It does not
//! count the scratch memory of a few kernels and the rounding of the buffer pool (at most an eighth).

use super::Architecture;
use super::operation::Operation;
use super::plan::{Plan, Source, Step};
use super::recurrent::Words;
use super::summary::bytes;
use crate::error::{Error, Result};
use crate::ops::PoolOptions;
use crate::shape::Shape;
use std::ops::Range;

/// Memory that a network needs, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// Parameters.
    pub parameter_bytes: u64,
    /// Training, independent of the batch: parameters, gradients and Adam's two moments.
    pub training_fixed_bytes: u64,
    /// Training, per example: activations saved for the backward pass, and the peak of the gradients.
    pub training_bytes_per_example: u64,
    /// Inference, per example.
    pub inference_bytes_per_example: u64,
    /// Largest single activation that is written, per example.
    pub largest_map_bytes_per_example: u64,
    /// Largest activation that is computed, written or not, per example.
    pub largest_indexed_bytes_per_example: u64,
    /// Largest single parameter.
    pub largest_parameter_bytes: u64,
}

/// Memory of a device; `None` if unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AvailableMemory {
    /// Total bytes.
    pub total: Option<u64>,
    /// Maximum bytes of one buffer.
    pub buffer: Option<u64>,
}

impl Memory {
    /// Returns the bytes for training with batches of this size.
    pub fn training(&self, batch: usize) -> u64 {
        let maps = self.training_bytes_per_example.saturating_mul(batch as u64);
        self.training_fixed_bytes.saturating_add(maps)
    }

    /// Returns the bytes for inference with batches of this size.
    pub fn inference(&self, batch: usize) -> u64 {
        let maps = self
            .inference_bytes_per_example
            .saturating_mul(batch as u64);
        self.parameter_bytes.saturating_add(maps)
    }

    /// Returns the largest batch that can be trained in this memory; 0 if not even one example fits.
    pub fn largest_batch(&self, available: AvailableMemory) -> usize {
        let (fixed, each) = (self.training_fixed_bytes, self.training_bytes_per_example);
        self.largest(available, fixed, each)
    }

    /// Returns the largest batch for inference in this memory; 0 if not even one example fits.
    pub fn largest_inference_batch(&self, available: AvailableMemory) -> usize {
        let (fixed, each) = (self.parameter_bytes, self.inference_bytes_per_example);
        self.largest(available, fixed, each)
    }

    fn largest(&self, available: AvailableMemory, fixed: u64, each: u64) -> usize {
        let within = |available: Option<u64>, fixed: u64, each: u64| match available {
            None => u64::MAX,
            Some(available) => available
                .checked_sub(fixed)
                .map_or(0, |left| left / each.max(1)),
        };
        let total = within(available.total, fixed, each);
        let map = within(available.buffer, 0, self.largest_map_bytes_per_example);
        let parameter_fits = available
            .buffer
            .is_none_or(|available| self.largest_parameter_bytes <= available);
        let largest = if parameter_fits { total.min(map) } else { 0 };
        // Indices have 32 bits: activations must have fewer than 2^31 elements.
        largest.min(((1u64 << 31) - 1) * 4 / self.largest_indexed_bytes_per_example.max(1)) as usize
    }

    /// Checks that batches of this size can be trained in this memory.
    ///
    /// # Errors
    /// [`Error::Batch`] with the largest batch that fits.
    pub fn check(&self, batch: usize, available: AvailableMemory) -> Result<()> {
        let (largest, needed) = (self.largest_batch(available), self.training(batch));
        self.fits(batch, available, largest, ("training", needed))
    }

    /// Checks that batches of this size fit this memory for inference.
    ///
    /// # Errors
    /// [`Error::Batch`] with the largest batch that fits.
    pub fn check_inference(&self, batch: usize, available: AvailableMemory) -> Result<()> {
        let (largest, needed) = (
            self.largest_inference_batch(available),
            self.inference(batch),
        );
        self.fits(batch, available, largest, ("inference", needed))
    }

    fn fits(
        &self,
        batch: usize,
        available: AvailableMemory,
        largest: usize,
        work: (&str, u64),
    ) -> Result<()> {
        if batch <= largest {
            return Ok(());
        }
        let map = self
            .largest_map_bytes_per_example
            .saturating_mul(batch as u64);
        let map = map.max(self.largest_parameter_bytes);
        let reason = match available {
            AvailableMemory {
                buffer: Some(limit),
                ..
            } if map > limit => {
                format!(
                    "its largest buffer takes {}, the device allows {}",
                    bytes(map),
                    bytes(limit)
                )
            }
            AvailableMemory {
                total: Some(total), ..
            } => {
                let (what, needed) = work;
                let (needed, total) = (bytes(needed), bytes(total));
                format!("{what} takes about {needed}, there are {total}")
            }
            _ => format!(
                "its largest map takes {}, more than 32-bit indices reach",
                bytes(
                    self.largest_indexed_bytes_per_example
                        .saturating_mul(batch as u64)
                )
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
    /// Returns the memory that the network needs.
    ///
    /// # Errors
    /// Layers that do not fit together, with the layer's path and both shapes.
    pub fn memory(&self) -> Result<Memory> {
        self.memory_frozen(&[])
    }

    /// Returns the memory with the layers at these paths frozen: see [`Network::freeze`](crate::Network::freeze).
    ///
    /// # Errors
    /// As [`Architecture::memory`]; a path without a layer.
    pub fn memory_frozen(&self, paths: &[String]) -> Result<Memory> {
        let plan = self.plan()?;
        let frozen = plan.frozen(paths)?;
        let words = |shape: &[usize]| {
            shape
                .iter()
                .fold(1u64, |n, &axis| n.saturating_mul(axis as u64))
        };
        let parameters: Vec<u64> = plan.parameters.iter().map(|p| words(&p.shape)).collect();
        let all: u64 = parameters.iter().sum();
        let learned = plan
            .steps
            .iter()
            .zip(&frozen)
            .filter(|(_, frozen)| !**frozen);
        let learned = learned.flat_map(|(step, _)| &plan.parameters[step.parameters.clone()]);
        let learned = learned.filter(|p| p.learned);
        let learned: u64 = learned.map(|p| words(&p.shape)).sum();
        let largest = |steps: &mut dyn Iterator<Item = usize>| {
            let maps = steps.map(|i| {
                let walk = walk(&plan, i).map_or(0, |walk| walk.largest);
                words(&plan.steps[i].output).max(walk)
            });
            maps.fold(words(&plan.input), u64::max)
        };
        let groups = plan.groups();
        let mut written = groups.iter().flat_map(|group| {
            let inner = matches!(
                between(&plan, group),
                (_, Some(Between::Written | Between::Kept))
            );
            [group.end - 1]
                .into_iter()
                .chain(inner.then_some(group.start))
        });
        let (training, inference) = peaks(&plan, &learning(&plan, &frozen));
        Ok(Memory {
            parameter_bytes: 4 * all,
            training_fixed_bytes: 4 * all + 12 * learned,
            training_bytes_per_example: 4 * training,
            inference_bytes_per_example: 4 * inference,
            largest_map_bytes_per_example: 4 * largest(&mut written),
            largest_indexed_bytes_per_example: 4 * largest(&mut (0..plan.steps.len())),
            largest_parameter_bytes: 4 * parameters.into_iter().max().unwrap_or(0),
        })
    }
}

/// Returns the index of a source among the network's input and all outputs.
fn place(source: Source) -> usize {
    source.map_or(0, |step| step + 1)
}

/// For the network's input and every step's output, whether it has a gradient: whether anything before it is trainable.
fn learning(plan: &Plan, frozen: &[bool]) -> Vec<bool> {
    let mut learning = vec![false];
    for (step, frozen) in plan.steps.iter().zip(frozen) {
        let mut own = plan.parameters[step.parameters.clone()].iter();
        let learns = !frozen && own.any(|p| p.learned);
        let before = step.inputs.iter().any(|&source| learning[place(source)]);
        learning.push(learns || before);
    }
    learning
}

/// Words per example alive at the peak of a training step, and of inference.
fn peaks(plan: &Plan, learning: &[bool]) -> (u64, u64) {
    let words = |source: Source| plan.shape(source).elements() as u64;
    let lives = lifetimes(plan, learning);
    let alive = |when: &dyn Fn(&Life) -> bool| -> u64 {
        let alive = lives.iter().filter(|life| when(life));
        alive.map(|life| life.words).sum()
    };
    let (mut training, mut inference) = (words(None), words(None));
    // Positions of maxima, and what recurrent layers keep, of all groups so far.
    let mut indices = 0;
    for group in plan.groups() {
        let (now, last) = (group.start + 1, group.end - 1);
        if plan.steps[last].operation.is_view() {
            continue;
        }
        let inputs = plan.steps[group.start].inputs.iter();
        let inputs = inputs.filter(|&&source| learning[place(source)]);
        let input: u64 = inputs.map(|&source| words(source)).sum();
        let output = words(Some(last));
        let (pooled, inner) = between(plan, &group);
        // What is written of a convolution in front of its pooling, and what comes back to it.
        let unpooled = words(Some(group.start));
        let index = if pooled { output } else { 0 };
        let kept = matches!(inner, Some(Between::Kept));
        let (inner, dz, index) = match inner {
            None => (0, output, index),
            Some(Between::Never) => (0, 0, index),
            Some(Between::Written) => (unpooled, unpooled, index),
            // Where it has won, and what; the gradient takes the map's place.
            Some(Between::Kept) => (unpooled, 0, 2 * index),
        };
        // Without training, the normalised map is written.
        let normalised = if kept { unpooled } else { 0 };
        let (inner, dz, index) = match walk(plan, group.start) {
            Some(walk) => (walk.share, walk.gradients, walk.kept),
            None => (inner, dz, index),
        };
        // Forward: what this group or a later one reads; in training also what earlier ones keep.
        let earlier = |life: &Life| life.made < now;
        let read = alive(&|life| earlier(life) && life.last_read >= now);
        let kept = alive(&|life| earlier(life) && (life.last_read >= now || life.kept <= now));
        let forward = inner + output + index;
        inference = inference.max(read + forward + normalised);
        if !learning[group.end] {
            training = training.max(kept + indices + forward + normalised);
            continue;
        }
        training = training.max(kept + indices + forward);
        // On the way back: what this group or an earlier one keeps, the gradients that wait for others of the same map,
        // the one that came, the one before activation or pooling, and the input's.
        indices += index;
        let kept = alive(&|life| life.kept <= now);
        let waits =
            |life: &Life| learning[life.made] && earlier(life) && life.last_read > group.end;
        training = training.max(kept + indices + alive(&waits) + output + dz + input);
    }
    (training, inference)
}

/// Memory of a recurrent step beside its input and output.
fn walk(plan: &Plan, step: usize) -> Option<Words> {
    let Step {
        operation, inputs, ..
    } = &plan.steps[step];
    match operation {
        Operation::Recurrent(sizes, _) => Some(sizes.words(plan.shape(inputs[0])[0])),
        _ => None,
    }
}

/// The map between a convolution and its pooling.
enum Between {
    /// Windows side by side: one kernel does both.
    Never,
    /// Windows overlap or are padded.
    Written,
    /// BatchNorm stands in front of the pooling: it wants the map again on the way back.
    Kept,
}

/// Whether a group ends in a pooling, and what becomes of the map in front of it where a convolution computes that.
fn between(plan: &Plan, group: &Range<usize>) -> (bool, Option<Between>) {
    let Operation::MaxPool2d(pool) = plan.steps[group.end - 1].operation else {
        return (false, None);
    };
    let normed = |step: &Step| matches!(step.operation, Operation::BatchNorm { .. });
    let inner = match pool == PoolOptions::new(pool.kernel) {
        _ if plan.steps[group.clone()].iter().any(normed) => Between::Kept,
        true => Between::Never,
        false => Between::Written,
    };
    (true, (group.len() > 1).then_some(inner))
}

/// One map, and from when to when it is needed. Times are places in the list of steps, counted from 1; the network's
/// input is made at 0.
struct Life {
    words: u64,
    made: usize,
    /// The last group that reads it on the way forward.
    last_read: usize,
    /// The first group that keeps it for the way back: the last one there to need it.
    kept: usize,
}

/// The lives of the network's input and of every step's output. What is never written has no words: views, and what lies
/// within a group.
fn lifetimes(plan: &Plan, learning: &[bool]) -> Vec<Life> {
    let life = |(made, shape): (usize, &Shape)| Life {
        words: shape.elements() as u64,
        made,
        last_read: 0,
        kept: usize::MAX,
    };
    let outputs = plan.steps.iter().map(|step| &step.output);
    let shapes = [&plan.input].into_iter().chain(outputs);
    let mut lives: Vec<Life> = shapes.enumerate().map(life).collect();
    // The caller has the input all the time.
    lives[0].kept = 0;
    // Whose memory each output is: a view shows that of its input.
    let mut owners: Vec<usize> = (0..lives.len()).collect();
    for group in plan.groups() {
        let (first, end) = (&plan.steps[group.start], group.end);
        let (keeps_input, keeps_output) = first.operation.keeps();
        let learns = learning[end];
        for &source in &first.inputs {
            let read = &mut lives[owners[place(source)]];
            read.last_read = group.start + 1;
            if learns && keeps_input {
                read.kept = read.kept.min(group.start + 1);
            }
        }
        if learns && (keeps_output || group.len() > 1) {
            lives[end].kept = group.start + 1;
        }
        let mut inside = group.start + 1..end;
        if let (true, (_, Some(Between::Kept))) = (learns, between(plan, &group)) {
            inside.start += 1;
            lives[group.start + 1].kept = group.start + 1;
        }
        for inner in inside {
            lives[inner].words = 0;
        }
        if first.operation.is_view() {
            owners[end] = owners[place(first.inputs[0])];
            lives[end].words = 0;
        }
    }
    lives
}
