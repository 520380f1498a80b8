//! What can be wrong with sound, and with what is asked of it.

/// Everything that this crate can refuse. Each message is one line and names the file where there is one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file cannot be opened or read.
    #[error("{name}: {source}")]
    Read {
        /// The file.
        name: String,
        /// In the system's words.
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
    /// No bytes at all.
    #[error("{name}: the file is empty")]
    Empty {
        /// The file.
        name: String,
    },
    /// Nothing that is known, by content.
    #[error("{name}: not a WAV, AU, MP3, FLAC, Ogg or AIFF file")]
    Unrecognised {
        /// The file.
        name: String,
    },
    /// A known format, or a form of one, that is not decoded here.
    #[error("{name}: {what} is not supported; convert it to 16-bit WAV")]
    Unsupported {
        /// The file.
        name: String,
        /// What it is.
        what: String,
    },
    /// A header that contradicts itself.
    #[error("{name}: broken {format} file: {what}")]
    Malformed {
        /// The file.
        name: String,
        /// What kind of file it is.
        format: &'static str,
        /// What is wrong with it.
        what: String,
    },
    /// A good header, and no sound after it.
    #[error("{name}: holds no audio samples")]
    NoSamples {
        /// The file.
        name: String,
    },
    /// A [`crate::Segment`] that begins after the sound has ended.
    #[error("{name}: there is nothing from {offset} s on, the sound ends at {seconds:.3} s")]
    Segment {
        /// The file.
        name: String,
        /// Where the segment begins.
        offset: f64,
        /// How long the sound is.
        seconds: f64,
    },
    /// A float sample that is no number, infinite, or beyond [`crate::Clip::LOUDEST`].
    #[error("{name}: sample {index} is {value}, which is no sound")]
    NotFinite {
        /// The file.
        name: String,
        /// Which sample, counted from 0.
        index: u64,
        /// What it is.
        value: f32,
    },
    /// More than the caller's [`crate::Limits`] allow.
    #[error("{name}: {what} is {found}, the limit is {limit}")]
    Limit {
        /// The file.
        name: String,
        /// What there is too much (or too little) of.
        what: &'static str,
        /// How much there is.
        found: String,
        /// How much there may be.
        limit: String,
    },
    /// A sample rate that cannot be converted from or to.
    #[error(
        "cannot resample from {from} Hz to {to} Hz: rates must be 1 to {} Hz",
        crate::resample::MAX_RATE
    )]
    Rate {
        /// The clip's rate.
        from: u32,
        /// What was asked for.
        to: u32,
    },
    /// Feature settings that make no sense, alone or for this clip.
    #[error("feature settings: {0}")]
    Settings(String),
    /// A picture that cannot be drawn.
    #[error("picture: {0}")]
    Picture(String),
    /// A device refused a kernel.
    #[error(transparent)]
    Kernel(#[from] kernels::Error),
}

/// Results of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;
