//! What of a track is none of the sound, as a container says.

/// Samples that an encoder added, counted at the track's own rate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Trim {
    /// At the start.
    pub(super) skip: u64,
    /// Samples of sound after them; `None`: all.
    pub(super) keep: Option<u64>,
}
