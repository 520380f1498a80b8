//! Shape inference: the tree of layers as a list of steps, each with its path, shapes, parameters and work.
//!
//! The list is a graph in the order of execution: a step says whose outputs it reads. Where layers follow one another
//! that is the step before; where branches part and join again, it is an earlier one, or several.

use super::layer::{Conv2d, Dropout, Function, Kind, Layer, Linear, MaxPool2d};
use super::recurrent::Sizes;
use super::size::Units;
use super::{Architecture, arrange, normalisation, pooling, sideways};
use crate::error::{Error, Result};
use crate::ops::{
    ConvOptions, LocalResponseNormOptions, PoolOptions, RecurrentOptions, ResizeMode,
};
use crate::shape::Shape;
use kernels::Kernel;
use kernels::rearrange::MAX_AXES;
use std::collections::HashSet;
use std::ops::Range;

/// An architecture with everything worked out. Shapes are of one example.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub input: Shape,
    pub steps: Vec<Step>,
    pub parameters: Vec<ParameterSpec>,
}

/// What a step reads: the output of an earlier step, by its number, or (`None`) the network's input.
pub(crate) type Source = Option<usize>;

/// One layer that computes something.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub path: String,
    pub kind: &'static str,
    pub operation: Operation,
    /// What it reads; more than one where branches join.
    pub inputs: Vec<Source>,
    pub output: Shape,
    /// Its weight, then its bias, among the plan's parameters.
    pub parameters: Range<usize>,
    pub multiply_adds: u64,
}

/// What a step does, with all sizes worked out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Operation {
    Conv2d(ConvOptions, Option<Function>),
    MaxPool2d(PoolOptions),
    AvgPool2d(PoolOptions, bool),
    GlobalAvgPool,
    GlobalMaxPool,
    BatchNorm {
        eps: f64,
        momentum: f64,
    },
    LocalResponseNorm(LocalResponseNormOptions),
    Activation(Function),
    Linear(Option<Function>),
    Recurrent(Sizes, RecurrentOptions),
    Flatten,
    Dropout(f32),
    /// The order of all axes, the batch among them; what is behind the last stays.
    Permute([usize; MAX_AXES]),
    /// To the step's output shape.
    Reshape,
    /// Along height and width, before and after; the value.
    Pad2d([[i64; 2]; 2], f32),
    Resize([usize; 2], ResizeMode),
    Softmax,
    /// Of all inputs, along this axis of an example.
    Concat(usize),
    /// Of all inputs.
    Add,
}

impl Operation {
    /// Whether it only shows its input's numbers under another shape.
    pub fn is_view(self) -> bool {
        matches!(self, Operation::Flatten | Operation::Reshape)
    }

    /// Whether it keeps its input for the way back, and whether its output.
    pub fn keeps(self) -> (bool, bool) {
        match self {
            Operation::Conv2d(_, own) | Operation::Linear(own) => (true, own.is_some()),
            Operation::Activation(function) => {
                let output = function.fused().is_some();
                (!output, output)
            }
            Operation::Softmax => (false, true),
            Operation::BatchNorm { .. }
            | Operation::LocalResponseNorm(_)
            | Operation::Recurrent(..) => (true, false),
            Operation::MaxPool2d(_)
            | Operation::AvgPool2d(..)
            | Operation::GlobalAvgPool
            | Operation::GlobalMaxPool
            | Operation::Flatten
            | Operation::Dropout(_)
            | Operation::Permute(_)
            | Operation::Reshape
            | Operation::Pad2d(..)
            | Operation::Resize(..)
            | Operation::Concat(_)
            | Operation::Add => (false, false),
        }
    }

    /// Whether it works on images; a 1-D layer's input is one of height 1.
    pub fn is_2d(self) -> bool {
        use Operation::{AvgPool2d, Conv2d, MaxPool2d};
        matches!(self, Conv2d(..) | MaxPool2d(_) | AvgPool2d(..))
    }
}

/// A parameter before it has numbers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ParameterSpec {
    pub name: String,
    pub shape: Shape,
    pub start: Start,
    pub l2: f32,
    /// Whether it is learned. What is not is state: training forward keeps it, model files carry it, optimizers and
    /// counts leave it out.
    pub learned: bool,
}

/// What a parameter starts from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Start {
    /// Uniform in `[-bound, bound)`.
    Uniform(f32),
    /// The same number everywhere.
    Constant(f32),
}

impl Plan {
    pub fn output(&self) -> &Shape {
        self.shape(self.steps.len().checked_sub(1))
    }

    /// The shape of what a source gives.
    pub fn shape(&self, source: Source) -> &Shape {
        source.map_or(&self.input, |step| &self.steps[step].output)
    }

    /// For each step, the last one that reads its output.
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
    /// and a convolution with the pooling behind that, where nobody else reads what lies between.
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
            if let (true, Some(Operation::MaxPool2d(_))) = (pools, next(end)) {
                end += 1;
            }
            groups.push(start..end);
            start = end;
        }
        groups
    }
}

impl Architecture {
    /// Works everything out.
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

/// Elements of a shape, where 32-bit indices reach them.
pub(super) fn elements(shape: &[usize]) -> Option<usize> {
    let product = shape
        .iter()
        .try_fold(1usize, |n, &axis| n.checked_mul(axis));
    product.filter(|&n| n < 1 << 31)
}

/// Adds the steps of layers that follow one another from `source` on; what they give in the end.
fn add(plan: &mut Plan, mut source: Source, prefix: &str, layers: &[Layer]) -> Result<Source> {
    let mut taken = HashSet::new();
    for (position, layer) in layers.iter().enumerate() {
        let alike = layers[..position]
            .iter()
            .filter(|l| l.kind.stem() == layer.kind.stem())
            .count();
        let name = match &layer.name {
            Some(name) => name.clone(),
            None => format!("{}{}", layer.kind.stem(), alike + 1),
        };
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
        if let Kind::Sequential(block) = &layer.kind {
            source = add(plan, source, &format!("{path}/"), &block.layers)?;
            continue;
        }
        if let Kind::Parallel(parallel) = &layer.kind {
            let branches = parallel.branches.iter().zip(1..);
            let add = |(layers, i): (&Vec<Layer>, usize)| {
                add(plan, source, &format!("{path}/branch{i}/"), layers)
            };
            let inputs: Vec<Source> = branches.map(add).collect::<Result<_>>()?;
            let shapes: Vec<&[usize]> = inputs.iter().map(|&i| &plan.shape(i)[..]).collect();
            let found = arrange::join(parallel, &shapes).map_err(|error| error.at(&path))?;
            source = Some(plan.steps.len());
            let step = finish(plan, inputs, &path, layer, found)?;
            plan.steps.push(step);
            continue;
        }
        let step = step(plan, source, &path, layer).map_err(|error| error.at(&path))?;
        source = Some(plan.steps.len());
        plan.steps.push(step);
    }
    Ok(source)
}

/// What a layer makes of its input: operation, output, parameters (named within the layer) and work.
pub(super) struct Inferred {
    pub operation: Operation,
    pub output: Shape,
    pub parameters: Vec<ParameterSpec>,
    pub multiply_adds: u64,
}

impl Inferred {
    pub(super) fn plain(operation: Operation, output: Shape) -> Self {
        Inferred {
            operation,
            output,
            parameters: Vec::new(),
            multiply_adds: 0,
        }
    }
}

fn step(plan: &mut Plan, source: Source, path: &str, layer: &Layer) -> Result<Step> {
    let input = plan.shape(source).clone();
    let found = match &layer.kind {
        Kind::Conv2d(conv) => conv2d(conv, &input)?,
        Kind::MaxPool2d(pool) => max_pool2d(pool, &input)?,
        Kind::AvgPool2d(pool) => pooling::avg_pool2d(pool, &input)?,
        Kind::GlobalAvgPool(_) => pooling::global(Operation::GlobalAvgPool, &input)?,
        Kind::GlobalMaxPool(_) => pooling::global(Operation::GlobalMaxPool, &input)?,
        Kind::BatchNorm(norm) => normalisation::batch_norm(norm, &input)?,
        Kind::LocalResponseNorm(norm) => normalisation::local_response_norm(norm, &input)?,
        Kind::Linear(linear) => linear_layer(linear, &input)?,
        Kind::Dropout(Dropout { p }) if !(0.0..1.0).contains(p) => {
            let problem = format!("p = {p} is not in [0, 1)");
            return Err(Error::Option {
                operation: "dropout",
                problem,
            });
        }
        Kind::Dropout(Dropout { p }) => Inferred::plain(Operation::Dropout(*p), input),
        Kind::Activation(a) => Inferred::plain(Operation::Activation(a.function), input),
        Kind::Flatten(_) => Inferred::plain(Operation::Flatten, [input.elements()].into()),
        Kind::Permute(permute) => arrange::permute(permute, &input)?,
        Kind::Reshape(reshape) => arrange::reshape(reshape, &input)?,
        Kind::Pad2d(pad) => arrange::pad2d(pad, &input)?,
        Kind::Resize(resize) => arrange::resize(resize, &input)?,
        Kind::Softmax(_) => Inferred::plain(Operation::Softmax, input),
        Kind::Conv1d(conv) => sideways::conv1d(conv, &input)?,
        Kind::MaxPool1d(pool) => sideways::max_pool1d(pool, &input)?,
        Kind::Gru(gru) => gru.infer(&input)?,
        Kind::Lstm(lstm) => lstm.infer(&input)?,
        Kind::AvgPool1d(pool) => sideways::avg_pool1d(pool, &input)?,
        Kind::Sequential(_) | Kind::Parallel(_) => {
            unreachable!("its layers are added one by one")
        }
    };
    finish(plan, vec![source], path, layer, found)
}

/// The step, with its parameters in the plan.
fn finish(
    plan: &mut Plan,
    inputs: Vec<Source>,
    path: &str,
    layer: &Layer,
    found: Inferred,
) -> Result<Step> {
    let start = plan.parameters.len();
    let named = |spec: ParameterSpec| ParameterSpec {
        name: format!("{path}.{}", spec.name),
        ..spec
    };
    plan.parameters
        .extend(found.parameters.into_iter().map(named));
    Ok(Step {
        path: path.to_string(),
        kind: layer.kind.name(),
        operation: found.operation,
        inputs,
        output: found.output,
        parameters: start..plan.parameters.len(),
        multiply_adds: found.multiply_adds,
    })
}

/// A weight and perhaps a bias, both uniform within `1 / √fan_in` as PyTorch starts them
/// (`kaiming_uniform(a = √5)` comes to the same).
fn weight_and_bias(weight: Shape, bias: bool, l2: f32) -> Result<Vec<ParameterSpec>> {
    let outputs = weight[0];
    let fan_in = (weight.elements() / outputs.max(1)).max(1);
    let bound = 1.0 / (fan_in as f32).sqrt();
    let mut specs = vec![uniform("weight", weight, bound, l2)?];
    if bias {
        specs.push(uniform("bias", [outputs].into(), bound, 0.0)?);
    }
    Ok(specs)
}

/// A parameter that starts uniform in `[-bound, bound)` and is learned.
pub(super) fn uniform(name: &str, shape: Shape, bound: f32, l2: f32) -> Result<ParameterSpec> {
    if elements(&shape).is_none() {
        return Err(Error::shape(
            "weight",
            &shape,
            "has more than 2^31 elements",
        ));
    }
    if !(l2.is_finite() && l2 >= 0.0) {
        let problem = format!("l2 = {l2} is no weight of a penalty");
        return Err(Error::Option {
            operation: "l2",
            problem,
        });
    }
    Ok(ParameterSpec {
        name: name.to_string(),
        shape,
        start: Start::Uniform(bound),
        l2,
        learned: true,
    })
}

pub(super) fn chw(operation: &'static str, input: &Shape) -> Result<[usize; 3]> {
    <[usize; 3]>::try_from(&input[..])
        .map_err(|_| Error::shape(operation, input, "is not [c, h, w]"))
}

pub(super) fn conv2d(layer: &Conv2d, input: &Shape) -> Result<Inferred> {
    let [c, h, w] = chw("conv2d", input)?;
    let axis = |i: usize, length: usize| {
        let reach = layer.dilation[i]
            .saturating_mul(layer.kernel[i].saturating_sub(1))
            .saturating_add(1);
        layer.padding.resolve(i, length, reach, layer.stride[i])
    };
    let options = ConvOptions {
        stride: layer.stride,
        pad: [axis(0, h), axis(1, w)],
        dilation: layer.dilation,
        groups: layer.groups,
        activation: kernels::Activation::None,
    };
    let kernel = kernels::conv2d::Conv2d {
        stride: options.stride,
        pad: options.pad,
        dilation: options.dilation,
        groups: options.groups,
        ..kernels::conv2d::Conv2d::new([1, c, h, w], layer.out_channels, layer.kernel)
    };
    kernel.check()?;
    let [oh, ow] = kernel.out();
    let [kh, kw] = layer.kernel;
    Ok(Inferred {
        operation: Operation::Conv2d(options, layer.activation),
        output: [layer.out_channels, oh, ow].into(),
        parameters: weight_and_bias(
            [layer.out_channels, c / layer.groups, kh, kw].into(),
            layer.bias,
            layer.l2,
        )?,
        multiply_adds: kernel.flops() / 2,
    })
}

pub(super) fn max_pool2d(layer: &MaxPool2d, input: &Shape) -> Result<Inferred> {
    let [c, h, w] = chw("max_pool2d", input)?;
    let stride = layer.stride.unwrap_or(layer.kernel);
    let axis =
        |i: usize, length: usize| layer.padding.resolve(i, length, layer.kernel[i], stride[i]);
    let options = PoolOptions {
        kernel: layer.kernel,
        stride,
        pad: [axis(0, h), axis(1, w)],
    };
    let kernel = kernels::max_pool2d::MaxPool2d {
        n: 1,
        c,
        h,
        w,
        kernel: options.kernel,
        stride: options.stride,
        pad: options.pad,
    };
    kernel.check()?;
    let [oh, ow] = kernel.output();
    Ok(Inferred::plain(
        Operation::MaxPool2d(options),
        [c, oh, ow].into(),
    ))
}

fn linear_layer(layer: &Linear, input: &Shape) -> Result<Inferred> {
    let Units::Number(units) = layer.out_features else {
        let problem = "out_features is \"classes\", and nobody has said how many there are".into();
        return Err(Error::Option {
            operation: "linear",
            problem,
        });
    };
    let (Some(&features), true) = (input.last(), units > 0) else {
        return Err(Error::shape(
            "linear",
            input,
            format!("cannot become {units} features"),
        ));
    };
    let mut output = input.to_vec();
    output.pop();
    output.push(units);
    if elements(&output).is_none() {
        return Err(Error::shape(
            "linear",
            &output,
            "has more than 2^31 elements",
        ));
    }
    let weight = Shape::from([units, features]);
    let rows = input.elements() / features.max(1);
    Ok(Inferred {
        operation: Operation::Linear(layer.activation),
        output: output.into(),
        multiply_adds: rows as u64 * units as u64 * features as u64,
        parameters: weight_and_bias(weight, layer.bias, layer.l2)?,
    })
}
