//! Tensors: a buffer with a shape and, in training, a history.

use crate::error::{Error, Result};
use crate::no_grad;
use crate::shape::Shape;
use kernels::{Buffer, Device, Kernel};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// Array of f32 on a device, contiguous and row-major, with a shape. Cloning is cheap and shares the data.
///
/// A tensor computed from a [parameter](Tensor::parameter) has a history, through which [`backward`](Tensor::backward)
/// computes gradients:
///
/// ```
/// use engine::{Device, Tensor};
/// # fn main() -> engine::Result<()> {
/// let device = Device::cpu();
/// let x = Tensor::from_vec(&device, vec![1.0, -2.0, 3.0], [3])?.parameter();
/// let loss = x.mul(&x)?.sum_all()?; // x² summed: the gradient is 2x
/// let gradients = loss.backward()?;
/// assert_eq!(loss.to_vec()?, [14.0]);
/// assert_eq!(gradients.get(&x).unwrap().to_vec()?, [2.0, -4.0, 6.0]);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Tensor {
    shape: Shape,
    buffer: Buffer,
    node: Option<Arc<Node>>,
}

impl Tensor {
    /// Creates a tensor from values in row-major order.
    ///
    /// # Errors
    /// [`Error::Shape`] if the number of values differs from the shape's; any error of the device.
    pub fn from_vec(
        device: &Device,
        values: impl AsRef<[f32]>,
        shape: impl Into<Shape>,
    ) -> Result<Self> {
        let buffer = device.upload(values.as_ref())?;
        Tensor::from_buffer(buffer, shape)
    }

    /// Creates a tensor from a buffer.
    ///
    /// # Errors
    /// [`Error::Shape`] if the length of the buffer differs from the shape's.
    pub fn from_buffer(buffer: Buffer, shape: impl Into<Shape>) -> Result<Self> {
        let shape = shape.into();
        if shape.elements() != buffer.len() {
            let problem = format!("does not hold {} values", buffer.len());
            return Err(Error::shape("tensor", &shape, problem));
        }
        Ok(Tensor {
            shape,
            buffer,
            node: None,
        })
    }

    /// Creates a tensor of zeros.
    ///
    /// # Errors
    /// As [`Tensor::full`].
    pub fn zeros(device: &Device, shape: impl Into<Shape>) -> Result<Self> {
        Tensor::full(device, shape, 0.0)
    }

    /// Creates a tensor filled with a value.
    ///
    /// # Errors
    /// [`Error::Shape`] for more elements than 32-bit indices can address; any error of the device.
    pub fn full(device: &Device, shape: impl Into<Shape>, value: f32) -> Result<Self> {
        let shape = shape.into();
        if shape.elements() >= 1 << 31 {
            return Err(Error::shape(
                "tensor",
                &shape,
                "has more than 2^31 elements",
            ));
        }
        let buffer = device.upload(&vec![value; shape.elements()])?;
        Tensor::from_buffer(buffer, shape)
    }

    /// Runs a kernel with one output; the result has no history.
    pub(crate) fn launch(
        kernel: &dyn Kernel,
        inputs: &[&Tensor],
        shape: impl Into<Shape>,
    ) -> Result<Self> {
        let shape = shape.into();
        kernel.check()?;
        let buffer = inputs[0].device().alloc(shape.elements())?;
        Tensor::launch_into(buffer, kernel, inputs, shape)
    }

    /// Runs it with a given output buffer: see [`gradient_place`](Tensor::gradient_place).
    pub(crate) fn launch_into(
        buffer: Buffer,
        kernel: &dyn Kernel,
        inputs: &[&Tensor],
        shape: impl Into<Shape>,
    ) -> Result<Self> {
        let inputs: Vec<&Buffer> = inputs.iter().map(|t| &t.buffer).collect();
        buffer.device().launch(kernel, &inputs, &[&buffer])?;
        Tensor::from_buffer(buffer, shape)
    }

    /// Returns the tensor as a parameter: the start of a history, with a gradient.
    pub fn parameter(&self) -> Self {
        self.with_node(Some(Node::leaf()))
    }

    /// Returns the tensor without its history (PyTorch's `detach`).
    pub fn detach(&self) -> Self {
        self.with_node(None)
    }

    pub(crate) fn with_node(&self, node: Option<Arc<Node>>) -> Self {
        Tensor {
            shape: self.shape.clone(),
            buffer: self.buffer.clone(),
            node,
        }
    }

    /// Returns a view with another shape, without a copy.
    pub(crate) fn viewed(&self, shape: impl Into<Shape>) -> Self {
        let shape = shape.into();
        debug_assert_eq!(shape.elements(), self.buffer.len());
        Tensor {
            shape,
            buffer: self.buffer.clone(),
            node: None,
        }
    }

    /// Returns the shape.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Returns the number of elements.
    pub fn elements(&self) -> usize {
        self.buffer.len()
    }

    /// Returns the buffer.
    pub fn buffer(&self) -> &Buffer {
        &self.buffer
    }

    /// Returns the device.
    pub fn device(&self) -> &Device {
        self.buffer.device()
    }

    /// Whether operations on it are recorded: it is a parameter or has a history, and there is no enclosing
    /// [`no_grad`](crate::no_grad).
    pub fn is_tracked(&self) -> bool {
        self.node.is_some() && !no_grad::is_off()
    }

    pub(crate) fn node(&self) -> Option<&Arc<Node>> {
        self.node.as_ref().filter(|_| !no_grad::is_off())
    }

    pub(crate) fn own_node(&self) -> Option<&Arc<Node>> {
        self.node.as_ref()
    }

    /// Reads the values. Waits for all recorded work.
    pub async fn read(&self) -> Result<Vec<f32>> {
        Ok(self.buffer.read().await?)
    }

    /// [`Tensor::read`], blocking.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn to_vec(&self) -> Result<Vec<f32>> {
        Ok(self.buffer.to_vec()?)
    }

    /// Reads the values in f64, on [`Device::oracle`], which computes in f64.
    pub fn to_vec_f64(&self) -> Option<Vec<f64>> {
        self.buffer.to_vec_f64()
    }
}

impl std::fmt::Debug for Tensor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tensor({} on {})", self.shape, self.device().name())
    }
}

/// Gradients of an operation's inputs, `None` for those that need none.
pub(crate) type InputGradients = Result<Vec<Option<Tensor>>>;

#[cfg(not(target_arch = "wasm32"))]
type Backward = Box<dyn FnOnce(Tensor) -> InputGradients + Send>;
#[cfg(target_arch = "wasm32")]
type Backward = Box<dyn FnOnce(Tensor) -> InputGradients>;

/// Node of a history.
pub(crate) struct Node {
    pub(crate) id: u64,
    pub(crate) kind: Kind,
    /// Whether the gradient of this node's output is retained.
    pub(crate) retained: AtomicBool,
}

pub(crate) enum Kind {
    /// A parameter: start of the history. Its gradient may have a place of its own.
    Leaf(Mutex<Option<Buffer>>),
    /// An operation; `None` once its gradient has been computed.
    Operation(Mutex<Option<Step>>),
}

pub(crate) struct Step {
    pub(crate) inputs: Vec<Option<Arc<Node>>>,
    pub(crate) backward: Backward,
}

impl Node {
    pub(crate) fn new(kind: Kind) -> Arc<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Arc::new(Node {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            kind,
            retained: AtomicBool::new(false),
        })
    }

    pub(crate) fn leaf() -> Arc<Self> {
        Node::new(Kind::Leaf(Mutex::default()))
    }

    /// Takes inputs and closure out of the history.
    pub(crate) fn take(&self) -> Option<Step> {
        match &self.kind {
            Kind::Leaf(_) => None,
            Kind::Operation(step) => step.lock().unwrap_or_else(|p| p.into_inner()).take(),
        }
    }
}

impl Drop for Node {
    /// Iterative, because a history may be deeper than the stack.
    fn drop(&mut self) {
        let mut rest: Vec<Arc<Node>> = Vec::new();
        let mut step = self.take();
        loop {
            rest.extend(step.into_iter().flat_map(|s| s.inputs).flatten());
            match rest.pop() {
                Some(node) => step = Arc::into_inner(node).and_then(|node| node.take()),
                None => return,
            }
        }
    }
}
