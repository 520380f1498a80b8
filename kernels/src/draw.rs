//! Random shapes: what nobody thought of writing down as a case.

use crate::activation::Activation;
use crate::philox::Philox;

/// Draws numbers for a shape.
#[derive(Debug)]
pub struct Draw(Philox);

impl Draw {
    /// The draws of a seed.
    pub fn new(seed: u64) -> Self {
        Draw(Philox::new(seed, 1))
    }

    /// From `low` to `high`, both included.
    pub fn within(&mut self, low: usize, high: usize) -> usize {
        low + self.0.below(high - low + 1)
    }

    /// True or false.
    pub fn flag(&mut self) -> bool {
        self.within(0, 1) == 1
    }

    /// Two numbers from `low` to `high`.
    pub fn pair(&mut self, low: usize, high: usize) -> [usize; 2] {
        [self.within(low, high), self.within(low, high)]
    }

    /// One of these.
    pub fn of<T: Copy>(&mut self, these: &[T]) -> T {
        these[self.within(0, these.len() - 1)]
    }

    /// Images, channels, height and width.
    pub fn image(&mut self) -> [usize; 4] {
        [
            self.within(1, 3),
            self.within(1, 6),
            self.within(1, 40),
            self.within(1, 40),
        ]
    }

    /// Any activation.
    pub fn activation(&mut self) -> Activation {
        self.of(&Activation::ALL)
    }

    /// The length of a frame: often a power of two.
    pub fn frame(&mut self) -> usize {
        match self.flag() {
            true => 1 << self.within(1, 9),
            false => self.within(2, 100),
        }
    }
}
