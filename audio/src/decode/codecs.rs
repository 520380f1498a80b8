//! FLAC, Vorbis, AAC, ALAC and Opus, in files of their own, Ogg, MP4, Matroska and CAF (feature `formats`).
//!
//! An Ogg file may be a chain: its links are read one after the other.

use super::bytes::Bytes;
use super::cursor::Cursor;
use super::format::Container;
use super::limits::Limits;
use super::source::Source;
use super::track::{File, Track};
use super::trim::Trim;
use super::{mp4, ogg, tags};
use crate::error::{Error, Result};
use crate::resample::Resampler;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

/// Opens a file that begins as `container` does.
pub(super) fn open<'a>(
    mut bytes: Bytes<'a>,
    container: Container,
    limits: &Limits,
) -> Result<Codec<'a>> {
    let file = File {
        name: bytes.name.clone(),
        container,
    };
    if container == Container::Caf {
        check_caf(&mut bytes)?;
    }
    let mut warnings = Vec::new();
    let links: VecDeque<_> = match container {
        Container::Ogg => {
            let survey = ogg::Survey::of(&mut bytes)?;
            file.check_streams(&survey)?;
            if survey.junk > 0 {
                let junk = survey.junk;
                warnings.push(format!("{junk} bytes between its Ogg pages are left out"));
            }
            if survey.links.last().is_some_and(|link| !link.ended) {
                warnings.push("its last Ogg page is missing; it may have been cut short".into());
            }
            survey.links.into_iter().map(|link| link.range).collect()
        }
        // Tags before and after the sound would be taken for parts of it.
        Container::Flac | Container::Adts => {
            std::iter::once(tags::strip(&mut bytes, 0..u64::MAX)?.range).collect()
        }
        _ => std::iter::once(0..bytes.len()).collect(),
    };
    let trim = match container {
        Container::Mp4 => mp4::trim(&mut bytes)?,
        _ => Trim::default(),
    };
    let bytes = Arc::new(Mutex::new(bytes));
    let cursors = links.into_iter().map(|range| Cursor::new(&bytes, range));
    let mut codec = Codec::new(file, cursors, limits)?;
    if let Some(track) = &mut codec.track {
        track.trim(&trim);
    }
    codec.warnings.extend(warnings);
    Ok(codec)
}

/// Refuses sizes in a CAF file's description with which symphonia's own sums would overflow.
fn check_caf(bytes: &mut Bytes<'_>) -> Result<()> {
    // Behind the file's header: a chunk `desc` of a rate, a name, flags, then bytes and samples of a packet.
    let name = bytes.array(8)?;
    let size = bytes.array(36)?.map(u32::from_be_bytes);
    let samples = bytes.array(40)?.map(u32::from_be_bytes);
    let what = match (name, size, samples) {
        (Some(name), _, _) if name != *b"desc" => "it does not begin with a `desc` chunk".into(),
        (_, Some(size), Some(samples)) if size > 1 << 24 || samples > 1 << 24 => {
            format!("packets of {size} bytes and {samples} samples")
        }
        _ => return Ok(()),
    };
    Err(Error::Malformed {
        name: bytes.name.clone(),
        format: Container::Caf.name(),
        what,
    })
}

/// The sound of a file: one track, or those of a chain's links, one after the other.
pub(super) struct Codec<'a> {
    file: File,
    limits: Limits,
    /// The rate of the first link.
    rate: u32,
    track: Option<Track<'a>>,
    later: VecDeque<Link<'a>>,
    /// For a link of another rate.
    resampler: Option<Resampler>,
    decoded: Vec<f32>,
    warnings: Vec<String>,
}

/// A link that is still to be heard.
struct Link<'a> {
    cursor: Cursor<'a>,
    /// As many samples as it gives at the file's rate.
    samples: Option<u64>,
}

impl<'a> Codec<'a> {
    fn new(
        file: File,
        mut links: impl Iterator<Item = Cursor<'a>>,
        limits: &Limits,
    ) -> Result<Self> {
        let ends = || Error::Malformed {
            name: file.name.clone(),
            format: file.container.name(),
            what: "it ends inside the header".into(),
        };
        let first = links.next().ok_or_else(ends)?;
        let track = Track::open(Box::new(first), &file, limits)?;
        let rate = track.rate;
        let warnings = track.warnings_at_start();
        let later = links.map(|cursor| {
            let track = Track::open(Box::new(cursor.clone()), &file, limits).ok();
            let samples = track.and_then(|track| {
                let samples = u128::from(track.to_come?) * u128::from(rate);
                u64::try_from(samples.div_ceil(track.rate.into())).ok()
            });
            Link { cursor, samples }
        });
        Ok(Codec {
            rate,
            track: Some(track),
            later: later.collect(),
            resampler: None,
            decoded: Vec::new(),
            warnings,
            limits: *limits,
            file,
        })
    }
}

impl Source for Codec<'_> {
    fn rate(&self) -> u32 {
        self.rate
    }

    fn about(&self) -> Option<u64> {
        let now = (self.track.as_ref()).map_or(Some(0), |track| {
            let samples = u128::from(track.to_come?) * u128::from(self.rate);
            u64::try_from(samples.div_ceil(track.rate.into())).ok()
        });
        let later = self.later.iter().map(|link| link.samples);
        later.fold(now, |sum, samples| sum?.checked_add(samples?))
    }

    fn warnings(&self) -> Vec<String> {
        self.warnings.clone()
    }

    fn read(&mut self, samples: &mut Vec<f32>) -> Result<bool> {
        loop {
            if let Some(track) = &mut self.track {
                let more = match &mut self.resampler {
                    None => track.read(&self.file, samples)?,
                    Some(resampler) => {
                        self.decoded.clear();
                        let more = track.read(&self.file, &mut self.decoded)?;
                        resampler.push(&self.decoded, samples);
                        more
                    }
                };
                if more {
                    return Ok(true);
                }
                self.warnings.extend(track.warnings_at_end());
                self.track = None;
            }
            if let Some(resampler) = self.resampler.take() {
                resampler.finish(samples);
            }
            let Some(link) = self.later.pop_front() else {
                return Ok(false);
            };
            self.follow(link);
        }
    }
}

impl<'a> Codec<'a> {
    /// Goes on with the next link of a chain, or warns that it cannot.
    fn follow(&mut self, link: Link<'a>) {
        let at = link.cursor.range.start;
        let left_out = |why: String| format!("the stream at byte {at} is left out: {why}");
        let track = match Track::open(Box::new(link.cursor), &self.file, &self.limits) {
            Ok(track) => track,
            Err(error) => {
                // It names the file, which the warning's reader does as well.
                let error = error.to_string();
                let why = error.strip_prefix(&format!("{}: ", self.file.name));
                return self.warnings.push(left_out(why.unwrap_or(&error).into()));
            }
        };
        if track.rate != self.rate {
            self.resampler = Resampler::new(track.rate, self.rate);
            if self.resampler.is_none() {
                let rate = track.rate;
                return (self.warnings).push(left_out(format!("its sample rate is {rate} Hz")));
            }
        }
        self.warnings.extend(track.warnings_at_start());
        self.track = Some(track);
    }
}
