//! The samples themselves.

use super::definition::{Definition, How};

pub(super) const WAVEFORM: Definition = Definition {
    frames: |_, samples| samples,
    how: How::Sound(|sound| Ok(sound.samples.to_vec())),
    ..Definition::FRAMES
};
