//! Numbers moved to other places: axes in another order, cut out, padded, put together.
//!
//! `y[i] = x[j]` for some rule from i to j ([`kernels::rearrange`]), so `dx[j] = dy[i]`: each gradient goes back to where
//! its number came from, and what was cut off gets zero. An order of axes goes back by the inverse order, a slice by
//! padding with zeros, padding by a slice, and of numbers put together each part gets its slice of the gradient.

use crate::error::{Error, Result};
use crate::tape::record;
use crate::tensor::Tensor;
use kernels::Kernel;
use kernels::rearrange::{Outside, Rearrange};
use std::ops::Range;

const ZERO: Outside = Outside::Fill(0.0);

impl Tensor {
    /// The axes in another order: y's axis k is the axis `axes[k]` of this tensor. At most six axes.
    ///
    /// ```
    /// # use engine::{Device, Tensor};
    /// # fn main() -> engine::Result<()> {
    /// let x = Tensor::from_vec(&Device::cpu(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [2, 3])?;
    /// assert_eq!(x.permute(&[1, 0])?.to_vec()?, [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    /// # Ok(()) }
    /// ```
    pub fn permute(&self, axes: &[usize]) -> Result<Tensor> {
        let rank = self.shape().len();
        if axes.len() != rank || (0..rank).any(|axis| !axes.contains(&axis)) {
            let problem = format!("does not have each of the axes {axes:?} once");
            return Err(Error::shape("permute", self.shape(), problem));
        }
        self.rearranged(Rearrange::permute(self.shape(), axes))
    }

    /// The part `range` along `axis`.
    pub fn slice(&self, axis: usize, range: Range<usize>) -> Result<Tensor> {
        let [_, length, _] = self.shape().around("slice", axis)?;
        if range.is_empty() || range.end > length {
            let problem = format!("has no part {range:?} along axis {axis}");
            return Err(Error::shape("slice", self.shape(), problem));
        }
        let (mut shape, mut start) = (self.shape().to_vec(), vec![0; self.shape().len()]);
        (shape[axis], start[axis]) = (range.len(), range.start as i64);
        self.rearranged(Rearrange::window(self.shape(), &shape, &start, ZERO))
    }

    /// So many more elements before and after along each axis, all of this value; fewer where negative.
    pub fn pad(&self, padding: &[[i64; 2]], value: f32) -> Result<Tensor> {
        let shape = padded("pad", self.shape(), padding)?;
        let start: Vec<i64> = padding.iter().map(|[before, _]| -before).collect();
        self.rearranged(Rearrange::window(
            self.shape(),
            &shape,
            &start,
            Outside::Fill(value),
        ))
    }

    /// Several tensors behind one another along `axis`; the other axes must agree.
    pub fn concat(parts: &[&Tensor], axis: usize) -> Result<Tensor> {
        let shapes: Vec<&[usize]> = parts.iter().map(|part| &part.shape()[..]).collect();
        let shape = joined("concat", &shapes, axis)?;
        let y = parts[0].device().alloc(shape.iter().product())?;
        let mut begin = 0;
        let mut backward = Vec::new();
        for part in parts {
            let mut start = vec![0; shape.len()];
            start[axis] = -begin;
            begin += part.shape()[axis] as i64;
            let kernel = Rearrange::window(part.shape(), &shape, &start, Outside::Keep);
            part.device().launch(&kernel, &[part.buffer()], &[&y])?;
            backward.push(part.is_tracked().then(|| kernel.gradient()));
        }
        Ok(record(Tensor::from_buffer(y, shape)?, parts, move |dy| {
            let slice = |back: Rearrange| Tensor::launch(&back, &[&dy], &back.y[..]);
            let slices = backward.into_iter();
            slices.map(|back| back.map(slice).transpose()).collect()
        }))
    }

    fn rearranged(&self, kernel: Rearrange) -> Result<Tensor> {
        kernel.check()?;
        let y = Tensor::launch(&kernel, &[self], &kernel.y[..])?;
        let back = kernel.gradient();
        Ok(record(y, &[self], move |dy| {
            Ok(vec![Some(Tensor::launch(&back, &[&dy], &back.y[..])?)])
        }))
    }
}

/// The shape with so many more elements before and after along each axis.
pub(crate) fn padded(
    operation: &'static str,
    shape: &[usize],
    padding: &[[i64; 2]],
) -> Result<Vec<usize>> {
    let refused = |problem: &str| {
        let problem = format!("padded by {padding:?} {problem}");
        Err(Error::shape(operation, shape, problem))
    };
    if padding.len() != shape.len() {
        return refused("has another number of axes");
    }
    if padding
        .iter()
        .flatten()
        .any(|n| n.unsigned_abs() >= 1 << 31)
    {
        return refused("is out of reach");
    }
    let length = |(&length, &[before, after]): (&usize, &[i64; 2])| {
        let length = i64::try_from(length).ok()?.checked_add(before)?;
        usize::try_from(length.checked_add(after)?).ok()
    };
    let lengths = shape.iter().zip(padding).map(length);
    match lengths.collect::<Option<Vec<usize>>>() {
        Some(lengths) if !lengths.contains(&0) => Ok(lengths),
        _ => refused("has nothing left"),
    }
}

/// The shape of several put behind one another along an axis.
pub(crate) fn joined(
    operation: &'static str,
    shapes: &[&[usize]],
    axis: usize,
) -> Result<Vec<usize>> {
    let Some((first, others)) = shapes.split_first() else {
        return Err(Error::option(operation, "nothing to put together"));
    };
    if axis >= first.len() {
        let problem = format!("has no axis {axis}");
        return Err(Error::shape(operation, first, problem));
    }
    let mut shape = first.to_vec();
    for other in others {
        let agrees = |k: usize| k == axis || other.get(k) == first.get(k);
        if other.len() != first.len() || !(0..first.len()).all(agrees) {
            let problem = format!("they differ in more than axis {axis}");
            return Err(Error::shapes(operation, first, other, problem));
        }
        shape[axis] = shape[axis].saturating_add(other[axis]);
    }
    Ok(shape)
}
