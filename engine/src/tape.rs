//! Reverse mode: what was computed from what, and the way back.
//!
//! Every operation on a tracked tensor leaves a `Node`: who its inputs were, and a closure that turns the gradient
//! of its output into the gradients of its inputs. Nodes are numbered as they arise, so an input's number is always
//! below its output's: going back from the highest number down meets every node after all that used it, and no sort is
//! needed. The closure owns exactly the numbers that its derivative needs, and is dropped as soon as it has run, so
//! that memory shrinks on the way back.

use crate::error::{Error, Result};
use crate::no_grad::no_grad;
pub(crate) use crate::tensor::InputGradients;
use crate::tensor::{Kind, Node, Step, Tensor};
use kernels::{Buffer, Device};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

/// `Send` where there are threads: what a browser's GPU hands out may not leave its thread.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) trait MaybeSend: Send {}
#[cfg(not(target_arch = "wasm32"))]
impl<T: Send> MaybeSend for T {}
#[cfg(target_arch = "wasm32")]
pub(crate) trait MaybeSend {}
#[cfg(target_arch = "wasm32")]
impl<T> MaybeSend for T {}

/// Notes how `output` came from `inputs`. `backward` gets the gradient of the output and gives those of the inputs,
/// in order; it is only kept where an input is tracked.
pub(crate) fn record(
    output: Tensor,
    inputs: &[&Tensor],
    backward: impl FnOnce(Tensor) -> InputGradients + MaybeSend + 'static,
) -> Tensor {
    let inputs: Vec<_> = inputs.iter().map(|t| t.node().cloned()).collect();
    if inputs.iter().all(Option::is_none) {
        return output;
    }
    let step = Step {
        inputs,
        backward: Box::new(backward),
    };
    let node = Node::new(Kind::Operation(Mutex::new(Some(step))));
    output.with_node(Some(node))
}

impl Tensor {
    /// Goes back through the history of this single number. The history is used up: memory is freed on the way.
    ///
    /// # Errors
    /// More than one number; no history; a history that an earlier `backward` used up; whatever a kernel refuses.
    pub fn backward(&self) -> Result<Gradients> {
        if self.elements() != 1 {
            return Err(Error::shape(
                "backward",
                self.shape(),
                "is not a single number",
            ));
        }
        let start = Tensor::full(self.device(), self.shape(), 1.0)?;
        let Some(node) = self.own_node() else {
            let none = "nothing here came from a parameter";
            return Err(Error::History(none.into()));
        };
        let mut gradients = HashMap::new();
        // Gradients still to be handed on, by the number of the node whose output they belong to.
        let mut pending = BTreeMap::from([(node.id, (node.clone(), start))]);
        while let Some((id, (node, gradient))) = pending.pop_last() {
            let leaf = matches!(node.kind, Kind::Leaf(_));
            if leaf || node.retained.load(Ordering::Relaxed) {
                gradients.insert(id, gradient.clone());
            }
            if leaf {
                continue;
            }
            let Some(step) = node.take() else {
                let used = "this history was used up by an earlier backward()";
                return Err(Error::History(used.into()));
            };
            let found = no_grad(|| (step.backward)(gradient))?;
            for (input, gradient) in step.inputs.into_iter().zip(found) {
                let (Some(input), Some(gradient)) = (input, gradient) else {
                    continue;
                };
                let sum = match pending.remove(&input.id) {
                    Some((_, other)) => no_grad(|| other.add(&gradient))?,
                    None => gradient,
                };
                pending.insert(input.id, (input, sum));
            }
        }
        Ok(Gradients(gradients))
    }

    /// Asks [`backward`](Tensor::backward) to keep the gradient of this tensor too, not only those of parameters.
    pub fn retain_grad(&self) {
        if let Some(node) = self.own_node() {
            node.retained.store(true, Ordering::Relaxed);
        }
    }
}

/// What [`Tensor::backward`] found: gradients of parameters, and of tensors that asked to be retained.
#[derive(Debug)]
pub struct Gradients(HashMap<u64, Tensor>);

impl Gradients {
    /// The gradient of a parameter, with its shape; `None` where the loss does not depend on it.
    pub fn get(&self, parameter: &Tensor) -> Option<&Tensor> {
        self.0.get(&parameter.own_node()?.id)
    }

    /// The same, taken out.
    pub fn take(&mut self, parameter: &Tensor) -> Option<Tensor> {
        self.0.remove(&parameter.own_node()?.id)
    }
}

/// Where the backward pass of an operation writes the gradient of one of its inputs.
#[derive(Clone)]
pub(crate) struct Place {
    /// The input's, where it is a parameter.
    leaf: Option<Arc<Node>>,
    device: Device,
    len: usize,
}

impl Place {
    /// The parameter's own place, if it has one and nobody holds what was written there before.
    pub(crate) fn free(&self) -> Option<Buffer> {
        let Kind::Leaf(place) = &self.leaf.as_ref()?.kind else {
            return None;
        };
        let place = place.lock().unwrap_or_else(|p| p.into_inner());
        place.as_ref().filter(|buffer| !buffer.is_shared()).cloned()
    }

    /// That place, or else a new buffer.
    pub(crate) fn buffer(&self) -> Result<Buffer> {
        match self.free() {
            Some(buffer) => Ok(buffer),
            None => Ok(self.device.alloc(self.len)?),
        }
    }
}

impl Tensor {
    /// Gives the gradient of this parameter a place of its own.
    pub(crate) fn set_gradient_place(&self, buffer: Buffer) {
        if let Some(Kind::Leaf(place)) = self.own_node().map(|node| &node.kind) {
            *place.lock().unwrap_or_else(|p| p.into_inner()) = Some(buffer);
        }
    }

    /// Where the gradient of this tensor should be written.
    pub(crate) fn gradient_place(&self) -> Place {
        let leaf = |node: &&Arc<Node>| matches!(node.kind, Kind::Leaf(_));
        Place {
            leaf: self.own_node().filter(leaf).cloned(),
            device: self.device().clone(),
            len: self.elements(),
        }
    }
}
