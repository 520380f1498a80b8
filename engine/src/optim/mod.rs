//! Optimizers: update the parameters from their gradients.
//!
//! A network's parameters are contiguous in one buffer, and so is the optimizer's state. The optimizer also gives every
//! parameter's gradient a place in one contiguous buffer, to which the backward pass writes directly. So a step is a
//! single launch over all parameters, whatever the number of layers; clipping by norm is one more launch, and its
//! result stays on the device. Gradients that are elsewhere (a parameter is used twice, or gradients of an earlier step
//! are still held) are first copied together.
//!
//! A layer's own `l2` adds `2·l2·w` to the gradient of its weight, with any rule: the gradient of the `l2 · Σ w²` that
//! Keras adds to the loss. It is not part of the reported loss, and is not clipped.
//!
//! `rule.rs` holds the rules: SGD, RMSprop, Adam, AdamW; `run.rs` the ranges that one launch updates.

mod rule;
mod run;

pub use rule::{Adam, AdamW, RmsProp, Rule, Sgd};

use crate::error::{Error, Result};
use crate::network::{Parameter, Weights};
use crate::tape::Gradients;
use kernels::Buffer;
use kernels::clip_norm::ClipNorm;
use run::Run;
use std::ops::Range;

/// Gradient clipping: first by norm, then by value.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Clip {
    /// Maximum norm of all gradients together (`torch.nn.utils.clip_grad_norm_`).
    pub norm: Option<f64>,
    /// Maximum absolute value of each element (`clip_grad_value_`).
    pub value: Option<f64>,
}

/// A rule with its state for the parameters of one network.
#[derive(Debug)]
pub struct Optimizer {
    rule: Rule,
    learning_rate: f64,
    clip: Clip,
    /// Name and buffer of every parameter.
    parameters: Vec<(String, Buffer)>,
    /// State of the rule: its name, and a buffer for every parameter.
    states: Vec<(&'static str, Vec<Buffer>)>,
    /// Which parameters had a gradient at the last step, and the launches for them.
    present: Vec<bool>,
    runs: Vec<Run>,
    /// Factor of gradients that are not clipped: 1.
    one: Buffer,
    scale: Buffer,
    norm: Buffer,
    steps: u32,
}

impl Optimizer {
    /// Creates an optimizer for these parameters, at step 0. Their `l2` is read now.
    ///
    /// # Errors
    /// No parameters; invalid settings; any error of the device.
    pub fn new(
        parameters: &[Parameter],
        rule: impl Into<Rule>,
        learning_rate: f64,
    ) -> Result<Self> {
        let rule = rule.into();
        rule.check()?;
        check_learning_rate(learning_rate)?;
        let Some(first) = parameters.first() else {
            return Err(problem("no parameters"));
        };
        let device = first.tensor.device();
        let lens: Vec<usize> = parameters.iter().map(|p| p.tensor.elements()).collect();
        for (p, place) in parameters.iter().zip(device.zeros_together(&lens)?) {
            p.tensor.set_gradient_place(place);
        }
        let state = |name| Ok((name, device.zeros_together(&lens)?));
        let own = |p: &Parameter| (p.name.clone(), p.tensor.buffer().clone());
        let mut optimizer = Optimizer {
            rule,
            learning_rate,
            clip: Clip::default(),
            parameters: parameters.iter().map(own).collect(),
            states: rule
                .states()
                .into_iter()
                .map(state)
                .collect::<Result<_>>()?,
            present: vec![true; parameters.len()],
            runs: Vec::new(),
            one: device.upload(&[1.0])?,
            scale: device.upload(&[1.0])?,
            norm: device.upload(&[0.0])?,
            steps: 0,
        };
        optimizer.runs = optimizer.plan(parameters)?;
        Ok(optimizer)
    }

    /// Returns the optimizer with gradient clipping.
    ///
    /// # Errors
    /// A bound that is not above 0.
    pub fn with_clip(self, clip: Clip) -> Result<Self> {
        for (name, bound) in [("norm", clip.norm), ("value", clip.value)] {
            if let Some(bound) = bound.filter(|b| !(*b > 0.0 && b.is_finite())) {
                return Err(problem(format!("clipping by {name} to {bound}: no bound")));
            }
        }
        Ok(Optimizer { clip, ..self })
    }

    /// Returns the rule.
    pub fn rule(&self) -> &Rule {
        &self.rule
    }

    /// Returns the learning rate.
    pub fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    /// Sets the learning rate for the next steps.
    ///
    /// # Errors
    /// A rate that is negative or not finite; the old one is kept.
    pub fn set_learning_rate(&mut self, learning_rate: f64) -> Result<()> {
        check_learning_rate(learning_rate)?;
        self.learning_rate = learning_rate;
        Ok(())
    }

    /// Returns the number of steps taken: one count for all parameters, also for those without a gradient at some
    /// steps. (PyTorch counts per parameter, which affects Adam's bias correction of a parameter that skipped steps.)
    pub fn steps(&self) -> u32 {
        self.steps
    }

    /// Returns the norm of the last step's gradients, one value on the device; only with clipping by norm.
    pub fn gradient_norm(&self) -> Option<&Buffer> {
        self.clip.norm.map(|_| &self.norm)
    }

    /// Takes one step: updates the parameters in place. A parameter without a gradient is unchanged.
    ///
    /// # Errors
    /// Parameters other than those it was created for; any error of the device.
    pub fn step(&mut self, parameters: &[Parameter], gradients: &Gradients) -> Result<()> {
        let own = |(p, (name, buffer)): (&Parameter, &(String, Buffer))| {
            p.name == *name && p.tensor.buffer().same(buffer)
        };
        let pairs = parameters.iter().zip(&self.parameters);
        if parameters.len() != self.parameters.len() || !pairs.clone().all(own) {
            return Err(problem("these are not the parameters that it was made for"));
        }
        let found: Vec<Option<&Buffer>> = parameters
            .iter()
            .map(|p| gradients.get(&p.tensor).map(|g| g.buffer()))
            .collect();
        if found
            .iter()
            .map(|f| f.is_some())
            .ne(self.present.iter().copied())
        {
            self.present = found.iter().map(Option::is_some).collect();
            self.runs = self.plan(parameters)?;
        }
        self.steps = self.steps.saturating_add(1);
        if self.runs.is_empty() {
            return Ok(());
        }
        let gathered = |run: &Run| run.gathered(parameters, &found);
        let gradients: Vec<Buffer> = self.runs.iter().map(gathered).collect::<Result<_>>()?;
        let device = self.one.device();
        let scale = match self.clip.norm {
            None => &self.one,
            Some(max_norm) => {
                let kernel = ClipNorm {
                    lens: gradients.iter().map(Buffer::len).collect(),
                    max_norm,
                };
                let inputs: Vec<&Buffer> = gradients.iter().collect();
                device.launch(&kernel, &inputs, &[&self.scale, &self.norm])?;
                &self.scale
            }
        };
        let limit = self.clip.value.unwrap_or(f64::INFINITY);
        for (run, gradient) in self.runs.iter().zip(&gradients) {
            let kernel = self
                .rule
                .kernel(gradient.len(), self.learning_rate, limit, self.steps);
            let updated: Vec<&Buffer> = run.updated.iter().collect();
            device.launch(&*kernel, &[gradient, scale, &run.penalty], &updated)?;
        }
        Ok(())
    }

    /// Returns the launches for the present parameters: one for each contiguous range.
    fn plan(&self, parameters: &[Parameter]) -> Result<Vec<Run>> {
        // Where some are frozen, states begin a new block at another parameter than the parameters do.
        let own: Vec<&Buffer> = self.parameters.iter().map(|(_, b)| b).collect();
        let states = self
            .states
            .iter()
            .map(|(_, buffers)| buffers.iter().collect());
        let all: Vec<Vec<&Buffer>> = std::iter::once(own).chain(states).collect();
        let together = |range: Range<usize>| {
            let joined = |buffers: &Vec<&Buffer>| Buffer::join(&buffers[range.clone()]).is_some();
            all.iter().all(joined)
        };
        let mut runs = Vec::new();
        let mut first = 0;
        while first < self.present.len() {
            if !self.present[first] {
                first += 1;
                continue;
            }
            let mut range = first..first + 1;
            while self.present.get(range.end) == Some(&true) && together(first..range.end + 1) {
                range.end += 1;
            }
            first = range.end;
            runs.push(self.run(range, parameters)?);
        }
        Ok(runs)
    }

    fn run(&self, range: Range<usize>, parameters: &[Parameter]) -> Result<Run> {
        let apart = || problem("the parameters of one launch do not lie together");
        let own: Vec<&Buffer> = self.parameters[range.clone()]
            .iter()
            .map(|(_, b)| b)
            .collect();
        let p = Buffer::join(&own).ok_or_else(apart)?;
        let penalty: Vec<f32> = parameters[range.clone()]
            .iter()
            .flat_map(|p| {
                let penalty = self.rule.penalty() + 2.0 * f64::from(p.l2);
                let blocks = p
                    .tensor
                    .elements()
                    .max(1)
                    .div_ceil(kernels::gradient::BLOCK);
                vec![penalty as f32; blocks]
            })
            .collect();
        let penalty = p.device().upload(&penalty)?;
        let mut updated = vec![p];
        for (_, buffers) in &self.states {
            let state: Vec<&Buffer> = buffers[range.clone()].iter().collect();
            let state = Buffer::join(&state).ok_or_else(apart)?;
            updated.push(state.first(updated[0].len()));
        }
        Ok(Run {
            parameters: range,
            updated,
            penalty,
        })
    }

    /// Returns the rule's state, as `m/NAME` and `v/NAME` for Adam, to be stored with [`Optimizer::steps`]. Each is
    /// flat, `[elements]`.
    ///
    /// # Errors
    /// Any error of the device.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn state(&self) -> Result<Weights> {
        let mut state = Weights::new();
        for (which, buffers) in &self.states {
            for ((name, _), buffer) in self.parameters.iter().zip(buffers) {
                let array = crate::network::Array {
                    shape: [buffer.len()].into(),
                    values: buffer.to_vec()?,
                };
                state.insert(format!("{which}/{name}"), array);
            }
        }
        Ok(state)
    }

    /// Restores a state from [`Optimizer::state`], after `steps` steps.
    ///
    /// # Errors
    /// Arrays that are missing, unexpected or of another length; then nothing is changed.
    pub fn set_state(&mut self, state: &Weights, steps: u32) -> Result<()> {
        let problem = |problem: String| Error::option("optimizer state", problem);
        let mut found = Vec::new();
        for (which, buffers) in &self.states {
            for ((name, _), buffer) in self.parameters.iter().zip(buffers) {
                let name = format!("{which}/{name}");
                let array = state
                    .get(&name)
                    .ok_or_else(|| problem(format!("`{name}` is missing")))?;
                if array.values.len() != buffer.len() {
                    let (is, should) = (array.values.len(), buffer.len());
                    return Err(problem(format!("`{name}` holds {is} values, not {should}")));
                }
                found.push((buffer, &array.values));
            }
        }
        if found.len() != state.len() {
            let (is, should) = (state.len(), found.len());
            return Err(problem(format!("{is} arrays, {should} expected")));
        }
        for (buffer, values) in found {
            buffer.device().write(buffer, values)?;
        }
        self.steps = steps;
        Ok(())
    }
}

fn check_learning_rate(learning_rate: f64) -> Result<()> {
    match learning_rate.is_finite() && learning_rate >= 0.0 {
        true => Ok(()),
        false => Err(problem(format!(
            "learning_rate = {learning_rate} is out of range"
        ))),
    }
}

fn problem(problem: impl Into<String>) -> Error {
    Error::option("optimizer", problem)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::Tensor;
    use kernels::Device;

    /// As where a state's block ends at another parameter than theirs: which are frozen decides that.
    #[test]
    fn a_launch_ends_where_a_state_begins_a_new_block() {
        let device = Device::cpu();
        let buffers = device.zeros_together(&[3, 70, 5]).unwrap();
        let parameter = |(number, buffer): (usize, Buffer)| Parameter {
            name: number.to_string(),
            tensor: Tensor::from_buffer(buffer.clone(), [buffer.len()]).unwrap(),
            l2: 0.0,
        };
        let parameters: Vec<_> = buffers.into_iter().enumerate().map(parameter).collect();
        let mut optimizer = Optimizer::new(&parameters, Rule::default(), 1e-3).unwrap();
        assert_eq!(optimizer.runs.len(), 1);
        let [one, others] = [&[3][..], &[70, 5]].map(|lens| device.zeros_together(lens).unwrap());
        optimizer.states[1].1 = [one, others].concat();
        let runs = optimizer.plan(&parameters).unwrap();
        let ranges: Vec<_> = runs.iter().map(|run| run.parameters.clone()).collect();
        assert_eq!(ranges, [0..1, 1..3]);
    }
}
