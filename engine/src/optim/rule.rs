//! Rules of optimizers: their settings, and the kernel of each.
//!
//! In a recipe a rule is a name, `"sgd"`, or a table with its settings, `{ kind = "sgd", momentum = 0.9 }`.
//! Names, defaults and definitions are PyTorch's.

use crate::error::{Error, Result};
use kernels::Kernel;
use serde::de::value::{MapAccessDeserializer, MapDeserializer};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Update rule of an optimizer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self", tag = "kind", rename_all = "lowercase")]
pub enum Rule {
    /// Stochastic gradient descent.
    Sgd(Sgd),
    /// RMSprop: steps divided by the root of the gradient's running mean square.
    RmsProp(RmsProp),
    /// Adam: steps along the gradient's running mean, divided by the root of its running mean square.
    Adam(Adam),
    /// Adam with decoupled weight decay.
    AdamW(AdamW),
}

/// `torch.optim.SGD` without dampening.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sgd {
    /// Momentum: fraction of the velocity kept at each step.
    pub momentum: f64,
    /// Whether to use Nesterov momentum.
    pub nesterov: bool,
    /// L2 penalty of every parameter, including biases.
    pub weight_decay: f64,
}

/// `torch.optim.RMSprop`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RmsProp {
    /// Smoothing constant of the running mean square.
    pub alpha: f64,
    /// Small number added to the denominator.
    pub eps: f64,
    /// Momentum: fraction of the velocity kept at each step.
    pub momentum: f64,
    /// Whether to divide by the variance of the gradients instead of their mean square.
    pub centered: bool,
    /// L2 penalty of every parameter, including biases.
    pub weight_decay: f64,
}

/// `torch.optim.Adam` (Kingma & Ba 2015).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Adam {
    /// Decay of the running mean of the gradient.
    pub beta1: f64,
    /// Decay of the running mean of its square.
    pub beta2: f64,
    /// Small number added to the denominator.
    pub eps: f64,
    /// L2 penalty of every parameter, including biases.
    pub weight_decay: f64,
}

/// `torch.optim.AdamW` (Loshchilov & Hutter 2019).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdamW {
    /// Decay of the running mean of the gradient.
    pub beta1: f64,
    /// Decay of the running mean of its square.
    pub beta2: f64,
    /// Small number added to the denominator.
    pub eps: f64,
    /// Decoupled weight decay: subtracted from every parameter at each step, times the learning rate.
    pub weight_decay: f64,
}

impl Default for RmsProp {
    fn default() -> Self {
        RmsProp {
            alpha: 0.99,
            eps: 1e-8,
            momentum: 0.0,
            centered: false,
            weight_decay: 0.0,
        }
    }
}

impl Default for Adam {
    fn default() -> Self {
        Adam {
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-8,
            weight_decay: 0.0,
        }
    }
}

impl Default for AdamW {
    fn default() -> Self {
        AdamW {
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-8,
            weight_decay: 0.01,
        }
    }
}

impl Default for Rule {
    fn default() -> Self {
        Rule::Adam(Adam::default())
    }
}

macro_rules! from {
    ($($name:ident)*) => {$(
        impl From<$name> for Rule {
            fn from(settings: $name) -> Self {
                Rule::$name(settings)
            }
        }
    )*};
}
from!(Sgd RmsProp Adam AdamW);

impl Rule {
    /// Returns `sgd`, `rmsprop`, `adam` or `adamw`.
    pub fn name(&self) -> &'static str {
        match self {
            Rule::Sgd(_) => "sgd",
            Rule::RmsProp(_) => "rmsprop",
            Rule::Adam(_) => "adam",
            Rule::AdamW(_) => "adamw",
        }
    }

    /// Checks that every number is in its range.
    pub fn check(&self) -> Result<()> {
        let problem = |problem: String| Error::option(self.name(), problem);
        let decay = self.penalty();
        if !(decay.is_finite() && decay >= 0.0) {
            return Err(problem(format!("weight_decay = {decay} is out of range")));
        }
        self.kernel(1, 1e-3, f64::INFINITY, 1)
            .check()
            .map_err(|error| match error {
                kernels::Error::Shape { message, .. } => problem(message),
                error => error.into(),
            })
    }

    /// Returns the kernel of one step over `len` parameters.
    pub(super) fn kernel(&self, len: usize, lr: f64, limit: f64, step: u32) -> Box<dyn Kernel> {
        let adam = |beta1, beta2, eps, weight_decay| kernels::adam::Adam {
            len,
            lr,
            beta1,
            beta2,
            eps,
            weight_decay,
            limit,
            step,
        };
        match *self {
            Rule::Sgd(s) => Box::new(kernels::sgd::Sgd {
                len,
                lr,
                momentum: s.momentum,
                nesterov: s.nesterov,
                limit,
            }),
            Rule::RmsProp(s) => Box::new(kernels::rmsprop::RmsProp {
                len,
                lr,
                alpha: s.alpha,
                eps: s.eps,
                momentum: s.momentum,
                centered: s.centered,
                limit,
            }),
            Rule::Adam(s) => Box::new(adam(s.beta1, s.beta2, s.eps, 0.0)),
            Rule::AdamW(s) => Box::new(adam(s.beta1, s.beta2, s.eps, s.weight_decay)),
        }
    }

    /// Returns the names of the state per parameter: the kernel's outputs after `p`.
    pub(super) fn states(&self) -> Vec<&'static str> {
        let outputs = self.kernel(1, 0.0, f64::INFINITY, 1).outputs();
        outputs[1..].iter().map(|arg| arg.name).collect()
    }

    /// Returns the L2 penalty of all parameters.
    pub(super) fn penalty(&self) -> f64 {
        match *self {
            Rule::Sgd(s) => s.weight_decay,
            Rule::RmsProp(s) => s.weight_decay,
            Rule::Adam(s) => s.weight_decay,
            Rule::AdamW(_) => 0.0,
        }
    }
}

impl Serialize for Rule {
    /// Serialises to the name alone if all settings are defaults.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let usual = [
            Rule::Sgd(Sgd::default()),
            Rule::RmsProp(RmsProp::default()),
            Rule::Adam(Adam::default()),
            Rule::AdamW(AdamW::default()),
        ];
        match usual.contains(self) {
            true => serializer.serialize_str(self.name()),
            false => Rule::serialize(self, serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Rule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameOrTable;
        impl<'de> Visitor<'de> for NameOrTable {
            type Value = Rule;

            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("an optimizer's name, or a table with its `kind` and settings")
            }

            fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Rule, E> {
                Rule::deserialize(MapDeserializer::new([("kind", name)].into_iter()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Rule, A::Error> {
                Rule::deserialize(MapAccessDeserializer::new(map))
            }
        }
        deserializer.deserialize_any(NameOrTable)
    }
}
