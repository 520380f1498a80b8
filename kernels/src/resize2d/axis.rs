//! One axis: which inputs an output reads, which outputs read an input, and with what weight; in integers.

use super::Mode;
use std::ops::Range;

/// An axis of `from` elements that becomes one of `to`.
#[derive(Debug, Clone, Copy)]
pub struct Axis {
    pub from: usize,
    pub to: usize,
    pub mode: Mode,
}

/// What every element of an axis sums: neighbours on the other side, with weights.
pub struct Taps {
    /// For each element, the first neighbour.
    pub first: Vec<usize>,
    /// For each element, where its weights begin; one more at the end.
    begin: Vec<usize>,
    weights: Vec<f32>,
}

impl Taps {
    /// How many elements there are.
    pub fn len(&self) -> usize {
        self.first.len()
    }

    /// The weights of element `i`.
    pub fn weights(&self, i: usize) -> &[f32] {
        &self.weights[self.begin[i]..self.begin[i + 1]]
    }

    fn new(
        count: usize,
        ranges: impl Fn(usize) -> Range<usize>,
        weight: impl Fn(usize, usize) -> f32,
    ) -> Self {
        let mut taps = Taps {
            first: Vec::with_capacity(count),
            begin: vec![0],
            weights: Vec::new(),
        };
        for i in 0..count {
            let range = ranges(i);
            taps.first.push(range.start);
            taps.weights.extend(range.map(|j| weight(i, j)));
            taps.begin.push(taps.weights.len());
        }
        taps
    }
}

impl Axis {
    /// For each output, the inputs that it reads.
    pub fn forward(&self) -> Taps {
        Taps::new(self.to, |o| self.inputs(o), |o, i| self.weight(o, i))
    }

    /// For each input, the outputs that read it.
    pub fn backward(&self) -> Taps {
        Taps::new(self.from, |i| self.outputs(i), |i, o| self.weight(o, i))
    }

    /// The inputs that output `o` reads.
    fn inputs(&self, o: usize) -> Range<usize> {
        let Axis { from, to, mode } = *self;
        match mode {
            Mode::Area => o * from / to..((o + 1) * from).div_ceil(to),
            Mode::Bilinear => {
                let middle = self.middle(o);
                middle / (2 * to)..middle.div_ceil(2 * to) + 1
            }
        }
    }

    /// The outputs that read input `i`.
    fn outputs(&self, i: usize) -> Range<usize> {
        let Axis { from, to, mode } = *self;
        match mode {
            Mode::Area => i * to / from..((i + 1) * to).div_ceil(from),
            // i - 1 < (o + ½)·from/to - ½ < i + 1, and at the ends whatever lies beyond.
            Mode::Bilinear => {
                let first = (2 * i).saturating_sub(1) * to / from;
                let end = ((2 * i + 3) * to).div_ceil(from) / 2;
                let first = if i == 0 { 0 } else { first.div_ceil(2) };
                first..if i + 1 == from { to } else { end.min(to) }
            }
        }
    }

    /// Where the middle of output `o` lies, in units of 1 / (2·to) of an input.
    fn middle(&self, o: usize) -> usize {
        let Axis { from, to, .. } = *self;
        ((2 * o + 1) * from)
            .saturating_sub(to)
            .min(2 * to * (from - 1))
    }

    /// How much input `i` counts in output `o`.
    fn weight(&self, o: usize, i: usize) -> f32 {
        match self.mode {
            Mode::Area => 1.0 / self.inputs(o).len() as f32,
            Mode::Bilinear => {
                let unit = 2 * self.to;
                let distance = self.middle(o).abs_diff(unit * i);
                unit.saturating_sub(distance) as f32 / unit as f32
            }
        }
    }

    /// Inputs read by all outputs together.
    pub fn reads(&self) -> u64 {
        match self.mode {
            Mode::Bilinear => 2 * self.to as u64,
            Mode::Area => (self.from + self.to) as u64,
        }
    }

    /// The most inputs that an output reads.
    pub fn most_inputs(&self) -> usize {
        match self.mode {
            Mode::Bilinear => 2,
            Mode::Area => self.from.div_ceil(self.to) + 1,
        }
    }

    /// The most outputs that read an input.
    pub fn most_outputs(&self) -> usize {
        match self.mode {
            Mode::Bilinear => 2 * self.to.div_ceil(self.from) + 1,
            Mode::Area => self.to.div_ceil(self.from) + 1,
        }
    }
}
