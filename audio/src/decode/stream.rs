//! Decodes a file in blocks, so memory does not grow with its length.

use super::bytes::Bytes;
#[cfg(feature = "formats")]
use super::codecs;
use super::format::{Container, Format};
use super::limits::Limits;
use super::source::Source;
use super::{aiff, au, mp3, wav};
use crate::clip::Clip;
use crate::error::{Error, Result};
use std::path::Path;

/// A segment of a file, in seconds; by default all of it.
///
/// Both ends are rounded to whole samples of the file's own rate.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Segment {
    /// Start; if negative, relative to the end.
    pub offset: f64,
    /// Maximum duration: less if the file ends before. `None`: to the end.
    pub duration: Option<f64>,
}

impl Segment {
    /// Validates the segment.
    ///
    /// # Errors
    /// [`Error::Settings`] for a duration of 0 or less, and for values that are not finite.
    pub fn check(&self) -> Result<()> {
        let refuse = |what: String| Err(Error::Settings(what));
        if !self.offset.is_finite() {
            return refuse(format!("offset {} s is not finite", self.offset));
        }
        match self.duration {
            Some(d) if !(d.is_finite() && d > 0.0) => {
                refuse(format!("duration {d} s is not above 0"))
            }
            _ => Ok(()),
        }
    }
}

/// A file that is decoded while it is read: one channel (the mean of all), at its own sample rate.
///
/// ```
/// # use audio::{Clip, Limits, Stream, wav};
/// # let bytes = wav::encode(&Clip { samples: vec![0.5; 100_000], sample_rate: 8000 });
/// let mut stream = Stream::from_bytes(&bytes, "song.wav", &Limits::default())?;
/// let (mut loudest, mut samples) = (0f32, Vec::new());
/// while stream.read(&mut samples)? {
///     loudest = samples.drain(..).fold(loudest, |most, sample| most.max(sample.abs()));
/// }
/// assert_eq!((loudest, stream.position()), (0.5, 100_000));
/// # Ok::<(), audio::Error>(())
/// ```
pub struct Stream<'a> {
    source: Box<dyn Source + Send + 'a>,
    name: String,
    limits: Limits,
    /// Samples given and skipped.
    position: u64,
    /// Samples given.
    given: u64,
    /// Decoded samples that are still to be left out, and how many may be given after them.
    to_skip: u64,
    left: u64,
    /// Where the segment begins that it is limited to, in seconds.
    offset: f64,
}

impl<'a> Stream<'a> {
    /// Opens a file of any supported format, detected by its content. Of MP3 files all frame headers are read once.
    ///
    /// # Errors
    /// As [`super::decode`], for what the headers show.
    pub fn open(path: &Path, limits: &Limits) -> Result<Stream<'static>> {
        Stream::new(Bytes::open(path, limits)?, limits)
    }

    /// Opens a file's bytes; `name` is only used in errors.
    ///
    /// # Errors
    /// As [`Stream::open`].
    pub fn from_bytes(bytes: &'a [u8], name: &str, limits: &Limits) -> Result<Stream<'a>> {
        Stream::new(Bytes::of(bytes, name, limits)?, limits)
    }

    fn new(mut bytes: Bytes<'a>, limits: &Limits) -> Result<Stream<'a>> {
        let name = bytes.name.clone();
        let source: Box<dyn Source + Send + 'a> = match Format::of(&mut bytes)? {
            Format::Nothing => return Err(Error::Empty { name }),
            Format::Wav => wav::open(bytes, limits)?,
            Format::Au => Box::new(au::open(bytes, limits)?),
            Format::Aiff => aiff::open(bytes, limits)?,
            Format::Container(container) => contained(bytes, container, limits)?,
            Format::Other(what) => {
                return Err(Error::Unsupported {
                    name,
                    what: what.into(),
                });
            }
            Format::Mpeg => mp3::open(bytes, None, limits, true)?,
            Format::Unknown => mp3::open(bytes, None, limits, false)?,
        };
        Ok(Stream {
            source,
            name,
            limits: *limits,
            position: 0,
            given: 0,
            to_skip: 0,
            left: u64::MAX,
            offset: 0.0,
        })
    }

    /// Returns the sample rate, in Hz.
    pub fn sample_rate(&self) -> u32 {
        self.source.rate()
    }

    /// Returns the index of the next sample.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Returns the number of samples left, if the headers tell: exact for a valid file, an upper bound for a damaged
    /// one.
    pub fn about(&self) -> Option<u64> {
        let decoded = self.source.about()?;
        Some(decoded.saturating_sub(self.to_skip).min(self.left))
    }

    /// Returns faults of the part read so far that lose audio but are not errors: skipped bytes, silenced frames, an
    /// end before the one in the header. Each names the file.
    pub fn warnings(&self) -> Vec<String> {
        let named = |warning| format!("{}: {warning}", self.name);
        self.source.warnings().into_iter().map(named).collect()
    }

    /// Skips the next `samples`. Formats without random access are decoded all the same.
    pub fn skip(&mut self, samples: u64) {
        self.to_skip = self.to_skip.saturating_add(samples);
        let skipped = self.source.skip(self.to_skip);
        self.position = self.position.saturating_add(skipped);
        self.to_skip -= skipped.min(self.to_skip);
    }

    /// Limits the stream to `segment` (relative to the current position, or to the end that the headers declare).
    ///
    /// # Errors
    /// As [`Segment::check`]; [`Error::Segment`] for a segment that begins before the sound; [`Error::Unsupported`] for one
    /// that counts from an end which no header declares.
    pub fn limit_to(&mut self, segment: &Segment) -> Result<()> {
        segment.check()?;
        let rate = f64::from(self.sample_rate());
        let mut from = (segment.offset.abs() * rate).round() as u64;
        if segment.offset < 0.0 {
            from = self.before_the_end(from, segment.offset)?;
        }
        self.offset += from as f64 / rate;
        self.skip(from);
        if let Some(duration) = segment.duration {
            self.left = self.left.min((duration * rate).round().max(1.0) as u64);
        }
        Ok(())
    }

    /// Returns how many samples come before the last `samples`.
    fn before_the_end(&self, samples: u64, offset: f64) -> Result<u64> {
        let name = self.name.clone();
        let Some(length) = self.about() else {
            let what = format!("an offset of {offset} s in sound of unknown length");
            return Err(Error::Unsupported { name, what });
        };
        let seconds = length as f64 / f64::from(self.sample_rate());
        (length.checked_sub(samples)).ok_or(Error::Segment {
            name,
            offset,
            seconds,
        })
    }

    /// Other limits for how much may still come: what was opened to be heard piece by piece may turn out short.
    pub fn set_limits(&mut self, limits: &Limits) {
        self.limits = *limits;
    }

    /// Appends the next samples, some ten thousand at most; `false` at the end.
    ///
    /// # Errors
    /// [`Error::Read`]; [`Error::NotFinite`]; [`Error::Limit`] once [`Limits::max_seconds`] or [`Limits::max_samples`]
    /// is exceeded.
    pub fn read(&mut self, samples: &mut Vec<f32>) -> Result<bool> {
        let before = samples.len();
        if self.left == 0 || !self.source.read(samples)? {
            return Ok(false);
        }
        let new = (samples.len() - before) as u64;
        let out = self.to_skip.min(new);
        samples.drain(before..before + out as usize);
        self.to_skip -= out;
        let kept = (new - out).min(self.left);
        samples.truncate(before + kept as usize);
        self.left -= kept;
        Clip::check_samples(&samples[before..], self.position + out, &self.name)?;
        self.position += out + kept;
        self.given += kept;
        self.check_length(self.given)?;
        Ok(true)
    }

    fn check_length(&self, samples: u64) -> Result<()> {
        (self.limits).check_length(&self.name, samples, self.sample_rate())
    }

    /// Reads `segment`, relative to the current position, into a clip. [`Stream::warnings`] then reports faults.
    ///
    /// # Errors
    /// As [`Stream::read`]; [`Error::NoSamples`] for a file without audio, [`Error::Segment`] for a segment beyond its
    /// end, [`Error::Settings`] for an invalid segment.
    pub fn clip(&mut self, segment: &Segment) -> Result<Clip> {
        self.limit_to(segment)?;
        // What a header promises is refused before it is decoded.
        let about = self.about().unwrap_or(0);
        self.check_length(about)?;
        let mut samples = Vec::with_capacity((about.min(MOST_AHEAD) + AT_ONCE) as usize);
        while self.read(&mut samples)? {}
        let sample_rate = self.sample_rate();
        let name = self.name.clone();
        match (samples.is_empty(), self.position) {
            (true, 0) => Err(Error::NoSamples { name }),
            (true, position) => Err(Error::Segment {
                name,
                offset: self.offset,
                seconds: position as f64 / f64::from(sample_rate),
            }),
            _ => Ok(Clip {
                samples,
                sample_rate,
            }),
        }
    }
}

impl std::fmt::Debug for Stream<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stream")
            .field("name", &self.name)
            .field("sample_rate", &self.sample_rate())
            .field("position", &self.position)
            .finish_non_exhaustive()
    }
}

fn contained<'a>(
    bytes: Bytes<'a>,
    container: Container,
    #[allow(unused)] limits: &Limits,
) -> Result<Box<dyn Source + Send + 'a>> {
    #[cfg(feature = "formats")]
    return Ok(Box::new(codecs::open(bytes, container, limits)?));
    #[cfg(not(feature = "formats"))]
    Err(Error::Unsupported {
        name: bytes.name,
        what: format!("{} (built without the feature `formats`)", container.name()),
    })
}

/// About what one read gives at most: what is trimmed at the end needs room before it is.
const AT_ONCE: u64 = 1 << 14;

/// Bound on what is reserved ahead of being decoded: what a file says of itself may be wrong.
const MOST_AHEAD: u64 = 1 << 24;
