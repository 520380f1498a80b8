//! Tensors: a buffer with a shape and, when it is being trained, a history.

use crate::error::{Error, Result};
use crate::no_grad;
use crate::shape::Shape;
use kernels::{Buffer, Device, Kernel};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// Numbers on a device, f32, contiguous and row-major, with a shape. Cloning is cheap and shares the numbers.
///
/// A tensor that comes from a [parameter](Tensor::parameter) carries its history, and
/// [`backward`](Tensor::backward) goes back through it:
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
    /// A tensor with these values in row-major order.
    ///
    /// # Errors
    /// [`Error::Shape`] where the shape has not as many elements as there are values; whatever the device refuses.
    pub fn from_vec(
        device: &Device,
        values: impl AsRef<[f32]>,
        shape: impl Into<Shape>,
    ) -> Result<Self> {
        let buffer = device.upload(values.as_ref())?;
        Tensor::from_buffer(buffer, shape)
    }

    /// A buffer as a tensor.
    ///
    /// # Errors
    /// [`Error::Shape`] where the shape has not as many elements as the buffer.
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

    /// All zeros.
    ///
    /// # Errors
    /// As [`Tensor::full`].
    pub fn zeros(device: &Device, shape: impl Into<Shape>) -> Result<Self> {
        Tensor::full(device, shape, 0.0)
    }

    /// The same value everywhere.
    ///
    /// # Errors
    /// [`Error::Shape`] for more elements than 32-bit indices reach; whatever the device refuses.
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

    /// The result of a kernel with one output, without a history.
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

    /// The same in a buffer that is given: see [`gradient_place`](Tensor::gradient_place).
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

    /// The same numbers as the start of a history: gradients are computed for it.
    pub fn parameter(&self) -> Self {
        self.with_node(Some(Node::leaf()))
    }

    /// The same numbers without the history.
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

    /// The same numbers under another shape; costs nothing.
    pub(crate) fn viewed(&self, shape: impl Into<Shape>) -> Self {
        let shape = shape.into();
        debug_assert_eq!(shape.elements(), self.buffer.len());
        Tensor {
            shape,
            buffer: self.buffer.clone(),
            node: None,
        }
    }

    /// The lengths of its axes.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// How many numbers.
    pub fn elements(&self) -> usize {
        self.buffer.len()
    }

    /// Where the numbers are.
    pub fn buffer(&self) -> &Buffer {
        &self.buffer
    }

    /// Where the numbers live.
    pub fn device(&self) -> &Device {
        self.buffer.device()
    }

    /// Whether operations on it are recorded: it has a history, or starts one, and no [`no_grad`](crate::no_grad)
    /// is around us.
    pub fn is_tracked(&self) -> bool {
        self.node.is_some() && !no_grad::is_off()
    }

    pub(crate) fn node(&self) -> Option<&Arc<Node>> {
        self.node.as_ref().filter(|_| !no_grad::is_off())
    }

    pub(crate) fn own_node(&self) -> Option<&Arc<Node>> {
        self.node.as_ref()
    }

    /// The numbers. Waits for the work recorded so far.
    pub async fn read(&self) -> Result<Vec<f32>> {
        Ok(self.buffer.read().await?)
    }

    /// [`Tensor::read`], blocking.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn to_vec(&self) -> Result<Vec<f32>> {
        Ok(self.buffer.to_vec()?)
    }

    /// The numbers with all digits, where they are held so: on [`Device::oracle`].
    pub fn to_vec_f64(&self) -> Option<Vec<f64>> {
        self.buffer.to_vec_f64()
    }
}

impl std::fmt::Debug for Tensor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tensor({} on {})", self.shape, self.device().name())
    }
}

/// The gradients of an operation's inputs, `None` for those that need none.
pub(crate) type InputGradients = Result<Vec<Option<Tensor>>>;

#[cfg(not(target_arch = "wasm32"))]
type Backward = Box<dyn FnOnce(Tensor) -> InputGradients + Send>;
#[cfg(target_arch = "wasm32")]
type Backward = Box<dyn FnOnce(Tensor) -> InputGradients>;

/// One step of a history.
pub(crate) struct Node {
    pub(crate) id: u64,
    pub(crate) kind: Kind,
    /// Whether the caller wants the gradient of this step's output too.
    pub(crate) retained: AtomicBool,
}

pub(crate) enum Kind {
    /// A parameter: the history starts here. Its gradient may have a place of its own.
    Leaf(Mutex<Option<Buffer>>),
    /// An operation; `None` once its gradient has been taken.
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

    /// Leaves the history: its inputs, and the closure with all that it keeps.
    pub(crate) fn take(&self) -> Option<Step> {
        match &self.kind {
            Kind::Leaf(_) => None,
            Kind::Operation(step) => step.lock().unwrap_or_else(|p| p.into_inner()).take(),
        }
    }
}

impl Drop for Node {
    /// One after the other: a history may be longer than a stack is deep.
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
