//! A network: an architecture with parameters on a device. How a batch goes through it is in `network/forward.rs`,
//! weights from elsewhere in `network/adopt.rs`.

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

/// Random numbers are told apart by their stream. Those of the first weights start here, beyond what anybody would
/// count up to; those of dropout in `forward.rs`.
const INITIAL: u64 = 1 << 62;

/// Something that a network learns.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// The layer's path and `weight` or `bias`: `block2/conv1.weight`.
    pub name: String,
    /// The numbers. An optimizer changes them in place.
    pub tensor: Tensor,
    /// The layer's own L2 penalty.
    pub l2: f32,
}

/// Numbers on the host: a parameter outside any device.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// The lengths of its axes.
    pub shape: Shape,
    /// The numbers in row-major order.
    pub values: Vec<f32>,
}

impl Array {
    /// Whether it holds as many numbers as its shape says, all of them finite; `name` goes into errors.
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

/// A network's parameters and running statistics on the host, by name.
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
    /// The numbers of all the plan's parameters, in its order.
    numbers: Vec<Tensor>,
    /// Those that are learned.
    parameters: Vec<Parameter>,
    /// Which of the plan's steps learn no more.
    frozen: Vec<bool>,
    device: Device,
}

impl Network {
    /// The network with parameters as PyTorch starts them: uniform within `1 / √fan_in`. The same seed gives the same
    /// numbers on every device.
    ///
    /// # Errors
    /// What does not fit together, with the layer's path and both shapes; whatever the device refuses.
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

    /// The network with given weights.
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
        // What is learned lies together, so that an optimizer moves all of it at once.
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

    /// What it was built from.
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// Where it lives.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Everything that it learns, in a fixed order.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// The parameters' numbers, and the running statistics beside them.
    ///
    /// # Errors
    /// What the device refuses.
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

    /// Puts other numbers into the parameters and the running statistics.
    ///
    /// # Errors
    /// As [`Network::with_weights`]; nothing is changed then.
    pub fn set_weights(&mut self, weights: &Weights) -> Result<()> {
        check(&self.plan, weights)?;
        for (spec, tensor) in self.plan.parameters.iter().zip(&self.numbers) {
            self.device
                .write(tensor.buffer(), &weights[&spec.name].values)?;
        }
        Ok(())
    }
}

/// Whether weights are those that a plan asks for, and as many numbers as their shapes say.
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
