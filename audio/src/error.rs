//! Errors of this crate.

use crate::rate::{MAX_RATE, MAX_RATIO};

/// Error of this crate. Each message is one line and names the file where there is one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// File that cannot be opened or read.
    #[error("{name}: {source}")]
    Read {
        /// The file.
        name: String,
        /// The system's error.
        source: std::io::Error,
    },
    /// A named pipe, a socket or a device.
    #[error("{name}: {what}, not a file")]
    NotAFile {
        /// Its path.
        name: String,
        /// What it is.
        what: &'static str,
    },
    /// File without a byte.
    #[error("{name}: the file is empty")]
    Empty {
        /// The file.
        name: String,
    },
    /// File of no known format.
    #[error(
        "{name}: not a sound file of a known format (WAV, AIFF, AU, MP3, AAC, FLAC, Ogg, MP4, Matroska, CAF)"
    )]
    Unrecognised {
        /// The file.
        name: String,
    },
    /// Known format, or a form of one, that is not decoded.
    #[error("{name}: {what} is not supported; convert it to 16-bit WAV")]
    Unsupported {
        /// The file.
        name: String,
        /// The format or form.
        what: String,
    },
    /// Header that contradicts itself.
    #[error("{name}: broken {format} file: {what}")]
    Malformed {
        /// The file.
        name: String,
        /// Format of the file.
        format: &'static str,
        /// The contradiction.
        what: String,
    },
    /// Valid header without sound behind it.
    #[error("{name}: holds no audio samples")]
    NoSamples {
        /// The file.
        name: String,
    },
    /// [`crate::Segment`] that begins before the sound does or after it has ended.
    #[error("{name}: offset {offset} s lies outside of the sound, which is {seconds:.3} s long")]
    Segment {
        /// The file.
        name: String,
        /// Start of the segment, in seconds.
        offset: f64,
        /// Length of the sound, in seconds.
        seconds: f64,
    },
    /// Sample that is NaN, infinite, or beyond [`crate::Clip::LOUDEST`].
    #[error(
        "{name}: sample {index} is {value}; samples must be finite and at most 1000000 in magnitude"
    )]
    NotFinite {
        /// The file.
        name: String,
        /// Number of the sample, from 0.
        index: u64,
        /// Its value.
        value: f32,
    },
    /// Quantity beyond the caller's [`crate::Limits`].
    #[error("{name}: {what} is {found}, the limit is {limit}")]
    Limit {
        /// The file.
        name: String,
        /// The quantity.
        what: &'static str,
        /// Its value.
        found: String,
        /// The limit.
        limit: String,
    },
    /// Two sample rates between which nothing is converted.
    #[error(
        "cannot resample from {from} Hz to {to} Hz: rates must be 1 to {MAX_RATE} Hz, and one at most {MAX_RATIO} times \
         the other"
    )]
    Rate {
        /// Rate of the clip, in Hz.
        from: u32,
        /// Rate that was asked for, in Hz.
        to: u32,
    },
    /// Invalid feature settings, alone or for this clip.
    #[error("feature settings: {0}")]
    Settings(String),
    /// Picture that cannot be drawn.
    #[error("picture: {0}")]
    Picture(String),
    /// Kernel that a device refused.
    #[error(transparent)]
    Kernel(#[from] kernels::Error),
}

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;
