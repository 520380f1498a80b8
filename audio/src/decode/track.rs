//! One track of a container: symphonia takes the container apart and decodes most codecs.
//!
//! A packet that is damaged is left out, and the sound ends where the container does. What cannot be read is an error.

use super::format::Container;
use super::limits::Limits;
use super::ogg;
use super::opus::{self, Opus};
use super::trim::Trim;
use super::vorbis::Vorbis;
use crate::error::{Error, Result};
use std::io;
use symphonia::core::codecs::audio::well_known::{CODEC_ID_AAC, CODEC_ID_OPUS, CODEC_ID_VORBIS};
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error as Trouble;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream};
use symphonia::core::meta::MetadataOptions;
use symphonia::core::packet::Packet;

/// What errors say of a file.
#[derive(Clone)]
pub(super) struct File {
    pub(super) name: String,
    pub(super) container: Container,
}

impl File {
    fn unsupported(&self, what: &str) -> Error {
        Error::Unsupported {
            name: self.name.clone(),
            what: format!("{} with {what}", self.container.name()),
        }
    }

    /// Refuses an Ogg file none of whose streams is sound that is decoded, by the name of what it holds.
    pub(super) fn check_streams(&self, survey: &ogg::Survey) -> Result<()> {
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
            Trouble::Unsupported(what) if !what.contains("missing") => self.unsupported(what),
            other => Error::Malformed {
                name,
                format,
                what: other.to_string(),
            },
        }
    }
}

/// One track of a file, or of one link of a chain.
pub(super) struct Track<'a> {
    reader: Box<dyn FormatReader + 'a>,
    decoder: Decoder,
    id: u32,
    pub(super) rate: u32,
    is_aac: bool,
    /// Samples that the encoder put first and that are still to be left out.
    skip: u64,
    /// Samples that are sound after them, at most.
    keep: u64,
    /// Samples still to come, where the container tells.
    pub(super) to_come: Option<u64>,
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
    pub(super) fn open(
        source: Box<dyn MediaSource + 'a>,
        file: &File,
        limits: &Limits,
    ) -> Result<Self> {
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
            keep: u64::MAX,
            to_come: to_come.map(|n| n.saturating_sub(skip)),
            damaged: 0,
            broken: None,
            interleaved: Vec::new(),
        })
    }

    /// Leaves out what the container says is none of the sound.
    pub(super) fn trim(&mut self, trim: &Trim) {
        self.skip = self.skip.max(trim.skip);
        self.keep = trim.keep.unwrap_or(u64::MAX);
        if let Some(to_come) = &mut self.to_come {
            *to_come = to_come.saturating_sub(trim.skip).min(self.keep);
        }
    }

    pub(super) fn warnings_at_start(&self) -> Vec<String> {
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

    pub(super) fn warnings_at_end(&self) -> Vec<String> {
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
    pub(super) fn read(&mut self, file: &File, samples: &mut Vec<f32>) -> Result<bool> {
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
            let kept = (count - skipped).min(self.keep);
            self.keep -= kept;
            let (from, to) = (skipped as usize, (skipped + kept) as usize);
            let rest = &self.interleaved[from * channels..to * channels];
            let gain = 1.0 / channels as f32;
            match channels {
                1 => samples.extend_from_slice(rest),
                _ => samples.extend(
                    rest.chunks_exact(channels)
                        .map(|block| gain * block.iter().sum::<f32>()),
                ),
            }
            self.to_come = (self.to_come).map(|left| left.saturating_sub(kept));
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Seek, SeekFrom};

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
        // A CAF file of silence, longer than what symphonia reads ahead.
        let silence = 1u64 << 20;
        let mut caf = b"caff\0\x01\0\0desc\0\0\0\0\0\0\0\x20".to_vec();
        caf.extend(8000f64.to_be_bytes());
        caf.extend(b"lpcm");
        caf.extend([0u32, 2, 1, 1, 16].map(u32::to_be_bytes).concat());
        caf.extend(b"data");
        caf.extend((4 + silence).to_be_bytes());
        caf.extend(vec![0; 4 + silence as usize]);
        let file = File {
            name: "song.caf".into(),
            container: Container::Caf,
        };
        let source = Box::new(Failing(io::Cursor::new(caf)));
        let mut track = Track::open(source, &file, &Limits::default()).unwrap();
        let mut samples = Vec::new();
        let error = loop {
            match track.read(&file, &mut samples) {
                Ok(more) => assert!(more, "ended after {} samples", samples.len()),
                Err(error) => break error,
            }
        };
        assert!(
            matches!(&error, Error::Read { name, .. } if name == "song.caf"),
            "{error}"
        );
    }
}
