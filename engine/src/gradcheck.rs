//! Gradient check: compares gradients with central differences in f64, and a device's f32 gradients with the f64 ones.
//!
//! The function under test always is in the middle of a graph: its output is scaled by random weights, goes through
//! tanh, and is summed. So its backward pass receives values that all differ, as in a real network. A function that
//! mixes them up, or ignores them, is detected.

use crate::error::{Error, Result};
use crate::network::Array;
use crate::shape::Shape;
use crate::tensor::Tensor;
use kernels::Device;
use kernels::philox::Philox;

/// A function of tensors under test.
pub type Function<'a> = &'a dyn Fn(&[Tensor]) -> Result<Tensor>;

/// Maximum number of elements per input that are perturbed.
const MOVED: usize = 48;

/// Size of the perturbation.
const STEP: f64 = 1e-5;

/// Returns random normal inputs; none nearer than `gap` to zero, for functions with a kink there.
pub fn random(shape: impl Into<Shape>, seed: u64, gap: f32) -> Array {
    let shape = shape.into();
    let mut random = Philox::new(seed, 0);
    let mut value = || {
        let value = random.normal();
        value + gap.copysign(value)
    };
    let values = (0..shape.elements()).map(|_| value()).collect();
    Array { shape, values }
}

/// Returns the largest difference between the gradients of `f` on [`Device::oracle`] and central differences, relative
/// to the larger of the two and 1. About 1e-9 for a correct gradient.
pub fn against_differences(inputs: &[Array], f: Function) -> Result<f64> {
    let device = Device::oracle();
    let gradients = gradients(&device, inputs, f)?;
    let mut largest: f64 = 0.0;
    for (which, gradient) in gradients.iter().enumerate() {
        let count = gradient.len();
        for i in (0..count).step_by(count.div_ceil(MOVED).max(1)) {
            let at = |offset: f64| -> Result<f64> {
                let tensors = tensors(&device, inputs, Some((which, i, offset)))?;
                Ok(exact(&crate::no_grad(|| loss(&tensors, f))?)[0])
            };
            let difference = (at(STEP)? - at(-STEP)?) / (2.0 * STEP);
            let scale = difference.abs().max(gradient[i].abs()).max(1.0);
            let error = (difference - gradient[i]).abs() / scale;
            // A NaN must not pass as a small number.
            largest = if error.is_nan() {
                f64::INFINITY
            } else {
                largest.max(error)
            };
        }
    }
    Ok(largest)
}

/// Returns the largest difference between the gradients on `device` and on [`Device::oracle`], relative to the largest
/// element of each input's gradient. A few 1e-6 for a correct gradient.
pub fn against_oracle(device: &Device, inputs: &[Array], f: Function) -> Result<f64> {
    let exact = gradients(&Device::oracle(), inputs, f)?;
    let found = gradients(device, inputs, f)?;
    let mut largest: f64 = 0.0;
    for (exact, found) in exact.iter().zip(&found) {
        let scale = exact.iter().fold(f64::MIN_POSITIVE, |m, g| m.max(g.abs()));
        for (e, f) in exact.iter().zip(found) {
            let error = (e - f).abs() / scale;
            largest = if error.is_nan() {
                f64::INFINITY
            } else {
                largest.max(error)
            };
        }
    }
    Ok(largest)
}

/// Returns the gradient of every input; on the oracle in f64.
fn gradients(device: &Device, inputs: &[Array], f: Function) -> Result<Vec<Vec<f64>>> {
    let tensors: Vec<Tensor> = tensors(device, inputs, None)?
        .iter()
        .map(Tensor::parameter)
        .collect();
    let gradients = loss(&tensors, f)?.backward()?;
    let gradient = |t: &Tensor| match gradients.get(t) {
        Some(g) if g.shape() == t.shape() => match g.to_vec_f64() {
            Some(values) => Ok(values),
            None => Ok(g.to_vec()?.into_iter().map(f64::from).collect()),
        },
        Some(g) => Err(Error::shapes(
            "gradient check",
            g.shape(),
            t.shape(),
            "a gradient has another shape",
        )),
        None => Err(Error::History("an input has no gradient".into())),
    };
    tensors.iter().map(gradient).collect()
}

/// Uploads the inputs, with one element perturbed.
fn tensors(
    device: &Device,
    inputs: &[Array],
    moved: Option<(usize, usize, f64)>,
) -> Result<Vec<Tensor>> {
    let mut tensors = Vec::new();
    for (which, input) in inputs.iter().enumerate() {
        tensors.push(match moved {
            Some((input_moved, i, offset)) => {
                let mut values: Vec<f64> = input.values.iter().map(|v| f64::from(*v)).collect();
                if input_moved == which {
                    values[i] += offset;
                }
                Tensor::from_buffer(device.upload_f64(&values), &input.shape)?
            }
            None => Tensor::from_vec(device, &input.values, &input.shape)?,
        });
    }
    Ok(tensors)
}

/// `Σ tanh(w · f(inputs))`, `w` random.
fn loss(inputs: &[Tensor], f: Function) -> Result<Tensor> {
    let y = f(inputs)?;
    let mut random = Philox::new(3, 1);
    let weights: Vec<f32> = (0..y.elements()).map(|_| random.range(0.2, 1.2)).collect();
    let weights = Tensor::from_vec(y.device(), weights, y.shape())?;
    y.mul(&weights)?.tanh()?.sum_all()
}

fn exact(t: &Tensor) -> Vec<f64> {
    t.to_vec_f64().unwrap_or_else(|| vec![f64::NAN])
}
