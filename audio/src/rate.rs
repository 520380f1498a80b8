//! Sample rates that can be converted.

/// Highest rate that can be converted from or to, in Hz.
pub const MAX_RATE: u32 = 1_000_000;

/// Largest ratio of two rates that can be converted: beyond it a filter would see minutes of sound.
pub const MAX_RATIO: u32 = 1000;
