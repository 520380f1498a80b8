//! Weights from elsewhere, taken over as far as they fit, and layers that no longer learn.

use super::{Network, Weights};
use crate::error::{Result, list};
use crate::shape::Shape;

/// What became of weights from elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Loaded {
    /// The network's arrays that were taken over.
    pub taken: Vec<String>,
    /// The network's arrays that keep the numbers they had.
    pub kept: Vec<String>,
    /// Arrays from elsewhere that the network does not have.
    pub unused: Vec<String>,
    /// Arrays of both that keep the numbers they had, with the shape elsewhere and the shape in the network.
    pub mismatched: Vec<(String, Shape, Shape)>,
}

impl std::fmt::Display for Loaded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let all = self.taken.len() + self.kept.len() + self.mismatched.len();
        write!(f, "{} of {all} arrays taken over", self.taken.len())?;
        let shapes = |(name, there, here): &(String, Shape, Shape)| {
            format!("`{name}` (is {there}, not {here})")
        };
        let quoted = |names: &[String]| names.iter().map(|name| format!("`{name}`")).collect();
        let groups: [(&str, Vec<String>); 3] = [
            (
                "of another shape",
                self.mismatched.iter().map(shapes).collect(),
            ),
            ("not in the file", quoted(&self.kept)),
            ("not in the network", quoted(&self.unused)),
        ];
        for (what, names) in groups.into_iter().filter(|(_, names)| !names.is_empty()) {
            write!(f, "; {what}: {}", list(names.into_iter()))?;
        }
        Ok(())
    }
}

impl Network {
    /// Takes over what fits by name and shape, running statistics too; everything else stays as it is. What became of
    /// each is told.
    ///
    /// # Errors
    /// An array of those taken over that holds other than as many finite numbers as its shape says; whatever the device
    /// refuses.
    pub fn load(&mut self, weights: &Weights) -> Result<Loaded> {
        let mut loaded = Loaded::default();
        for (spec, tensor) in self.plan.parameters.iter().zip(&self.numbers) {
            let name = spec.name.clone();
            match weights.get(&name) {
                None => loaded.kept.push(name),
                Some(array) if array.shape != spec.shape => {
                    let (there, here) = (array.shape.clone(), spec.shape.clone());
                    loaded.mismatched.push((name, there, here));
                }
                Some(array) => {
                    array.check(&name)?;
                    self.device.write(tensor.buffer(), &array.values)?;
                    loaded.taken.push(name);
                }
            }
        }
        let known = |name: &String| self.plan.parameters.iter().any(|spec| spec.name == *name);
        let unused = weights.keys().filter(|name| !known(name));
        loaded.unused = unused.cloned().collect();
        Ok(loaded)
    }

    /// Layers that learn no more, by their paths: `vgg16/block1_conv1`, or all below `vgg16`. Their parameters are not
    /// among [`Network::parameters`], no gradient is computed for them, and their BatchNorm goes by its running
    /// statistics, which stay, in training too (as in Keras).
    ///
    /// # Errors
    /// A path that no layer has.
    pub fn freeze(&mut self, paths: &[String]) -> Result<()> {
        for (step, frozen) in self.plan.frozen(paths)?.into_iter().enumerate() {
            self.frozen[step] |= frozen;
        }
        for (step, _) in self
            .plan
            .steps
            .iter()
            .zip(&self.frozen)
            .filter(|(_, frozen)| **frozen)
        {
            for number in step.parameters.clone() {
                let name = &self.plan.parameters[number].name;
                self.numbers[number] = self.numbers[number].detach();
                self.parameters.retain(|parameter| parameter.name != *name);
            }
        }
        Ok(())
    }
}
