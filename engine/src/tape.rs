//! Reverse-mode differentiation: records operations and computes gradients.
//!
//! Every operation on a tracked tensor creates a `Node`: its inputs, and a closure that computes the gradients of the
//! inputs from the gradient of the output. Nodes are numbered in order of creation, so an input's number is always
//! below its output's. Going from the highest number down visits every node after all its users, without sorting. The
//! closure owns exactly the values that its derivative needs, and is dropped as soon as it has run, so memory shrinks
//! during the backward pass.

use crate::error::{Error, Result};
use crate::no_grad::no_grad;
pub(crate) use crate::tensor::InputGradients;
use crate::tensor::{Kind, Node, Step, Tensor};
use kernels::{Buffer, Device};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

/// `Send` where there are threads: in a browser, GPU objects must stay on their thread.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) trait MaybeSend: Send {}
#[cfg(not(target_arch = "wasm32"))]
impl<T: Send> MaybeSend for T {}
#[cfg(target_arch = "wasm32")]
pub(crate) trait MaybeSend {}
#[cfg(target_arch = "wasm32")]
impl<T> MaybeSend for T {}

/// Records that `output` was computed from `inputs`. `backward` receives the gradient of the output and returns those
/// of the inputs, in order. It is kept only if an input is tracked.
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
    /// Computes the gradients of this scalar. The history is consumed: memory is freed during the pass.
    ///
    /// # Errors
    /// More than one element; no history; a history that an earlier `backward` consumed; any error of a kernel.
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
        // Gradients to propagate, by the number of the node whose output they belong to.
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

    /// Makes [`backward`](Tensor::backward) also keep the gradient of this tensor, which is not a parameter.
    pub fn retain_grad(&self) {
        if let Some(node) = self.own_node() {
            node.retained.store(true, Ordering::Relaxed);
        }
    }
}

/// Result of [`Tensor::backward`]: gradients of parameters, and of tensors with retained gradients.
#[derive(Debug)]
pub struct Gradients(HashMap<u64, Tensor>);

impl Gradients {
    /// Returns the gradient of a parameter, with its shape; `None` if the loss does not depend on it.
    pub fn get(&self, parameter: &Tensor) -> Option<&Tensor> {
        self.0.get(&parameter.own_node()?.id)
    }

    /// Removes the gradient of a parameter and returns it.
    pub fn take(&mut self, parameter: &Tensor) -> Option<Tensor> {
        self.0.remove(&parameter.own_node()?.id)
    }
}

/// Buffer to which an operation's backward pass writes the gradient of one of its inputs.
#[derive(Clone)]
pub(crate) struct Place {
    /// Number of the input, if it is a parameter.
    leaf: Option<Arc<Node>>,
    device: Device,
    len: usize,
}

impl Place {
    /// Returns the parameter's own place, if it has one and no earlier gradient there is still in use.
    pub(crate) fn free(&self) -> Option<Buffer> {
        let Kind::Leaf(place) = &self.leaf.as_ref()?.kind else {
            return None;
        };
        let place = place.lock().unwrap_or_else(|p| p.into_inner());
        place.as_ref().filter(|buffer| !buffer.is_shared()).cloned()
    }

    /// Returns that place, or a new buffer.
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

    /// Returns where to write the gradient of this tensor.
    pub(crate) fn gradient_place(&self) -> Place {
        let leaf = |node: &&Arc<Node>| matches!(node.kind, Kind::Leaf(_));
        Place {
            leaf: self.own_node().filter(leaf).cloned(),
            device: self.device().clone(),
            len: self.elements(),
        }
    }
}
