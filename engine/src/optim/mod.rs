//! Optimizers: what moves the parameters once their gradients are known.
//!
//! A network's parameters lie one behind the other in one buffer, and so does what an optimizer keeps of them. The
//! optimizer also gives every parameter a place for its gradient, next to the others', where the backward pass writes
//! it at once. So a step is a single launch over all parameters, however many layers they belong to; clipping by norm is
//! one more, and its result never leaves the device. Gradients that come to lie elsewhere (a parameter that is used
//! twice, somebody who still holds those of an earlier step) are copied together first.
//!
//! A layer's own `l2` adds `2·l2·w` to the gradient of its weight, whatever the rule: the gradient of the `l2 · Σ w²` that
//! Keras adds to the loss. It does not show in the loss that is reported, and is not clipped.
//!
//! `rule.rs` holds the rules: SGD, RMSprop, Adam, AdamW; `run.rs` what one launch moves.

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

/// What is done to gradients before they are used: first by norm, then by value.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Clip {
    /// The largest norm of all gradients together (`torch.nn.utils.clip_grad_norm_`).
    pub norm: Option<f64>,
    /// The largest absolute value of any number (`clip_grad_value_`).
    pub value: Option<f64>,
}

/// A rule with its state over the parameters of one network.
#[derive(Debug)]
pub struct Optimizer {
    rule: Rule,
    learning_rate: f64,
    clip: Clip,
    /// Name and numbers of every parameter.
    parameters: Vec<(String, Buffer)>,
    /// What the rule keeps: its name, and a buffer for every parameter.
    states: Vec<(&'static str, Vec<Buffer>)>,
    /// Which parameters had a gradient at the last step, and the launches that this makes.
    present: Vec<bool>,
    runs: Vec<Run>,
    /// What gradients are multiplied with where they are not clipped: 1.
    one: Buffer,
    scale: Buffer,
    norm: Buffer,
    steps: u32,
}

impl Optimizer {
    /// For these parameters, at step 0. Their `l2` counts as it is now.
    ///
    /// # Errors
    /// No parameters; settings that make no sense; whatever the device refuses.
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

    /// The same with clipped gradients.
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

    /// By which rule.
    pub fn rule(&self) -> &Rule {
        &self.rule
    }

    /// How far a step goes.
    pub fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    /// Another learning rate from here on.
    ///
    /// # Errors
    /// One that is negative or no finite number; the old one stays.
    pub fn set_learning_rate(&mut self, learning_rate: f64) -> Result<()> {
        check_learning_rate(learning_rate)?;
        self.learning_rate = learning_rate;
        Ok(())
    }

    /// How many steps were taken: one count for all parameters, also for those that had no gradient at some of them.
    /// (PyTorch counts for each by itself, which shows in Adam's correction of a parameter that skipped steps.)
    pub fn steps(&self) -> u32 {
        self.steps
    }

    /// The norm of the last step's gradients, a single number on the device; only where they are clipped by norm.
    pub fn gradient_norm(&self) -> Option<&Buffer> {
        self.clip.norm.map(|_| &self.norm)
    }

    /// One step: changes the parameters in place. One without a gradient stays as it is.
    ///
    /// # Errors
    /// Other parameters than those it was made for; whatever the device refuses.
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

    /// The launches that the present parameters make: one for all that lie one behind the other.
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

    /// What the rule keeps, as `m/NAME` and `v/NAME` for Adam, to be stored beside [`Optimizer::steps`]. Each is flat,
    /// `[elements]`.
    ///
    /// # Errors
    /// What the device refuses.
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

    /// Goes on from a state that [`Optimizer::state`] gave, after `steps` steps.
    ///
    /// # Errors
    /// Arrays that are missing, too many or of another length; nothing is changed then.
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
