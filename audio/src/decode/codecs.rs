//! FLAC, Vorbis, AAC, ALAC and Opus, in files of their own, Ogg, MP4, Matroska and CAF (feature `formats`).
//!
//! symphonia takes the containers apart and decodes most codecs. A packet that is damaged is left out, and the sound ends
//! where the container does. What cannot be read is an error. An Ogg file may be a chain: its links are read one after
//! the other.

use super::bytes::Bytes;
use super::format::Container;
use super::limits::Limits;
use super::ogg;
use super::opus::{self, Opus};
use super::source::Source;
use super::tags;
use super::vorbis::Vorbis;
use crate::error::{Error, Result};
use crate::resample::Resampler;
use std::collections::VecDeque;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::{Arc, Mutex};
use symphonia::core::codecs::audio::well_known::{CODEC_ID_AAC, CODEC_ID_OPUS, CODEC_ID_VORBIS};
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error as Trouble;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream};
use symphonia::core::meta::MetadataOptions;
use symphonia::core::packet::Packet;

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
        Container::Flac | Container::Adts => [tags::strip(&mut bytes, 0..u64::MAX)?].into(),
        _ => [0..bytes.len()].into(),
    };
    let bytes = Arc::new(Mutex::new(bytes));
    let cursor = |range| Cursor {
        bytes: Arc::clone(&bytes),
        range,
        at: 0,
    };
    let mut codec = Codec::new(file, links.into_iter().map(cursor), limits)?;
    codec.warnings.extend(warnings);
    Ok(codec)
}

/// What errors say of a file.
#[derive(Clone)]
struct File {
    name: String,
    container: Container,
}

impl File {
    fn unsupported(&self, what: &str) -> Error {
        Error::Unsupported {
            name: self.name.clone(),
            what: format!("{} with {what}", self.container.name()),
        }
    }

    /// Refuses an Ogg file none of whose streams is sound that is decoded, by the name of what it holds.
    fn check_streams(&self, survey: &ogg::Survey) -> Result<()> {
        const DECODED: [&str; 3] = ["Vorbis", "Opus", "FLAC"];
        let streams = || survey.links.iter().flat_map(|link| &link.streams).flatten();
        match streams().next() {
            Some(first) if !streams().any(|codec| DECODED.contains(codec)) => {
                Err(self.unsupported(first))
            }
            _ => Ok(()),
        }
    }

    fn refusal(&self, trouble: Trouble) -> Error {
        let (name, format) = (self.name.clone(), self.container.name());
        match trouble {
            Trouble::IoError(source) if source.kind() != io::ErrorKind::UnexpectedEof => {
                Error::Read { name, source }
            }
            Trouble::IoError(_) => Error::Malformed {
                name,
                format,
                what: "it ends inside the header".into(),
            },
            Trouble::Unsupported(what) => self.unsupported(what),
            other => Error::Malformed {
                name,
                format,
                what: other.to_string(),
            },
        }
    }
}

/// One track of a file, or of one link of a chain.
struct Track<'a> {
    reader: Box<dyn FormatReader + 'a>,
    decoder: Decoder,
    id: u32,
    rate: u32,
    is_aac: bool,
    /// Samples that the encoder put first and that are still to be left out.
    skip: u64,
    /// Samples still to come, where the container tells.
    to_come: Option<u64>,
    /// Packets that could not be decoded, and why the container ended, if not at its end.
    damaged: u64,
    broken: Option<String>,
    interleaved: Vec<f32>,
}

enum Decoder {
    Symphonia(Box<dyn AudioDecoder>),
    Opus(Box<Opus>),
    Vorbis(Box<Vorbis>),
}

impl Decoder {
    fn new(parameters: &AudioCodecParameters, file: &File) -> Result<Decoder> {
        let extra = parameters.extra_data.as_deref().unwrap_or_default();
        if parameters.codec == CODEC_ID_OPUS {
            let opus = Opus::new(extra);
            let refused = || file.unsupported("Opus of an unknown channel mapping");
            return Ok(Decoder::Opus(Box::new(opus.ok_or_else(refused)?)));
        }
        if parameters.codec == CODEC_ID_VORBIS {
            let vorbis = Vorbis::new(extra);
            let refused = || file.unsupported("Vorbis of broken headers");
            return Ok(Decoder::Vorbis(Box::new(vorbis.ok_or_else(refused)?)));
        }
        symphonia::default::get_codecs()
            .make_audio_decoder(parameters, &AudioDecoderOptions::default())
            .map(Decoder::Symphonia)
            .map_err(|trouble| file.refusal(trouble))
    }

    /// The samples of a packet, all channels in turn, and the number of channels; `None` for a damaged one.
    fn decode(&mut self, packet: &Packet, rate: u32, to: &mut Vec<f32>) -> Option<usize> {
        to.clear();
        let channels = match self {
            Decoder::Symphonia(decoder) => {
                let block = decoder.decode(packet).ok()?;
                let spec = block.spec();
                let channels = spec.channels().count();
                if spec.rate() != rate {
                    return None;
                }
                block.copy_to_vec_interleaved(to);
                channels
            }
            Decoder::Opus(decoder) => {
                to.extend_from_slice(decoder.decode(&packet.data)?);
                decoder.channels()
            }
            Decoder::Vorbis(decoder) => {
                *to = decoder.decode(&packet.data)?;
                decoder.channels()
            }
        };
        if channels == 0 {
            return None;
        }
        // Not every decoder leaves out what the container says is none of the sound.
        let (start, end) = (packet.trim_start.get(), packet.trim_end.get());
        let count = (to.len() / channels) as u64;
        if count == start.saturating_add(packet.dur.get()).saturating_add(end) {
            to.truncate((count - end) as usize * channels);
            to.drain(..start as usize * channels);
        }
        Some(channels)
    }
}

impl<'a> Track<'a> {
    fn open(source: Box<dyn MediaSource + 'a>, file: &File, limits: &Limits) -> Result<Self> {
        let source = MediaSourceStream::new(source, Default::default());
        let reader = symphonia::default::get_probe()
            .probe(
                &Hint::new(),
                source,
                FormatOptions::default(),
                MetadataOptions::default(),
            )
            .map_err(|trouble| file.refusal(trouble))?;
        let track = reader
            .default_track(TrackType::Audio)
            .ok_or_else(|| file.unsupported("no sound that is known"))?;
        let parameters = track.codec_params.as_ref().and_then(|p| p.audio());
        let parameters = parameters.ok_or_else(|| file.unsupported("sound of an unknown kind"))?;
        if let Some(channels) = &parameters.channels {
            let count = u32::try_from(channels.count()).unwrap_or(u32::MAX);
            limits.check_channels(&file.name, count)?;
        }
        let decoder = Decoder::new(parameters, file)?;
        let (rate, skip) = match &decoder {
            Decoder::Opus(opus) => (Some(opus::RATE), opus.pre_skip),
            _ => (parameters.sample_rate, 0),
        };
        let rate = rate.ok_or_else(|| file.unsupported("no sample rate"))?;
        limits.check_rate(&file.name, rate)?;
        // A count of 0 stands for one that the encoder did not know.
        let to_come = track.num_frames.filter(|&n| n > 0);
        let (id, is_aac) = (track.id, parameters.codec == CODEC_ID_AAC);
        Ok(Track {
            is_aac,
            reader,
            decoder,
            id,
            rate,
            skip,
            to_come: to_come.map(|n| n.saturating_sub(skip)),
            damaged: 0,
            broken: None,
            interleaved: Vec::new(),
        })
    }

    fn warnings_at_start(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let tracks = self.reader.tracks().iter();
        let sound = tracks.filter(|track| track.track_type() == Some(TrackType::Audio));
        let others = sound.count().saturating_sub(1);
        if others > 0 {
            warnings.push(format!("{others} more tracks of sound are left out"));
        }
        // The half of HE-AAC that symphonia decodes cannot be told from AAC-LC of a low rate.
        if self.is_aac && self.rate <= 24_000 {
            let rate = self.rate;
            warnings.push(format!(
                "AAC at {rate} Hz is decoded as AAC-LC; if it is HE-AAC, its upper half is missing"
            ));
        }
        warnings
    }

    fn warnings_at_end(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.damaged > 0 {
            let damaged = self.damaged;
            warnings.push(format!("{damaged} damaged packets are left out"));
        }
        if let Some(broken) = &self.broken {
            warnings.push(format!(
                "what comes behind a broken place is left out: {broken}"
            ));
        }
        if let Some(missing @ 1..) = self.to_come {
            warnings.push(format!("it ends {missing} samples before its header says"));
        }
        warnings
    }

    /// Appends the next samples, mixed to one channel; `false` at the end.
    fn read(&mut self, file: &File, samples: &mut Vec<f32>) -> Result<bool> {
        loop {
            let packet = match self.reader.next_packet() {
                Ok(Some(packet)) => packet,
                // The system's error: symphonia makes others of damaged bits.
                Err(Trouble::IoError(source)) if source.raw_os_error().is_some() => {
                    let name = file.name.clone();
                    return Err(Error::Read { name, source });
                }
                Ok(None) => return Ok(false),
                // Whatever else stops the container ends the sound: there is no way to go on after it.
                Err(Trouble::IoError(_)) => return Ok(false),
                Err(trouble) => {
                    self.broken = Some(trouble.to_string());
                    return Ok(false);
                }
            };
            if packet.track_id != self.id {
                continue;
            }
            let decoded = (self.decoder).decode(&packet, self.rate, &mut self.interleaved);
            let Some(channels) = decoded else {
                self.damaged += 1;
                continue;
            };
            let count = (self.interleaved.len() / channels) as u64;
            let skipped = self.skip.min(count);
            self.skip -= skipped;
            let rest = &self.interleaved[skipped as usize * channels..];
            let gain = 1.0 / channels as f32;
            match channels {
                1 => samples.extend_from_slice(rest),
                _ => samples.extend(
                    rest.chunks_exact(channels)
                        .map(|block| gain * block.iter().sum::<f32>()),
                ),
            }
            self.to_come = (self.to_come).map(|left| left.saturating_sub(count - skipped));
            return Ok(true);
        }
    }
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

/// A part of a file's bytes, as symphonia reads them.
#[derive(Clone)]
struct Cursor<'a> {
    bytes: Arc<Mutex<Bytes<'a>>>,
    range: Range<u64>,
    at: u64,
}

impl Cursor<'_> {
    fn len(&self) -> u64 {
        self.range.end.saturating_sub(self.range.start)
    }
}

impl Read for Cursor<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.len().saturating_sub(self.at);
        let most = buffer
            .len()
            .min(usize::try_from(left).unwrap_or(usize::MAX));
        let mut bytes = self.bytes.lock().map_err(|_| io::ErrorKind::Other)?;
        let read = bytes.read_at(self.range.start + self.at, &mut buffer[..most])?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Cursor<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.len().checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

impl MediaSource for Cursor<'_> {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file on a disk that fails in its third quarter.
    struct Failing(io::Cursor<Vec<u8>>);

    impl Read for Failing {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let (at, quarter) = (self.0.position(), self.0.get_ref().len() as u64 / 4);
            match at / quarter {
                2 => Err(io::Error::from_raw_os_error(5)),
                _ => (&mut self.0).take(quarter - at % quarter).read(buffer),
            }
        }
    }

    impl Seek for Failing {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.0.seek(to)
        }
    }

    impl MediaSource for Failing {
        fn is_seekable(&self) -> bool {
            true
        }

        fn byte_len(&self) -> Option<u64> {
            Some(self.0.get_ref().len() as u64)
        }
    }

    #[test]
    fn what_cannot_be_read_is_not_the_end() {
        // Longer than what symphonia reads ahead, its three lengths changed to match.
        let mut file = include_bytes!("../../tests/data/formats/stereo.aiff").to_vec();
        file.resize(54 + (1 << 20), 0);
        for (at, length) in [(4, 46 + (1u32 << 20)), (22, 1 << 18), (42, 8 + (1 << 20))] {
            file[at..at + 4].copy_from_slice(&length.to_be_bytes());
        }
        let source = Box::new(Failing(io::Cursor::new(file)));
        let codec = open_source(source, "song.aiff".into(), "AIFF", &Limits::default());
        let (mut codec, mut samples) = (codec.unwrap(), Vec::new());
        let error = loop {
            match codec.read(&mut samples) {
                Ok(more) => assert!(more, "ended after {} samples", samples.len()),
                Err(error) => break error,
            }
        };
        assert!(
            matches!(&error, Error::Read { name, .. } if name == "song.aiff"),
            "{error}"
        );
    }
}
