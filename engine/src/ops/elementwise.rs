//! Any expression over inputs that broadcast, as one pass over memory.
//!
//! `y = f(a, b, …)`, element by element, so `da = dy · ∂f/∂a`, element by element: the expression's own derivative, in
//! one pass per input that needs a gradient. Where an input was repeated to fill the output (a bias over an image), its
//! gradient is the sum over the repetitions.

use crate::error::{Error, Result};
use crate::shape::Shape;
use crate::tape::record;
use crate::tensor::Tensor;
use kernels::elementwise::{Elementwise, Expr, View};
use kernels::reduce::{Reduce, ReduceOp};
use std::sync::Arc;

/// `expr` of the inputs' elements, where [`Expr::input`]`(i)` is the i-th of `inputs`, and `params` are the words that
/// [`Expr::param`] and [`Expr::random`] read. Shapes broadcast as in NumPy: aligned at the last axis, and an axis of
/// length 1 (or none) is repeated. At most six inputs; five where a derivative reads all of them, for it reads `dy` too.
///
/// ```
/// use engine::ops::{Expr, elementwise};
/// use engine::{Device, Tensor};
/// # fn main() -> engine::Result<()> {
/// let device = Device::cpu();
/// let x = Tensor::from_vec(&device, [1.0, 2.0, 3.0, 4.0], [2, 2])?;
/// let b = Tensor::from_vec(&device, [10.0, 20.0], [2])?;
/// let (x_i, b_i) = (Expr::input(0), Expr::input(1));
/// let y = elementwise(&(x_i * 2.0 + b_i), &[&x, &b], &[])?;
/// assert_eq!(y.to_vec()?, [12.0, 24.0, 16.0, 28.0]);
/// # Ok(()) }
/// ```
pub fn elementwise(expr: &Expr, inputs: &[&Tensor], params: &[u32]) -> Result<Tensor> {
    let shape = broadcast(inputs)?;
    let inputs: Vec<Tensor> = inputs
        .iter()
        .map(|t| fitted(t, &shape))
        .collect::<Result<_>>()?;
    let views: Vec<View> = inputs
        .iter()
        .filter_map(|t| view(t.shape(), &shape))
        .collect();
    let kernel = Elementwise {
        expr: expr.clone(),
        len: shape.elements(),
        views: views.clone(),
        params: params.to_vec(),
    };
    let y = Tensor::launch(&kernel, &inputs.iter().collect::<Vec<_>>(), &shape)?;

    // For each input that needs one: the derivative by it, times dy (input n), and the inputs that this reads.
    let mut steps: Vec<Option<Derivative>> = Vec::new();
    for (i, input) in inputs.iter().enumerate() {
        let derivative = || {
            let mut reads = Vec::new();
            let expr = (expr.derivative(i) * Expr::input(inputs.len())).renumbered(&mut reads);
            let reads = reads
                .iter()
                .map(|&j| inputs.get(j).map(|t| (t.detach(), views[j])));
            Derivative {
                expr,
                reads: reads.collect(),
                view: views[i],
                shape: input.shape().clone(),
            }
        };
        steps.push(input.is_tracked().then(derivative));
    }
    let params = params.to_vec();
    let inputs: Vec<&Tensor> = inputs.iter().collect();
    Ok(record(y, &inputs, move |dy| {
        steps
            .into_iter()
            .map(|step| step.map(|s| s.apply(&dy, &params)).transpose())
            .collect()
    }))
}

/// The gradient of one input.
struct Derivative {
    expr: Expr,
    /// What the expression reads: inputs of the operation with their views; `None` is `dy`.
    reads: Vec<Option<(Tensor, View)>>,
    /// How the input lay over the output.
    view: View,
    shape: Shape,
}

impl Derivative {
    fn apply(self, dy: &Tensor, params: &[u32]) -> Result<Tensor> {
        let len = dy.elements();
        let full = View::full(len);
        // Sums and differences pass dy on as it is.
        let only_dy = matches!(self.reads[..], [None]) && self.expr == Expr::Input(0);
        let gradient = if only_dy {
            dy.detach()
        } else if self.reads.is_empty() {
            // The derivative is zero everywhere, and does not even read dy.
            return Tensor::zeros(dy.device(), self.shape);
        } else {
            let kernel = Elementwise {
                expr: self.expr,
                len,
                views: self
                    .reads
                    .iter()
                    .map(|r| r.as_ref().map_or(full, |r| r.1))
                    .collect(),
                params: params.to_vec(),
            };
            let inputs: Vec<&Tensor> = self
                .reads
                .iter()
                .map(|r| r.as_ref().map_or(dy, |r| &r.0))
                .collect();
            Tensor::launch(&kernel, &inputs, dy.shape())?
        };
        unrepeated(gradient, self.view)?.reshape(self.shape)
    }
}

/// A gradient summed over the repetitions that a view made.
fn unrepeated(
    gradient: Tensor,
    View {
        outer,
        repeat,
        inner,
    }: View,
) -> Result<Tensor> {
    let leading = gradient.elements() / (outer * repeat * inner);
    let mut sum = gradient;
    for [before, axis, behind] in [
        [leading * outer, repeat, inner],
        [1, leading, outer * inner],
    ] {
        if axis > 1 {
            let kernel = Reduce::new(ReduceOp::Sum, [before, axis, behind]);
            sum = Tensor::launch(&kernel, &[&sum], [before * behind])?;
        }
    }
    Ok(sum)
}

/// The shape that all of them fill.
fn broadcast(inputs: &[&Tensor]) -> Result<Shape> {
    let Some(first) = inputs.first() else {
        return Err(Error::shape("elementwise", &[], "has no inputs"));
    };
    let mut shape = first.shape().clone();
    for input in &inputs[1..] {
        let (a, b) = (&shape, input.shape());
        let axes = a.len().max(b.len());
        let mut joined = Vec::with_capacity(axes);
        for axis in 0..axes {
            joined.push(match (aligned(a, axes, axis), aligned(b, axes, axis)) {
                (x, y) if x == y => x,
                (1, y) => y,
                (x, 1) => x,
                _ => return Err(Error::shapes("elementwise", a, b, "they do not broadcast")),
            });
        }
        shape = joined.into();
    }
    Ok(shape)
}

/// The length of an axis, where shapes are aligned at their ends and missing axes have length 1.
fn aligned(shape: &Shape, axes: usize, axis: usize) -> usize {
    let missing = axes - shape.len();
    axis.checked_sub(missing).map_or(1, |axis| shape[axis])
}

/// The runs of neighbouring axes of `full` that `shape` has (`true`) or repeats (`false`), with their lengths.
fn runs(shape: &Shape, full: &Shape) -> Vec<(bool, usize)> {
    let mut runs: Vec<(bool, usize)> = Vec::new();
    for (axis, &length) in full.iter().enumerate().filter(|(_, length)| **length != 1) {
        let kept = aligned(shape, full.len(), axis) == length;
        match runs.last_mut() {
            Some((same, n)) if *same == kept => *n *= length,
            _ => runs.push((kept, length)),
        }
    }
    runs
}

/// How `shape` lies over `full`, where one view can say it: repeated in front, and at one place within.
fn view(shape: &Shape, full: &Shape) -> Option<View> {
    let runs = runs(shape, full);
    let runs = match &runs[..] {
        [(false, _), rest @ ..] => rest,
        all => all,
    };
    let (outer, repeat, inner) = match *runs {
        [] => (1, 1, 1),
        [(_, inner)] => (1, 1, inner),
        [(_, outer), (_, repeat)] => (outer, repeat, 1),
        [(_, outer), (_, repeat), (_, inner)] => (outer, repeat, inner),
        _ => return None,
    };
    Some(View {
        outer,
        repeat,
        inner,
    })
}

/// The tensor itself where one view over `full` can say it; else with its last repeated axes written out.
fn fitted(t: &Tensor, full: &Shape) -> Result<Tensor> {
    if view(t.shape(), full).is_some() {
        return Ok(t.clone());
    }
    let mut axes: Vec<usize> = (0..full.len())
        .map(|axis| aligned(t.shape(), full.len(), axis))
        .collect();
    let aligned_shape = Shape::from(&axes[..]);
    let repeated = |axis: &usize| axes[*axis] != full[*axis];
    let last = (0..full.len()).rev().find(repeated).unwrap_or(0);
    let run: Vec<usize> = (0..=last)
        .rev()
        .take_while(|axis| repeated(axis) || full[*axis] == 1)
        .collect();
    run.into_iter().for_each(|axis| axes[axis] = full[axis]);
    // One run at a time can always be said by one view.
    fitted(&t.reshape(aligned_shape)?.broadcast_to(axes)?, full)
}

/// Walks expressions, which the kernels build and derive.
trait Renumber {
    fn renumbered(&self, reads: &mut Vec<usize>) -> Expr;
}

impl Renumber for Expr {
    /// The same with inputs numbered in the order they are met; `reads` gets which they were.
    fn renumbered(&self, reads: &mut Vec<usize>) -> Expr {
        let mut inner = |e: &Arc<Expr>| Arc::new(e.renumbered(reads));
        match self {
            Expr::Unary(op, x) => Expr::Unary(*op, inner(x)),
            Expr::Binary(op, a, b) => Expr::Binary(*op, inner(a), inner(b)),
            Expr::Select(c, a, b) => Expr::Select(inner(c), inner(a), inner(b)),
            Expr::Input(i) => Expr::Input(reads.iter().position(|r| r == i).unwrap_or_else(|| {
                reads.push(*i);
                reads.len() - 1
            })),
            Expr::Const(_) | Expr::Param(_) | Expr::Random(_) => self.clone(),
        }
    }
}

impl Tensor {
    /// The same numbers repeated to fill a shape.
    pub fn broadcast_to(&self, shape: impl Into<Shape>) -> Result<Tensor> {
        let shape = shape.into();
        let fills = shape.len() >= self.shape().len()
            && (0..shape.len())
                .all(|axis| [1, shape[axis]].contains(&aligned(self.shape(), shape.len(), axis)));
        if !fills {
            return Err(Error::shapes(
                "broadcast",
                self.shape(),
                &shape,
                "it does not fill it",
            ));
        }
        let input = fitted(self, &shape)?;
        let Some(view) = view(input.shape(), &shape) else {
            return Err(Error::shapes(
                "broadcast",
                self.shape(),
                &shape,
                "it does not fill it",
            ));
        };
        let kernel = Elementwise {
            expr: Expr::input(0),
            len: shape.elements(),
            views: vec![view],
            params: Vec::new(),
        };
        let y = Tensor::launch(&kernel, &[&input], shape)?;
        let own = input.shape().clone();
        Ok(record(y, &[&input], move |dy| {
            Ok(vec![Some(unrepeated(dy, view)?.reshape(own)?)])
        }))
    }

    fn with(&self, other: &Tensor, f: impl FnOnce(Expr, Expr) -> Expr) -> Result<Tensor> {
        elementwise(&f(Expr::input(0), Expr::input(1)), &[self, other], &[])
    }

    /// A function of each number.
    pub fn map(&self, f: impl FnOnce(Expr) -> Expr) -> Result<Tensor> {
        elementwise(&f(Expr::input(0)), &[self], &[])
    }

    /// `a + b`, broadcast.
    ///
    /// # Errors
    /// Shapes of which neither axis is as long as the other nor 1, with both; whatever the device refuses.
    pub fn add(&self, other: &Tensor) -> Result<Tensor> {
        self.with(other, |a, b| a + b)
    }

    /// `a - b`, broadcast.
    ///
    /// # Errors
    /// Shapes of which neither axis is as long as the other nor 1, with both; whatever the device refuses.
    pub fn sub(&self, other: &Tensor) -> Result<Tensor> {
        self.with(other, |a, b| a - b)
    }

    /// `a · b`, element by element, broadcast.
    ///
    /// # Errors
    /// Shapes of which neither axis is as long as the other nor 1, with both; whatever the device refuses.
    pub fn mul(&self, other: &Tensor) -> Result<Tensor> {
        self.with(other, |a, b| a * b)
    }

    /// `a / b`, broadcast.
    ///
    /// # Errors
    /// Shapes of which neither axis is as long as the other nor 1, with both; whatever the device refuses.
    pub fn div(&self, other: &Tensor) -> Result<Tensor> {
        self.with(other, |a, b| a / b)
    }

    /// `factor · x`
    pub fn scale(&self, factor: f32) -> Result<Tensor> {
        elementwise(
            &(Expr::input(0) * Expr::param(0)),
            &[self],
            &[factor.to_bits()],
        )
    }
}
