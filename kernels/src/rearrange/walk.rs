//! A rearrangement as loops: strides in both arrays, and the range of each index for which x has an element.

use super::{MAX_AXES, Outside, Rearrange};
use std::ops::Range;

/// The loops, outermost first, over the elements of y that are written. Neighbouring axes that stay together are one.
pub struct Walk {
    /// At least one; the last one's elements are neighbours in y.
    pub axes: Vec<Axis>,
    /// Where the first element of the loops would lie in x; below zero where x has none there.
    pub x: i64,
    /// Where it lies in y.
    pub y: usize,
    /// What is written where x has no element.
    pub fill: f32,
}

/// One loop.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Axis {
    pub len: usize,
    pub x_stride: usize,
    pub y_stride: usize,
    /// x has the elements `low..high`.
    pub low: usize,
    pub high: usize,
}

impl Axis {
    /// A loop of one step.
    const ONE: Axis = Axis {
        len: 1,
        x_stride: 1,
        y_stride: 1,
        low: 0,
        high: 1,
    };

    /// A part of the loop.
    pub fn part(&self, range: &Range<usize>) -> Axis {
        Axis {
            len: range.len(),
            low: self.low.clamp(range.start, range.end) - range.start,
            high: self.high.clamp(range.start, range.end) - range.start,
            ..*self
        }
    }

    /// Whether x has all of them.
    pub fn is_full(&self) -> bool {
        (self.low, self.high) == (0, self.len)
    }
}

impl Walk {
    pub fn new(s: &Rearrange) -> Self {
        let (x_strides, y_strides) = (strides(&s.x), strides(&s.y));
        let mut walk = Walk {
            axes: Vec::new(),
            x: 0,
            y: 0,
            fill: match s.outside {
                Outside::Fill(value) => value,
                Outside::Keep => 0.0,
            },
        };
        for k in 0..s.y.len() {
            let (x_stride, y_stride) = (x_strides[s.axes[k]], y_strides[k]);
            let inside = s.range(k);
            // What is kept is not even walked over.
            let walked = match s.outside {
                Outside::Fill(_) => 0..s.y[k],
                Outside::Keep => inside.clone(),
            };
            walk.x += (walked.start as i64 + s.start[k]) * x_stride as i64;
            walk.y += walked.start * y_stride;
            walk.push(Axis {
                len: walked.len(),
                x_stride,
                y_stride,
                low: inside.start - walked.start,
                high: inside.end - walked.start,
            });
        }
        if walk.axes.last().is_none_or(|axis| axis.y_stride != 1) {
            walk.axes.push(Axis::ONE);
        }
        walk
    }

    /// Adds an inner loop, as one with the last where they lie behind each other in both arrays.
    fn push(&mut self, axis: Axis) {
        if axis.len == 1 && axis.is_full() {
            return;
        }
        match self.axes.last_mut() {
            Some(last)
                if axis.is_full()
                    && last.x_stride == axis.len * axis.x_stride
                    && last.y_stride == axis.len * axis.y_stride =>
            {
                *last = Axis {
                    len: last.len * axis.len,
                    low: last.low * axis.len,
                    high: last.high * axis.len,
                    ..axis
                };
            }
            _ => self.axes.push(axis),
        }
    }

    /// The innermost loop.
    pub fn row(&self) -> Axis {
        self.axes.last().copied().unwrap_or(Axis::ONE)
    }

    /// The loop whose elements are neighbours in x, where that is not the innermost.
    pub fn tall(&self) -> Option<usize> {
        let outer = &self.axes[..self.axes.len() - 1];
        let neighbours = |axis: &Axis| axis.x_stride == 1;
        match self.row().x_stride {
            1 => None,
            _ => outer.iter().position(neighbours),
        }
    }

    /// How many elements of y are written.
    pub fn elements(&self) -> usize {
        self.axes.iter().map(|axis| axis.len).product()
    }

    /// What both shaders read.
    pub fn params(&self) -> Vec<u32> {
        let mut params = vec![
            self.elements() as u32,
            // Below zero it wraps around, and back where indices are added.
            self.x as u32,
            self.y as u32,
            self.fill.to_bits(),
        ];
        let unused = std::iter::repeat_n(Axis::ONE, MAX_AXES - self.axes.len());
        for axis in self.axes.iter().copied().chain(unused) {
            let Axis {
                len,
                x_stride,
                y_stride,
                low,
                high,
            } = axis;
            let words = [len, x_stride, y_stride, low, high, 0, 0, 0];
            params.extend(words.map(|word| word as u32));
        }
        params
    }
}

fn strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for k in (1..shape.len()).rev() {
        strides[k - 1] = strides[k] * shape[k];
    }
    strides
}

/// Where a step of some loops stands in both arrays.
pub struct Place<'a> {
    axes: &'a [Axis],
    index: [usize; MAX_AXES],
    pub x: i64,
    pub y: usize,
}

impl<'a> Place<'a> {
    /// Step `number` of the loops `axes`, whose first step stands at `x` and `y`.
    pub fn at(axes: &'a [Axis], mut number: usize, x: i64, y: usize) -> Self {
        let mut place = Place {
            axes,
            index: [0; MAX_AXES],
            x,
            y,
        };
        for (k, axis) in axes.iter().enumerate().rev() {
            let i = number % axis.len;
            number /= axis.len;
            place.index[k] = i;
            place.x += (i * axis.x_stride) as i64;
            place.y += i * axis.y_stride;
        }
        place
    }

    /// Goes to the next step.
    pub fn step(&mut self) {
        for (k, axis) in self.axes.iter().enumerate().rev() {
            self.index[k] += 1;
            self.x += axis.x_stride as i64;
            self.y += axis.y_stride;
            if self.index[k] < axis.len {
                return;
            }
            self.index[k] = 0;
            self.x -= (axis.len * axis.x_stride) as i64;
            self.y -= axis.len * axis.y_stride;
        }
    }

    /// Whether x has an element here.
    pub fn is_inside(&self) -> bool {
        let mut inside = true;
        for (axis, &i) in self.axes.iter().zip(&self.index) {
            inside &= (axis.low..axis.high).contains(&i);
        }
        inside
    }
}
