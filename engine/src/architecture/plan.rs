//! The tree of layers as a list of steps, each with its path, shapes, parameters and number of operations.
//!
//! The list is a graph in the order of execution: each step names the outputs that it reads. In a sequence that is the
//! step before; in branches it is an earlier one, or several.

use super::infer::infer;
use super::layer::{Kind, Layer, Parallel};
use super::operation::{Inferred, Operation, ParameterSpec, elements};
use super::{Architecture, named, nearest, reshaping};
use crate::error::{Error, Result};
use crate::ops::PoolOptions;
use crate::shape::Shape;
use std::collections::HashSet;
use std::ops::Range;

/// Maximum number of layers: the lifetime of each is computed against all others.
const MOST: usize = 4096;

/// An architecture with all shapes inferred. Shapes are of one example.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub input: Shape,
    pub steps: Vec<Step>,
    pub parameters: Vec<ParameterSpec>,
}

/// Input of a step: the output of an earlier step, by its number, or (`None`) the network's input.
pub(crate) type Source = Option<usize>;

/// A layer that computes something.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub path: String,
    pub kind: &'static str,
    pub operation: Operation,
    /// Inputs; more than one where branches join.
    pub inputs: Vec<Source>,
    pub output: Shape,
    /// Indices of its weight, then its bias, among the plan's parameters.
    pub parameters: Range<usize>,
    pub multiply_adds: u64,
}

impl Plan {
    pub fn output(&self) -> &Shape {
        self.shape(self.steps.len().checked_sub(1))
    }

    /// The fewest examples that a training step takes: 2 where a BatchNorm layer sees one number of each channel in an example
    /// (behind a Linear layer, say) and could tell no variance from a single one, else 1.
    pub fn smallest_batch(&self) -> usize {
        let single = |step: &Step| {
            let numbers = step.output.elements() / step.output.first().copied().unwrap_or(1).max(1);
            matches!(step.operation, Operation::BatchNorm { .. }) && numbers == 1
        };
        match self.steps.iter().any(single) {
            true => 2,
            false => 1,
        }
    }

    /// Returns the shape of a source.
    pub fn shape(&self, source: Source) -> &Shape {
        source.map_or(&self.input, |step| &self.steps[step].output)
    }

    /// Returns which steps are at these paths or below them.
    ///
    /// # Errors
    /// A path without a layer.
    pub fn frozen(&self, paths: &[String]) -> Result<Vec<bool>> {
        let mut frozen = vec![false; self.steps.len()];
        for path in paths {
            let below = |step: &Step| {
                let rest = step.path.strip_prefix(path.as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            if !self.steps.iter().any(below) {
                let like = nearest(path, self.steps.iter().map(|step| step.path.as_str()));
                let like = like.map_or(String::new(), |like| format!("; is it `{like}`?"));
                let problem = format!("no layer's path is `{path}`{like}");
                return Err(Error::option("freeze", problem));
            }
            let steps = self.steps.iter().zip(&mut frozen);
            steps.for_each(|(step, frozen)| *frozen |= below(step));
        }
        Ok(frozen)
    }

    /// Returns, for each step, the last step that reads its output.
    pub fn last_readers(&self) -> Vec<Option<usize>> {
        let mut last = vec![None; self.steps.len()];
        for (reader, step) in self.steps.iter().enumerate() {
            for &read in step.inputs.iter().flatten() {
                last[read] = Some(reader);
            }
        }
        last
    }

    /// The steps in the groups that run as one: a convolution, Linear or BatchNorm layer with the activation behind it,
    /// and a convolution with the pooling behind that, or with BatchNorm, activation and pooling, where nobody else reads
    /// what lies between.
    pub fn groups(&self) -> Vec<Range<usize>> {
        let last = self.last_readers();
        let next = |i: usize| {
            let step = self.steps.get(i)?;
            let before = i.checked_sub(1)?;
            (step.inputs == [Some(before)] && last[before] == Some(i)).then_some(step.operation)
        };
        let mut groups = Vec::new();
        let mut start = 0;
        while let Some(step) = self.steps.get(start) {
            let mut end = start + 1;
            let (joins, pools) = match step.operation {
                Operation::Conv2d(_, own) => {
                    (own.is_none(), own.is_none_or(|f| f.fused().is_some()))
                }
                Operation::Linear(own) => (own.is_none(), false),
                Operation::BatchNorm { .. } => (true, false),
                _ => (false, false),
            };
            if let (true, Some(Operation::Activation(f))) = (joins, next(end))
                && f.fused().is_some()
            {
                end += 1;
            }
            if pools {
                end = pooled(&next, end).unwrap_or(end);
            }
            groups.push(start..end);
            start = end;
        }
        groups
    }
}

/// Where the pooling behind a convolution ends, if there is one from `at` on: at once, or behind BatchNorm and its
/// activation, where its windows stand side by side.
fn pooled(next: &dyn Fn(usize) -> Option<Operation>, mut at: usize) -> Option<usize> {
    let normed = matches!(next(at), Some(Operation::BatchNorm { .. }));
    if normed {
        at += 1;
        if let Some(Operation::Activation(f)) = next(at)
            && f.fused().is_some()
        {
            at += 1;
        }
    }
    match next(at) {
        Some(Operation::MaxPool2d(pool)) if !normed || pool == PoolOptions::new(pool.kernel) => {
            Some(at + 1)
        }
        _ => None,
    }
}

impl Architecture {
    /// Infers all shapes.
    ///
    /// # Errors
    /// What does not fit, with the layer's path and both shapes.
    pub(crate) fn plan(&self) -> Result<Plan> {
        let input = Shape::from(&self.input[..]);
        if input.is_empty() || elements(&input).is_none_or(|n| n == 0) {
            return Err(Error::shape(
                "architecture",
                &input,
                "is no shape of an example (`input`)",
            ));
        }
        let mut plan = Plan {
            input,
            steps: Vec::new(),
            parameters: Vec::new(),
        };
        add(&mut plan, None, "", &self.layers)?;
        if plan.steps.is_empty() {
            return Err(Error::Architecture("there are no layers".into()));
        }
        Ok(plan)
    }
}

/// Adds the steps of a sequence of layers that starts at `source`; returns its output.
fn add(plan: &mut Plan, mut source: Source, prefix: &str, layers: &[Layer]) -> Result<Source> {
    let mut taken = HashSet::new();
    for (name, layer) in named(layers) {
        let path = format!("{prefix}{name}");
        if name.is_empty() || name.contains(['/', '.', ':']) {
            let problem = format!("layer name `{path}` is empty or holds one of / . :");
            return Err(Error::Architecture(problem));
        }
        if !taken.insert(name) {
            return Err(Error::Architecture(format!(
                "two layers are called `{path}`"
            )));
        }
        if plan.steps.len() == MOST {
            let problem = format!("more than {MOST} layers");
            return Err(Error::Architecture(problem));
        }
        if let Kind::Sequential(block) = &layer.kind {
            source = add(plan, source, &format!("{path}/"), &block.layers)?;
            continue;
        }
        let (inputs, found) = match &layer.kind {
            Kind::Parallel(parallel) => branches(plan, source, &path, parallel)?,
            _ => (vec![source], infer(layer, plan.shape(source))),
        };
        let found = found.map_err(|error| error.at(&path))?;
        source = Some(plan.steps.len());
        push(plan, inputs, path, layer, found);
    }
    Ok(source)
}

/// Adds the steps of branches and their combination; returns the output.
fn branches(
    plan: &mut Plan,
    source: Source,
    path: &str,
    parallel: &Parallel,
) -> Result<(Vec<Source>, Result<Inferred>)> {
    let mut inputs = Vec::new();
    for (layers, i) in parallel.branches.iter().zip(1..) {
        inputs.push(add(plan, source, &format!("{path}/branch{i}/"), layers)?);
    }
    let shapes: Vec<&[usize]> = inputs.iter().map(|&i| &plan.shape(i)[..]).collect();
    let found = reshaping::join(parallel, &shapes);
    Ok((inputs, found))
}

/// Adds a step and its parameters.
fn push(plan: &mut Plan, inputs: Vec<Source>, path: String, layer: &Layer, found: Inferred) {
    let start = plan.parameters.len();
    let named = |spec: ParameterSpec| ParameterSpec {
        name: format!("{path}.{}", spec.name),
        ..spec
    };
    let parameters = found.parameters.into_iter().map(named);
    plan.parameters.extend(parameters);
    plan.steps.push(Step {
        path,
        kind: layer.kind.name(),
        operation: found.operation,
        inputs,
        output: found.output,
        parameters: start..plan.parameters.len(),
        multiply_adds: found.multiply_adds,
    });
}
