//! Kernels recorded.

use super::driver::lock;
use super::pipelines::{Binding, Pipelines};
use super::stream::Dispatch;
use super::{Gpu, State};
use crate::buffer::{Block, Buffer};
use crate::device::Device;
use crate::error::{Error, Result};
use crate::kernel::{Kernel, Plan, Rung};

impl Gpu {
    /// Records a kernel: the named rung, or the best that serves this shape here.
    pub fn launch(
        &self,
        device: &Device,
        kernel: &dyn Kernel,
        rung: Option<&str>,
        inputs: &[&Buffer],
        outputs: &[&Buffer],
    ) -> Result<()> {
        self.check(kernel.name(), 0)?;
        let plan = self.plan(kernel, rung)?;
        // Scratch is freed when this returns, and may then be handed out again: the stream keeps the order.
        let scratch = plan
            .scratch
            .iter()
            .map(|&len| device.alloc(len))
            .collect::<Result<Vec<_>>>()?;
        let bindings: Vec<Binding> = inputs
            .iter()
            .chain(outputs)
            .copied()
            .chain(&scratch)
            .map(|buffer| match buffer.block() {
                Block::Gpu(block) => Binding {
                    id: block.number,
                    buffer: &block.block.buffer,
                    start: buffer.start(),
                    words: buffer.span().unwrap_or(block.block.words),
                },
                _ => unreachable!("checked: every buffer is on this device"),
            })
            .collect();
        let mut state = lock(&self.state);
        let State {
            pool,
            pipelines,
            stream,
            ..
        } = &mut *state;
        // All that the driver may refuse is made before anything is recorded: a refusal leaves the stream as it was.
        let mut ready = Vec::with_capacity(plan.passes.len());
        let made = pipelines.made();
        for pass in &plan.passes {
            let reads: Vec<bool> = pass.bindings.iter().map(|&b| b < inputs.len()).collect();
            let bound: Vec<Binding> = pass.bindings.iter().map(|&b| bindings[b]).collect();
            let position = pipelines.find(&self.driver, pass, &reads)?;
            let group = pipelines.group(&self.driver, &stream.ring, position, &bound);
            ready.push((position, group.clone()));
        }
        if pipelines.made() != made
            && let Err(error) = self.verdict(kernel.name(), 0, || pool.usage())
        {
            // What was refused must not be met again.
            *pipelines = Pipelines::default();
            return Err(error);
        }
        let dispatches = plan.passes.iter().zip(&ready);
        stream.launch(
            &self.driver,
            dispatches.map(|(pass, (position, group))| Dispatch {
                pipeline: &pipelines.get(*position).pipeline,
                group,
                params: &pass.params,
                groups: pass.groups,
            }),
        );
        drop(state);
        self.check(kernel.name(), 0)
    }

    /// The rungs that serve this kernel here, the best last.
    pub fn rungs(&self, kernel: &dyn Kernel) -> Vec<&'static str> {
        let served = |rung: &&Rung| self.plan_of(kernel, rung).is_some();
        let rungs = kernel.rungs().iter().filter(served);
        rungs.map(|rung| rung.name).collect()
    }

    fn plan(&self, kernel: &dyn Kernel, rung: Option<&str>) -> Result<Plan> {
        let wanted = |candidate: &&Rung| rung.is_none_or(|name| candidate.name == name);
        let mut rungs = kernel.rungs().iter().rev().filter(wanted);
        rungs
            .find_map(|rung| self.plan_of(kernel, rung))
            .ok_or_else(|| Error::NoRung {
                kernel: kernel.name(),
                rung: rung.unwrap_or("any").into(),
                device: self.name().into(),
            })
    }

    /// A plan whose loops are not too long for this device.
    fn plan_of(&self, kernel: &dyn Kernel, rung: &Rung) -> Option<Plan> {
        let most = self.limits().iterations;
        kernel
            .plan(rung, self.limits())
            .filter(|plan| plan.passes.iter().all(|pass| pass.iterations <= most))
    }
}
