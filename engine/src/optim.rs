//! Adam, with L2 as PyTorch and Keras have it.
//!
//! `m` and `v` are running means of the gradient and its square; a step is `lr · m̂ / (√v̂ + eps)`, where the hats undo
//! the bias of means that start at zero. L2 is added to the gradient (`torch.optim.Adam`, not AdamW):
//! `weight_decay · w` for every parameter, and `2·l2·w` for the weight of a layer with an `l2` of its own, which is the
//! gradient of the `l2 · Σ w²` that Keras adds to the loss. Neither shows in the loss that is reported.

use crate::error::{Error, Result};
use crate::network::{Parameter, Weights};
use crate::tape::Gradients;
use kernels::Buffer;
use serde::{Deserialize, Serialize};

/// Adam's hyper-parameters; the default is PyTorch's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdamSettings {
    /// The learning rate.
    pub learning_rate: f64,
    /// How slowly the mean of the gradient follows.
    pub beta1: f64,
    /// How slowly the mean of its square follows.
    pub beta2: f64,
    /// Keeps the step finite.
    pub eps: f64,
    /// L2 on every parameter, biases too.
    pub weight_decay: f64,
}

impl Default for AdamSettings {
    fn default() -> Self {
        AdamSettings {
            learning_rate: 1e-3,
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-8,
            weight_decay: 0.0,
        }
    }
}

/// The optimizer Adam (Kingma & Ba 2015) with its state.
#[derive(Debug)]
pub struct Adam {
    settings: AdamSettings,
    /// Of every parameter, in their order.
    moments: Vec<Moments>,
    steps: u32,
}

#[derive(Debug)]
struct Moments {
    name: String,
    m: Buffer,
    v: Buffer,
}

impl Adam {
    /// For these parameters, at step 0.
    pub fn new(parameters: &[Parameter], settings: AdamSettings) -> Result<Self> {
        settings.check()?;
        let moments = |p: &Parameter| -> Result<Moments> {
            let zeros = vec![0.0; p.tensor.elements()];
            let device = p.tensor.device();
            Ok(Moments {
                name: p.name.clone(),
                m: device.upload(&zeros)?,
                v: device.upload(&zeros)?,
            })
        };
        Ok(Adam {
            settings,
            moments: parameters.iter().map(moments).collect::<Result<_>>()?,
            steps: 0,
        })
    }

    /// The hyper-parameters.
    pub fn settings(&self) -> &AdamSettings {
        &self.settings
    }

    /// Another learning rate from here on.
    pub fn set_learning_rate(&mut self, learning_rate: f64) -> Result<()> {
        let settings = AdamSettings {
            learning_rate,
            ..self.settings
        };
        settings.check()?;
        self.settings = settings;
        Ok(())
    }

    /// How many steps were taken.
    pub fn steps(&self) -> u32 {
        self.steps
    }

    /// One step: changes the parameters in place. One without a gradient stays as it is.
    ///
    /// # Errors
    /// Other parameters than those it was made for; whatever the device refuses.
    pub fn step(&mut self, parameters: &[Parameter], gradients: &Gradients) -> Result<()> {
        let s = self.settings;
        self.check_names(parameters.iter().map(|p| p.name.as_str()))?;
        self.steps = self.steps.saturating_add(1);
        for (p, moments) in parameters.iter().zip(&self.moments) {
            let Some(gradient) = gradients.get(&p.tensor) else {
                continue;
            };
            let kernel = kernels::adam::Adam {
                len: p.tensor.elements(),
                lr: s.learning_rate,
                beta1: s.beta1,
                beta2: s.beta2,
                eps: s.eps,
                weight_decay: s.weight_decay + 2.0 * f64::from(p.l2),
                step: self.steps,
            };
            let updated = [p.tensor.buffer(), &moments.m, &moments.v];
            p.tensor
                .device()
                .launch(&kernel, &[gradient.buffer()], &updated)?;
        }
        Ok(())
    }

    /// The moments, as `m/NAME` and `v/NAME`, to be stored beside [`Adam::steps`].
    #[cfg(not(target_arch = "wasm32"))]
    pub fn state(&self) -> Result<Weights> {
        let mut state = Weights::new();
        for moments in &self.moments {
            for (which, buffer) in [("m", &moments.m), ("v", &moments.v)] {
                let array = crate::network::Array {
                    shape: [buffer.len()].into(),
                    values: buffer.to_vec()?,
                };
                state.insert(format!("{which}/{}", moments.name), array);
            }
        }
        Ok(state)
    }

    /// Goes on from a state that [`Adam::state`] gave, after `steps` steps.
    ///
    /// # Errors
    /// Moments that are missing, too many or of another length; nothing is changed then.
    pub fn set_state(&mut self, state: &Weights, steps: u32) -> Result<()> {
        let problem = |problem: String| Error::Option {
            operation: "adam state",
            problem,
        };
        let mut found = Vec::new();
        for moments in &self.moments {
            for (which, buffer) in [("m", &moments.m), ("v", &moments.v)] {
                let name = format!("{which}/{}", moments.name);
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
            return Err(problem(format!("{is} moments, {should} expected")));
        }
        for (buffer, values) in found {
            buffer.device().write(buffer, values)?;
        }
        self.steps = steps;
        Ok(())
    }

    fn check_names<'a>(&self, names: impl ExactSizeIterator<Item = &'a str>) -> Result<()> {
        let own = self.moments.iter().map(|moments| moments.name.as_str());
        if names.len() == own.len() && names.eq(own) {
            return Ok(());
        }
        Err(Error::Option {
            operation: "adam",
            problem: "these are not the parameters that it was made for".into(),
        })
    }
}

impl AdamSettings {
    /// Whether every number is in its range.
    pub fn check(&self) -> Result<()> {
        let not_negative = |x: f64| x.is_finite() && x >= 0.0;
        let ranges = [
            (
                "learning_rate",
                self.learning_rate,
                not_negative(self.learning_rate),
            ),
            ("beta1", self.beta1, (0.0..1.0).contains(&self.beta1)),
            ("beta2", self.beta2, (0.0..1.0).contains(&self.beta2)),
            ("eps", self.eps, not_negative(self.eps)),
            (
                "weight_decay",
                self.weight_decay,
                not_negative(self.weight_decay),
            ),
        ];
        match ranges.iter().find(|(_, _, fine)| !fine) {
            None => Ok(()),
            Some((name, value, _)) => Err(Error::Option {
                operation: "adam",
                problem: format!("{name} = {value} is out of range"),
            }),
        }
    }
}
