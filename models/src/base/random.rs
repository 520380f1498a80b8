//! Random streams of a seed. Each use has its own stream.

use kernels::philox::Philox;

/// Use of random numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    /// Assigning groups to the parts of a split; one stream per label.
    Split = 0x5350,
    /// Assigning groups to folds; one stream per label.
    Fold = 0x464F,
    /// Drawing from the ranges of a search.
    #[cfg(feature = "report")]
    Search = 0x5345,
    /// Augmenting the audio of a training clip; the seed is the file's, one stream per variant.
    #[cfg(feature = "report")]
    Variant = 0x5641,
    /// The order of the training clips; one stream per epoch.
    #[cfg(not(target_arch = "wasm32"))]
    Shuffle = 0x5348,
    /// Augmenting training examples; one stream per step.
    #[cfg(not(target_arch = "wasm32"))]
    Augment = 0x4155,
}

/// Returns the random stream of one use, from its start.
pub(crate) fn stream(seed: u64, stream: Stream, number: u64) -> Philox {
    Philox::new(seed, ((stream as u64) << 48) | number)
}

/// Returns the numbers `0..len` in random order; the same seed, use and number give the same order.
pub(crate) fn shuffled(len: usize, seed: u64, stream: Stream, number: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..len).collect();
    self::stream(seed, stream, number).shuffle(&mut order);
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_differ_by_seed_use_and_number_only() {
        let order = shuffled(50, 1, Stream::Shuffle, 1);
        assert_eq!(order, shuffled(50, 1, Stream::Shuffle, 1));
        assert_ne!(order, shuffled(50, 2, Stream::Shuffle, 1));
        assert_ne!(order, shuffled(50, 1, Stream::Split, 1));
        assert_ne!(order, shuffled(50, 1, Stream::Shuffle, 2));
    }
}
