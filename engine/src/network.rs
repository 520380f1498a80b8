//! Networks: an architecture with parameters on a device. `network/forward.rs` holds the forward pass,
//! `network/adopt.rs` loads other weights.

mod forward;
mod load;

pub use forward::{Mode, Observer};
pub use load::Loaded;

use crate::architecture::operation::{ParameterSpec, Start};
use crate::architecture::plan::Plan;
use crate::architecture::{Architecture, nearest};
use crate::error::{Error, Misfit, Result};
use crate::shape::Shape;
use crate::tensor::Tensor;
use kernels::Device;
use kernels::philox::Philox;
use std::collections::BTreeMap;

/// First random stream of the initial weights: higher than any other stream number. Dropout's streams are in
/// `forward.rs`.
const INITIAL: u64 = 1 << 62;

/// Trainable parameter of a network.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// Path of the layer with `weight` or `bias`: `block2/conv1.weight`.
    pub name: String,
    /// Values. An optimizer updates them in place.
    pub tensor: Tensor,
    /// L2 penalty of the layer.
    pub l2: f32,
}

/// Parameter on the host.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// Lengths of the axes.
    pub shape: Shape,
    /// Values in row-major order.
    pub values: Vec<f32>,
}

impl Array {
    /// Checks that the number of values fits the shape, and that all are finite; `name` is used in errors.
    pub(crate) fn check(&self, name: &str) -> Result<()> {
        if self.values.len() != self.shape.elements() {
            let problem = format!("does not fit: `{name}` holds {} values", self.values.len());
            return Err(Error::shape("weights", &self.shape, problem));
        }
        match self.values.iter().find(|value| !value.is_finite()) {
            Some(value) => Err(Error::ModelFile(format!("`{name}` holds {value}"))),
            None => Ok(()),
        }
    }
}

/// Parameters and running statistics of a network on the host, by name.
pub type Weights = BTreeMap<String, Array>;

/// An architecture with parameters on a device.
///
/// ```
/// use engine::{Architecture, Device, Mode, Network, Tensor};
/// use engine::architecture::layer::{Linear, Function};
/// # fn main() -> engine::Result<()> {
/// let architecture = Architecture {
///     input: vec![2],
///     layers: vec![Linear::new(8).with(Function::Tanh).into(), Linear::new(3).into()],
/// };
/// let device = Device::cpu();
/// let network = Network::new(&architecture, &device, 42)?;
/// let x = Tensor::zeros(&device, [5, 2])?;
/// let logits = network.forward(&x, Mode::Eval)?;
/// assert_eq!(logits.shape().to_string(), "5×3");
/// # Ok(()) }
/// ```
pub struct Network {
    architecture: Architecture,
    plan: Plan,
    /// Values of all the plan's parameters, in its order.
    numbers: Vec<Tensor>,
    /// Trainable parameters.
    parameters: Vec<Parameter>,
    /// Which of the plan's steps are frozen.
    frozen: Vec<bool>,
    device: Device,
}

impl Network {
    /// Creates the network with PyTorch's initialisation: uniform within `1 / √fan_in`. The same seed gives the same
    /// values on every device.
    ///
    /// # Errors
    /// Layers that do not fit together, with the layer's path and both shapes; any error of the device.
    pub fn new(architecture: &Architecture, device: &Device, seed: u64) -> Result<Self> {
        let initial = |index: usize, spec: &ParameterSpec| {
            let mut random = Philox::new(seed, INITIAL + index as u64);
            match spec.start {
                Start::Uniform(bound) => (0..spec.shape.elements())
                    .map(|_| random.range(-bound, bound))
                    .collect(),
                Start::Constant(value) => vec![value; spec.shape.elements()],
            }
        };
        Network::build(architecture, device, initial)
    }

    /// Creates the network with given weights.
    ///
    /// # Errors
    /// [`Error::Weights`] with every name that is missing, unexpected or of another shape.
    pub fn with_weights(
        architecture: &Architecture,
        device: &Device,
        weights: &Weights,
    ) -> Result<Self> {
        check(&architecture.plan()?, weights)?;
        Network::build(architecture, device, |_, spec| {
            weights[&spec.name].values.clone()
        })
    }

    fn build(
        architecture: &Architecture,
        device: &Device,
        values: impl Fn(usize, &ParameterSpec) -> Vec<f32>,
    ) -> Result<Self> {
        let plan = architecture.plan()?;
        // Trainable parameters are contiguous, so that an optimizer updates them all at once.
        let learned = plan.parameters.iter().filter(|spec| spec.learned);
        let lens: Vec<usize> = learned.map(|spec| spec.shape.elements()).collect();
        let mut together = device.zeros_together(&lens)?.into_iter();
        let mut number = |(index, spec): (usize, &ParameterSpec)| -> Result<Tensor> {
            let values = values(index, spec);
            let buffer = match spec.learned {
                true => together.next().expect("one for each that is learned"),
                false => device.alloc(values.len())?,
            };
            device.write(&buffer, &values)?;
            let tensor = Tensor::from_buffer(buffer, &spec.shape)?;
            Ok(match spec.learned {
                true => tensor.parameter(),
                false => tensor,
            })
        };
        let numbers = plan.parameters.iter().enumerate().map(&mut number);
        let numbers: Vec<Tensor> = numbers.collect::<Result<_>>()?;
        let parameter = |(spec, tensor): (&ParameterSpec, &Tensor)| Parameter {
            name: spec.name.clone(),
            tensor: tensor.clone(),
            l2: spec.l2,
        };
        let learned = plan.parameters.iter().zip(&numbers);
        let learned = learned.filter(|(spec, _)| spec.learned);
        Ok(Network {
            parameters: learned.map(parameter).collect(),
            numbers,
            architecture: architecture.clone(),
            frozen: vec![false; plan.steps.len()],
            plan,
            device: device.clone(),
        })
    }

    /// Returns the architecture.
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// Returns the device.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Returns all trainable parameters, in a fixed order.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// Returns the values of the parameters and of the running statistics.
    ///
    /// # Errors
    /// Any error of the device.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn weights(&self) -> Result<Weights> {
        let array = |(spec, tensor): (&ParameterSpec, &Tensor)| -> Result<(String, Array)> {
            let (shape, values) = (tensor.shape().clone(), tensor.to_vec()?);
            Ok((spec.name.clone(), Array { shape, values }))
        };
        self.plan
            .parameters
            .iter()
            .zip(&self.numbers)
            .map(array)
            .collect()
    }

    /// Replaces the values of the parameters and of the running statistics.
    ///
    /// # Errors
    /// As [`Network::with_weights`]; then nothing is changed.
    pub fn set_weights(&mut self, weights: &Weights) -> Result<()> {
        check(&self.plan, weights)?;
        for (spec, tensor) in self.plan.parameters.iter().zip(&self.numbers) {
            self.device
                .write(tensor.buffer(), &weights[&spec.name].values)?;
        }
        Ok(())
    }
}

/// Checks that weights have the names and shapes of a plan, and values to match.
pub(crate) fn check(plan: &Plan, weights: &Weights) -> Result<()> {
    let mut misfit = Misfit::default();
    let wanted: BTreeMap<&str, &Shape> = plan
        .parameters
        .iter()
        .map(|p| (p.name.as_str(), &p.shape))
        .collect();
    for (name, array) in weights {
        match wanted.get(name.as_str()) {
            None => misfit.unexpected.push(name.clone()),
            Some(shape) if **shape != array.shape => {
                let mismatch = (name.clone(), array.shape.clone(), (*shape).clone());
                misfit.mismatched.push(mismatch);
            }
            Some(_) if array.values.len() != array.shape.elements() => {
                let problem = format!("`{name}` does not hold {} values", array.values.len());
                return Err(Error::shape("weights", &array.shape, problem));
            }
            Some(_) => {}
        }
    }
    for name in wanted.keys().filter(|name| !weights.contains_key(**name)) {
        let like = nearest(name, misfit.unexpected.iter().map(String::as_str));
        misfit
            .missing
            .push((name.to_string(), like.map(String::from)));
    }
    match misfit.is_empty() {
        true => Ok(()),
        false => Err(Error::Weights(misfit)),
    }
}
