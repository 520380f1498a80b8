//! FLAC, Ogg Vorbis and AIFF through symphonia (feature `formats`).
//!
//! A packet that is damaged is left out, and the sound ends where the container does. What cannot be read is an error.

use super::Limits;
use super::bytes::Bytes;
use super::stream::Source;
use crate::error::{Error, Result};
use std::io::{self, Read, Seek, SeekFrom};
use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error as Trouble;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream};
use symphonia::core::meta::MetadataOptions;

/// Opens a file that begins as `format` does.
pub(super) fn open<'a>(
    bytes: Bytes<'a>,
    format: &'static str,
    limits: &Limits,
) -> Result<Codec<'a>> {
    let name = bytes.name.clone();
    open_source(Box::new(Cursor { bytes, at: 0 }), name, format, limits)
}

fn open_source<'a>(
    source: Box<dyn MediaSource + 'a>,
    name: String,
    format: &'static str,
    limits: &Limits,
) -> Result<Codec<'a>> {
    let refuse = |trouble| refusal(trouble, &name, format);
    let unsupported = |what: &str| Error::Unsupported {
        name: name.clone(),
        what: format!("{format} with {what}"),
    };
    let source = MediaSourceStream::new(source, Default::default());
    let reader = symphonia::default::get_probe()
        .probe(
            &Hint::new(),
            source,
            FormatOptions::default(),
            MetadataOptions::default(),
        )
        .map_err(refuse)?;
    let track = reader
        .default_track(TrackType::Audio)
        .ok_or_else(|| unsupported("no sound that is known"))?;
    let parameters = track.codec_params.as_ref().and_then(|p| p.audio());
    let parameters = parameters.ok_or_else(|| unsupported("sound of an unknown kind"))?;
    let rate = parameters
        .sample_rate
        .ok_or_else(|| unsupported("no sample rate"))?;
    limits.check_rate(&name, rate)?;
    if let Some(channels) = &parameters.channels {
        let count = u32::try_from(channels.count()).unwrap_or(u32::MAX);
        limits.check_channels(&name, count)?;
    }
    let decoder = symphonia::default::get_codecs()
        .make_audio_decoder(parameters, &AudioDecoderOptions::default())
        .map_err(refuse)?;
    // A count of 0 stands for one that the encoder did not know.
    let to_come = track.num_frames.filter(|&n| n > 0);
    let track = track.id;
    Ok(Codec {
        name,
        reader,
        decoder,
        track,
        rate,
        to_come,
        interleaved: Vec::new(),
    })
}

fn refusal(trouble: Trouble, name: &str, format: &'static str) -> Error {
    let name = name.to_string();
    match trouble {
        Trouble::IoError(source) if source.kind() != io::ErrorKind::UnexpectedEof => {
            Error::Read { name, source }
        }
        Trouble::IoError(_) => Error::Malformed {
            name,
            format,
            what: "it ends inside the header".into(),
        },
        Trouble::Unsupported(what) => Error::Unsupported {
            name,
            what: format!("{format} with {what}"),
        },
        other => Error::Malformed {
            name,
            format,
            what: other.to_string(),
        },
    }
}

/// The sound of one track.
pub(super) struct Codec<'a> {
    name: String,
    reader: Box<dyn FormatReader + 'a>,
    decoder: Box<dyn AudioDecoder>,
    track: u32,
    rate: u32,
    to_come: Option<u64>,
    interleaved: Vec<f32>,
}

impl Source for Codec<'_> {
    fn rate(&self) -> u32 {
        self.rate
    }

    fn about(&self) -> Option<u64> {
        self.to_come
    }

    fn read(&mut self, samples: &mut Vec<f32>) -> Result<bool> {
        loop {
            let packet = match self.reader.next_packet() {
                Ok(Some(packet)) => packet,
                // The system's error: symphonia makes others of damaged bits.
                Err(Trouble::IoError(source)) if source.raw_os_error().is_some() => {
                    let name = self.name.clone();
                    return Err(Error::Read { name, source });
                }
                // Whatever else stops the container ends the sound: there is no way to go on after it.
                _ => return Ok(false),
            };
            if packet.track_id != self.track {
                continue;
            }
            let Ok(block) = self.decoder.decode(&packet) else {
                continue;
            };
            let channels = block.spec().channels().count();
            if block.spec().rate() != self.rate || channels == 0 {
                continue;
            }
            block.copy_to_vec_interleaved(&mut self.interleaved);
            let gain = 1.0 / channels as f32;
            let blocks = self.interleaved.chunks_exact(channels);
            match channels {
                1 => samples.extend_from_slice(&self.interleaved),
                _ => samples.extend(blocks.map(|block| gain * block.iter().sum::<f32>())),
            }
            let given = (self.interleaved.len() / channels) as u64;
            self.to_come = self.to_come.map(|left| left.saturating_sub(given));
            return Ok(true);
        }
    }
}

/// The bytes of a file as symphonia reads them.
struct Cursor<'a> {
    bytes: Bytes<'a>,
    at: u64,
}

impl Read for Cursor<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.read_at(self.at, buffer)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Cursor<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.bytes.len().checked_add_signed(by),
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
        Some(self.bytes.len())
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
