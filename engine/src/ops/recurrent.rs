//! Recurrent layers along time: GRU and LSTM, one direction or both.
//!
//! Every gate reads `x_t·W_ihᵀ + b_ih` and `h·W_hhᵀ + b_hh`, with `h` the state that the step before left. The first is
//! one matrix product over all times; the kernels `gru` and `lstm` walk along time with the second, and on the way back
//! give the gradients of both sums at every time, `dx` and `du` (one and the same in an LSTM). The rest needs no walk:
//! `dW_ih = dxᵀ·x` and `dW_hh = duᵀ·h` over all examples and times, each bias was added at all of them, so its gradient
//! is the sum, and the input's is `dx·W_ih`, of both directions together.

use crate::error::{Error, Result};
use crate::tape::{Place, record};
use crate::tensor::Tensor;
use kernels::gru::{Gru, GruGrad};
use kernels::lstm::{Lstm, LstmGrad};
use kernels::matmul::Matmul;
use kernels::recurrence::Recurrence;
use kernels::reduce::{Reduce, ReduceOp};
use kernels::{Activation, Buffer, Device, Kernel};

/// What walks one way along time: parameters laid out as PyTorch keeps them, for `h` hidden numbers and 3 (GRU: r, z,
/// n) or 4 (LSTM: i, f, g, o) gates.
#[derive(Debug, Clone, Copy)]
pub struct Direction<'a> {
    /// `[gates·h, in]`
    pub weight_ih: &'a Tensor,
    /// `[gates·h, h]`
    pub weight_hh: &'a Tensor,
    /// `b_ih` and `b_hh`, each `[gates·h]`.
    pub bias: Option<[&'a Tensor; 2]>,
}

impl<'a> Direction<'a> {
    fn parameters(&self) -> impl Iterator<Item = &'a Tensor> {
        let bias = self.bias.into_iter().flatten();
        [self.weight_ih, self.weight_hh].into_iter().chain(bias)
    }
}

/// How a recurrent layer walks. The default is PyTorch's: tanh, the whole sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecurrentOptions {
    /// What the candidate passes through (and an LSTM's cell on its way out).
    pub activation: Activation,
    /// Whether only the final state comes out.
    pub last: bool,
}

impl Default for RecurrentOptions {
    fn default() -> Self {
        RecurrentOptions {
            activation: Activation::Tanh,
            last: false,
        }
    }
}

/// Which recurrent layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cell {
    Gru,
    Lstm,
}

impl Cell {
    pub fn name(self) -> &'static str {
        match self {
            Cell::Gru => "gru",
            Cell::Lstm => "lstm",
        }
    }

    pub fn gates(self) -> usize {
        match self {
            Cell::Gru => 3,
            Cell::Lstm => 4,
        }
    }
}

impl Tensor {
    /// Gated recurrent unit (PyTorch's `GRU`, batch first): `[n, t, in]` gives `[n, t, h]`, the state after each step,
    /// or `[n, h]` where only the last is wanted. A second direction walks from the last time to the first, and its
    /// numbers stand behind the first one's: `[n, t, 2h]`, or `[n, 2h]` with the final state of each. States start at
    /// zero. The definition is that of [`kernels::gru`].
    pub fn gru(&self, directions: &[Direction], options: RecurrentOptions) -> Result<Tensor> {
        self.recurrent(Cell::Gru, directions, options)
    }

    /// Long short-term memory (PyTorch's `LSTM`, batch first); shapes as for [`gru`](Tensor::gru). The definition is
    /// that of [`kernels::lstm`].
    pub fn lstm(&self, directions: &[Direction], options: RecurrentOptions) -> Result<Tensor> {
        self.recurrent(Cell::Lstm, directions, options)
    }

    pub(crate) fn recurrent(
        &self,
        cell: Cell,
        directions: &[Direction],
        options: RecurrentOptions,
    ) -> Result<Tensor> {
        let [n, t, h] = sizes(self, cell, directions)?;
        let columns = h * directions.len();
        let rows = if options.last { n } else { n * t };
        let y = self.device().alloc(rows * columns)?;
        let mut inputs = vec![self];
        let mut walks = Vec::new();
        for (i, direction) in directions.iter().enumerate() {
            inputs.extend(direction.parameters());
            let shape = Recurrence {
                bias: direction.bias.is_some(),
                activation: options.activation,
                reverse: i == 1,
                last: options.last,
                columns,
                column: i * h,
                ..Recurrence::new([n, t, h])
            };
            walks.push(Walk::forward(self, cell, shape, direction, &y)?);
        }
        let shape = if options.last {
            vec![n, columns]
        } else {
            vec![n, t, columns]
        };
        Ok(record(Tensor::from_buffer(y, shape)?, &inputs, move |dy| {
            let mut gradients = vec![None];
            for walk in walks {
                let (dx, rest) = walk.backward(&dy)?;
                gradients[0] = match (gradients[0].take(), dx) {
                    (Some(one), Some(other)) => Some(Tensor::add(&one, &other)?),
                    (one, other) => one.or(other),
                };
                gradients.extend(rest);
            }
            Ok(gradients)
        }))
    }
}

/// Examples, steps and hidden numbers, where everything fits together.
fn sizes(x: &Tensor, cell: Cell, directions: &[Direction]) -> Result<[usize; 3]> {
    let (name, gates) = (cell.name(), cell.gates());
    let Ok([n, t, features]) = <[usize; 3]>::try_from(&x.shape()[..]) else {
        return Err(Error::shape(name, x.shape(), "is not [n, t, in]"));
    };
    let (1 | 2, Some(&h)) = (
        directions.len(),
        directions.first().and_then(|d| d.weight_hh.shape().get(1)),
    ) else {
        let problem = format!(
            "{} directions, or a weight_hh that is not [{gates}·h, h]",
            directions.len()
        );
        return Err(Error::option(name, problem));
    };
    for direction in directions {
        let wanted = [
            vec![gates.saturating_mul(h), features],
            vec![gates.saturating_mul(h), h],
            vec![gates.saturating_mul(h)],
            vec![gates.saturating_mul(h)],
        ];
        for (parameter, wanted) in direction.parameters().zip(wanted) {
            if parameter.shape()[..] != wanted {
                let problem = format!("a parameter for {h} hidden numbers is {wanted:?}");
                return Err(Error::shapes(name, x.shape(), parameter.shape(), problem));
            }
        }
    }
    Ok([n, t, h])
}

/// A direction on its way back: what its gradients need.
struct Walk {
    cell: Cell,
    shape: Recurrence,
    features: usize,
    weight_hh: Tensor,
    /// The state before each step.
    before: Tensor,
    /// An LSTM's cell before each step.
    cells: Option<Buffer>,
    gates: Buffer,
    /// Kept where `weight_ih` needs a gradient.
    x: Option<Tensor>,
    /// Kept where the input needs one.
    weight_ih: Option<Tensor>,
    /// Where the gradients of the weights go, and of the biases; that of `weight_hh` and these only where wanted.
    place_ih: Place,
    place_hh: Option<Place>,
    place_bias: Option<[Option<Place>; 2]>,
}

impl Walk {
    /// Walks forward and writes its columns of `y`.
    fn forward(
        x: &Tensor,
        cell: Cell,
        shape: Recurrence,
        direction: &Direction,
        y: &Buffer,
    ) -> Result<Self> {
        let Recurrence { n, t, h, .. } = shape;
        let features = x.shape()[2];
        let kernel: &dyn Kernel = match cell {
            Cell::Gru => &Gru(shape),
            Cell::Lstm => &Lstm(shape),
        };
        kernel.check()?;
        // The input's share of the gates.
        let width = cell.gates() * h;
        let share = Matmul::new(n * t, width, features)
            .transposed(false, true)
            .with(direction.bias.is_some(), Activation::None);
        let inputs = [x, direction.weight_ih];
        let inputs: Vec<&Tensor> = inputs
            .into_iter()
            .chain(direction.bias.map(|[ih, _]| ih))
            .collect();
        let share = Tensor::launch(&share, &inputs, [n, t, width])?;

        let device: &Device = x.device();
        let before = device.alloc(n * t * h)?;
        let cells = match cell {
            Cell::Gru => None,
            Cell::Lstm => Some(device.alloc(n * t * h)?),
        };
        let gates = device.alloc(n * t * 4 * h)?;
        let inputs = [share.buffer(), direction.weight_hh.buffer()];
        let inputs: Vec<&Buffer> = inputs
            .into_iter()
            .chain(direction.bias.map(|[_, hh]| hh.buffer()))
            .collect();
        let outputs: Vec<&Buffer> = [y, &before]
            .into_iter()
            .chain(&cells)
            .chain([&gates])
            .collect();
        device.launch(kernel, &inputs, &outputs)?;
        let place = |p: &Tensor| p.is_tracked().then(|| p.gradient_place());
        Ok(Walk {
            cell,
            shape,
            features,
            weight_hh: direction.weight_hh.detach(),
            before: Tensor::from_buffer(before, [n * t, h])?,
            cells,
            gates,
            x: direction.weight_ih.is_tracked().then(|| x.detach()),
            weight_ih: x.is_tracked().then(|| direction.weight_ih.detach()),
            place_ih: direction.weight_ih.gradient_place(),
            place_hh: place(direction.weight_hh),
            place_bias: direction.bias.map(|bias| bias.map(place)),
        })
    }

    /// The gradient of the input, and those of this direction's parameters.
    fn backward(self, dy: &Tensor) -> Result<(Option<Tensor>, Vec<Option<Tensor>>)> {
        let Recurrence { n, t, h, .. } = self.shape;
        let (rows, width, features) = (n * t, self.cell.gates() * h, self.features);
        let device = dy.device();
        let weights = self.weight_hh.buffer();
        let alloc = || Tensor::from_buffer(device.alloc(rows * width)?, [rows, width]);
        let dx = alloc()?;
        let du = match &self.cells {
            None => {
                let du = alloc()?;
                device.launch(
                    &GruGrad(self.shape),
                    &[dy.buffer(), self.before.buffer(), &self.gates, weights],
                    &[dx.buffer(), du.buffer()],
                )?;
                du
            }
            Some(cells) => {
                device.launch(
                    &LstmGrad(self.shape),
                    &[dy.buffer(), cells, &self.gates, weights],
                    &[dx.buffer()],
                )?;
                dx.clone()
            }
        };
        let product = |place: &Place, d: &Tensor, other: &Tensor, columns: usize| {
            let kernel = Matmul::new(width, columns, rows).transposed(true, false);
            Tensor::launch_into(place.buffer()?, &kernel, &[d, other], [width, columns])
        };
        let weight_ih = |x: Tensor| product(&self.place_ih, &dx, &x, features);
        let weight_hh = |place: &Place| product(place, &du, &self.before, h);
        let mut gradients = vec![
            self.x.map(weight_ih).transpose()?,
            self.place_hh.as_ref().map(weight_hh).transpose()?,
        ];
        let sum = Reduce::new(ReduceOp::Sum, [1, rows, width]);
        for (place, d) in self.place_bias.into_iter().flatten().zip([&dx, &du]) {
            let bias = |place: Place| Tensor::launch_into(place.buffer()?, &sum, &[d], [width]);
            gradients.push(place.map(bias).transpose()?);
        }
        let input = |weight: Tensor| {
            let kernel = Matmul::new(rows, features, width);
            Tensor::launch(&kernel, &[&dx, &weight], [n, t, features])
        };
        Ok((self.weight_ih.map(input).transpose()?, gradients))
    }
}
