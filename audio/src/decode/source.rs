//! The trait that every format's decoder implements.

use crate::error::Result;

/// What a format's decoder gives, mixed to one channel.
pub(super) trait Source {
    /// Samples per second.
    fn rate(&self) -> u32;
    /// How many samples are still to come, where the headers tell: exact for a sound file, at least as many for a
    /// damaged one.
    fn about(&self) -> Option<u64>;
    /// Jumps over at most so many samples, where that is cheap, and says over how many.
    fn skip(&mut self, _samples: u64) -> u64 {
        0
    }
    /// Appends the next samples; `false` at the end.
    fn read(&mut self, samples: &mut Vec<f32>) -> Result<bool>;
    /// What was found wrong with the file so far, one sentence each, without the file's name.
    fn warnings(&self) -> Vec<String> {
        Vec::new()
    }
}

/// The warning of a length that was never written.
pub(super) const UNKNOWN_LENGTH: &str =
    "the length of its sound was never written; it is read to the end of the file";

/// The warning of sound that ends before the `said` bytes of its header, if it does: `held` bytes are there.
pub(super) fn cut_short(said: u64, held: u64) -> Option<String> {
    (held < said).then(|| {
        format!("its header says {said} bytes of sound, the file ends after {held} of them")
    })
}
