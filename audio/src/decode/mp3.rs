//! The sound of MPEG audio, one channel: the mean of two.
//!
//! Tags are stripped, garbage between frames is skipped, a last frame that is cut short is left out. The delay and the
//! padding that a LAME tag declares are trimmed, as librosa's decoder does. Frames may change their number of channels
//! (each is mixed by itself) and their sample rate: then the rate that most of the sound has is the clip's, and the
//! rest is resampled to it. To know that rate, and whether this is MPEG audio at all, the headers are read once before.

use super::bytes::Bytes;
use super::frames::Frames;
use super::limits::Limits;
use super::source::Source;
use super::tags::{self, Gapless};
use crate::error::{Error, Result};
use crate::resample::Resampler;
use std::collections::BTreeMap;
use std::ops::Range;

/// MPEG audio in `range` of a file, or in all of it. `signed`: it begins as MPEG audio does, so it is one, if a damaged
/// one; otherwise frames that make up less than half of it are taken for chance hits in something that is none.
pub(super) fn open<'a>(
    mut bytes: Bytes<'a>,
    range: Option<Range<u64>>,
    limits: &Limits,
    signed: bool,
) -> Result<Box<dyn Source + Send + 'a>> {
    let name = bytes.name.clone();
    let range = tags::strip(&mut bytes, range.unwrap_or(0..u64::MAX))?;
    let mut frames = Frames::new(bytes, range.clone());
    let survey = Survey::of(&mut frames, limits)?;
    let found = !survey.samples.is_empty();
    if !signed && (!found || survey.frame_bytes < (range.end - range.start) / 2) {
        return Err(Error::Unrecognised { name });
    }
    let rate = survey.commonest_rate();
    let total = survey.samples_at(rate);
    let gapless = survey.gapless.clone().unwrap_or_default();
    // What the encoder added is left out, unless that is all there is.
    let trimmed = (gapless.skip as u64) < total;
    Ok(Box::new(Mp3 {
        frames: Frames::new(frames.bytes, range),
        rate,
        tagged: survey.gapless.is_some(),
        to_come: total,
        to_skip: if trimmed { gapless.skip } else { 0 },
        to_keep: gapless
            .keep
            .filter(|&n| trimmed && n > 0)
            .unwrap_or(usize::MAX),
        held: Vec::new(),
        begun: false,
        other_rate: None,
    }))
}

/// What the frames' headers tell.
#[derive(Default)]
struct Survey {
    /// Samples of each rate.
    samples: BTreeMap<u32, u64>,
    /// Bytes of all frames, garbage between them not counted.
    frame_bytes: u64,
    /// What the Xing frame says, where the first frame is one.
    gapless: Option<Gapless>,
}

impl Survey {
    /// Walks to the end without decoding; refuses rates and channels that the limits forbid.
    fn of(frames: &mut Frames<'_>, limits: &Limits) -> Result<Survey> {
        let mut survey = Survey::default();
        let name = frames.bytes.name.clone();
        let mut at_start = true;
        while let Some(frame) = frames.next(false)? {
            survey.frame_bytes += frame.bytes.len() as u64;
            if std::mem::take(&mut at_start)
                && let Some(gapless) = tags::xing(frame.bytes, &frame.header)
            {
                survey.gapless = Some(gapless);
                continue;
            }
            let header = frame.header;
            limits.check_rate(&name, header.rate)?;
            limits.check_channels(&name, header.channels as u32)?;
            *survey.samples.entry(header.rate).or_default() += header.samples() as u64;
        }
        Ok(survey)
    }

    fn commonest_rate(&self) -> u32 {
        let seconds = |(rate, samples): &(&u32, &u64)| **samples as f64 / f64::from(**rate);
        self.samples
            .iter()
            .max_by(|a, b| seconds(a).total_cmp(&seconds(b)))
            .map_or(0, |(rate, _)| *rate)
    }

    /// All samples, once they are resampled to `rate`.
    fn samples_at(&self, rate: u32) -> u64 {
        let at = |(own, samples): (&u32, &u64)| {
            (u128::from(*samples) * u128::from(rate)).div_ceil(u128::from(*own)) as u64
        };
        self.samples.iter().map(at).sum()
    }
}

/// The sound of MPEG audio.
struct Mp3<'a> {
    frames: Frames<'a>,
    rate: u32,
    /// Whether the first frame is a Xing frame that is still to come.
    tagged: bool,
    /// As many samples as are still to come, at most and untrimmed.
    to_come: u64,
    /// Samples that the encoder put first, and how many are sound after them.
    to_skip: usize,
    to_keep: usize,
    /// What was left out at the start: it is the sound where nothing else comes.
    held: Vec<f32>,
    begun: bool,
    /// For a run of frames of another rate.
    other_rate: Option<(u32, Resampler)>,
}

impl Source for Mp3<'_> {
    fn rate(&self) -> u32 {
        self.rate
    }

    fn about(&self) -> Option<u64> {
        let trimmed = self.to_come.saturating_sub(self.to_skip as u64);
        Some(trimmed.min(self.to_keep as u64))
    }

    fn read(&mut self, samples: &mut Vec<f32>) -> Result<bool> {
        if self.to_keep == 0 {
            return Ok(false);
        }
        let before = samples.len();
        let more = self.decode(samples)?;
        self.to_come = self.to_come.saturating_sub((samples.len() - before) as u64);
        if self.to_skip > 0 {
            let first = self.to_skip.min(samples.len() - before);
            self.held.extend(samples.drain(before..before + first));
            self.to_skip -= first;
        }
        if !more && !self.begun && samples.len() == before {
            samples.append(&mut self.held);
            self.to_keep = usize::MAX;
        }
        samples.truncate(before.saturating_add(self.to_keep));
        let new = samples.len() - before;
        self.to_keep -= new;
        if new > 0 {
            self.begun = true;
            self.held = Vec::new();
        }
        if !more {
            self.to_keep = 0;
        }
        Ok(true)
    }
}

impl Mp3<'_> {
    /// Appends the next frame's sound to `samples`; `false` at the end, where the last of a run may still come.
    fn decode(&mut self, samples: &mut Vec<f32>) -> Result<bool> {
        let refused = |rate| Error::Rate {
            from: rate,
            to: self.rate,
        };
        let Some(frame) = self.frames.next(true)? else {
            if let Some((_, run)) = self.other_rate.take() {
                run.finish(samples);
            }
            return Ok(false);
        };
        if std::mem::take(&mut self.tagged) || frame.samples.is_empty() {
            return Ok(true);
        }
        let rate = frame.header.rate;
        if let Some((_, run)) = self.other_rate.take_if(|(other, _)| *other != rate) {
            run.finish(samples);
        }
        if rate == self.rate {
            samples.extend_from_slice(frame.samples);
            return Ok(true);
        }
        if self.other_rate.is_none() {
            let run = Resampler::new(rate, self.rate).ok_or_else(|| refused(rate))?;
            self.other_rate = Some((rate, run));
        }
        if let Some((_, run)) = &mut self.other_rate {
            run.push(frame.samples, samples);
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All samples, and the number of frames.
    fn samples(bytes: &[u8]) -> (Vec<f32>, usize) {
        let mut bytes = Bytes::of(bytes, "x", &Limits::default()).unwrap();
        let range = tags::strip(&mut bytes, 0..u64::MAX).unwrap();
        let mut walk = Frames::new(bytes, range);
        let mut all = Vec::new();
        let mut frames = 0;
        while let Some(frame) = walk.next(true).unwrap() {
            all.extend_from_slice(frame.samples);
            frames += usize::from(!frame.samples.is_empty());
        }
        (all, frames)
    }

    /// minimp3's own conformance vectors: the samples beside each stream, to one least bit.
    #[test]
    fn conformance_vectors_decode_to_one_least_bit() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/minimp3");
        for name in ["l3-hecommon", "l3-he_free", "l3-he_mode", "l3-si"] {
            let read =
                |ending: &str| std::fs::read(folder.join(format!("{name}.{ending}"))).unwrap();
            let (stream, pcm) = (read("bit"), read("pcm"));
            let mut pcm = pcm
                .chunks_exact(2)
                .map(|b| f32::from(i16::from_le_bytes([b[0], b[1]])));
            // Frames of one channel and of two may follow each other.
            let bytes = Bytes::of(&stream, name, &Limits::default()).unwrap();
            let mut walk = Frames::new(bytes, 0..stream.len() as u64);
            let mut expected = Vec::new();
            while let Some(frame) = walk.next(false).unwrap() {
                let channels = frame.header.channels;
                for _ in 0..frame.header.samples() {
                    let each: Vec<f32> = pcm.by_ref().take(channels).collect();
                    expected.extend(
                        (each.len() == channels)
                            .then(|| each.iter().sum::<f32>() / channels as f32),
                    );
                }
            }
            let (decoded, _) = samples(&stream);
            // The vectors' decoder left out the last frame of some streams, for want of another one after it.
            let more = decoded.len() - expected.len();
            assert!(more <= 1152, "{name}: {more} samples more");
            let off = decoded
                .iter()
                .zip(&expected)
                .map(|(a, b)| (a * 32_768.0 - b).abs());
            let worst = off.fold(0.0, f32::max);
            assert!(worst <= 1.0, "{name}: off by {worst}");
        }
    }

    #[test]
    fn frames_survive_garbage_before_between_and_after() {
        let stream = include_bytes!("../../tests/data/minimp3/l3-hecommon.bit");
        let (whole, frames) = samples(stream);
        let middle = stream.len() / 2;
        let garbage = [0x55; 700];
        let dirty = [
            &garbage[..],
            &stream[..middle],
            &garbage,
            &stream[middle..],
            &garbage,
        ]
        .concat();
        let (left, dirty_frames) = samples(&dirty);
        // Around the cut: the frame that is cut, and those that borrow bits from frames before them.
        assert!(dirty_frames + 6 >= frames, "{dirty_frames} of {frames}");
        assert!(!left.is_empty() && left.len() <= whole.len());
        let (cut, _) = samples(&stream[..middle]);
        assert_eq!(
            cut,
            whole[..cut.len()],
            "what a truncated file gives is what the whole one starts with"
        );
    }

    const STREAM: &[u8] = include_bytes!("../../tests/data/minimp3/l3-hecommon.bit");

    /// `stream` after a Xing frame with a LAME tag.
    fn tagged(delay: u32, padding: u32, frames: u32, stream: &[u8]) -> Vec<u8> {
        // The stream's own header, at 128 kbit/s and without a checksum: 417 bytes at 44.1 kHz.
        let mut bytes = vec![0xff, stream[1] | 1, stream[2] & 0x0d | 0x90, stream[3]];
        bytes.extend([0; 32]);
        bytes.extend(b"Info\0\0\0\x01");
        bytes.extend(frames.to_be_bytes());
        bytes.extend(b"LAME3.100");
        bytes.extend([0; 12]);
        bytes.extend(&(delay << 12 | padding).to_be_bytes()[1..]);
        bytes.resize(417, 0);
        bytes.extend(stream);
        bytes
    }

    #[test]
    fn what_the_encoder_added_is_trimmed_but_never_everything() {
        let sound = |bytes: &[u8]| {
            let clip = crate::decode_bytes(bytes, "x", &Limits::default());
            clip.unwrap().samples
        };
        let whole = sound(STREAM);
        let no_length = sound(&tagged(0, 0, 0, STREAM));
        assert_eq!(no_length, whole[529..], "to the end");
        let (skip, keep) = (576 + 529, 30 * 1152 - 576 - 1000);
        assert_eq!(
            sound(&tagged(576, 1000, 30, STREAM)),
            whole[skip..skip + keep]
        );
        let short = &STREAM[..1000];
        let few = sound(short);
        assert!(few.len() < 4095 + 529, "{}", few.len());
        assert_eq!(sound(&tagged(4095, 0, 0, short)), few);
    }

    #[test]
    fn the_survey_says_what_decoding_gives() {
        let limits = Limits::default();
        let bytes = Bytes::of(STREAM, "x", &limits).unwrap();
        let source = open(bytes, None, &limits, true).unwrap();
        assert_eq!((source.rate(), source.about()), (44_100, Some(30 * 1152)));
    }

    #[test]
    fn of_several_rates_the_commonest_wins() {
        let survey = Survey {
            samples: [(44_100, 8820), (48_000, 48_000)].into(),
            ..Survey::default()
        };
        assert_eq!(survey.commonest_rate(), 48_000);
        assert_eq!(survey.samples_at(48_000), 48_000 + 9600);
    }
}
