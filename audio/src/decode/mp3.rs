//! MPEG audio as sound of one channel: the mean of two.
//!
//! Tags are stripped, garbage between frames is skipped, a last frame that is cut short is left out. The delay and the
//! padding that a LAME tag or iTunes' comment declares are trimmed, as librosa's decoder does, and those of every part
//! where files were joined. A frame that cannot be decoded is silent, so that time stays right. Frames may change their
//! number of channels (each is mixed by itself) and their sample rate: then the rate that most of the sound has is the
//! clip's, and the rest is resampled to it. To know all that, the headers are read once before.

use super::bytes::Bytes;
use super::frames::Frames;
use super::limits::Limits;
use super::source::Source;
use super::tags::{self, Gapless, Stripped};
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
    let Stripped { range, gapless } = tags::strip(&mut bytes, range.unwrap_or(0..u64::MAX))?;
    let mut frames = Frames::new(bytes, range.clone());
    let survey = Survey::of(&mut frames, gapless, limits)?;
    let found = !survey.samples.is_empty();
    if !signed && (!found || survey.frame_bytes < (range.end - range.start) / 2) {
        return Err(Error::Unrecognised { name });
    }
    let rate = survey.commonest_rate();
    let to_come = survey.samples_at(rate);
    let mut trims = survey.trims().into_iter();
    Ok(Box::new(Mp3 {
        frames: Frames::new(frames.bytes, range),
        rate,
        to_come,
        trim: trims.next().unwrap_or_default(),
        trims,
        ended: false,
        begun: false,
        silence: 0,
        held: Vec::new(),
        damaged: 0,
        missing: survey.parts.iter().map(Part::missing).sum(),
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
    /// What is known of the sound before the first tag frame, and behind each: files may have been joined.
    parts: Vec<Part>,
}

/// Sound behind one tag.
#[derive(Default)]
struct Part {
    gapless: Gapless,
    samples: u64,
}

/// The most parts that are trimmed, so that no file can make many of them.
const MOST_PARTS: usize = 4096;

impl Survey {
    /// Walks to the end without decoding; refuses rates and channels that the limits forbid. `gapless` is what is known
    /// without a tag frame.
    fn of(
        frames: &mut Frames<'_>,
        mut gapless: Option<Gapless>,
        limits: &Limits,
    ) -> Result<Survey> {
        let name = frames.bytes.name.clone();
        let mut survey = Survey::default();
        survey.parts.push(Part {
            gapless: gapless.clone().unwrap_or_default(),
            samples: 0,
        });
        while let Some(frame) = frames.next(false)? {
            survey.frame_bytes += frame.bytes.len() as u64;
            if let Some(tag) = frame.tag {
                // The comment is of the first part, where its own tag does not know better.
                let comment = gapless.take().filter(|_| survey.samples.is_empty());
                let gapless = match comment {
                    Some(comment) if tag == Gapless::default() => comment,
                    _ => tag,
                };
                survey.begin(gapless);
                continue;
            }
            let header = frame.header;
            limits.check_rate(&name, header.rate)?;
            limits.check_channels(&name, header.channels as u32)?;
            let samples = header.samples() as u64;
            *survey.samples.entry(header.rate).or_default() += samples;
            if let Some(part) = survey.parts.last_mut() {
                part.samples += samples;
            }
        }
        Ok(survey)
    }

    /// Another part begins. The last one there may be is not trimmed, whatever it says: it holds all others.
    fn begin(&mut self, gapless: Gapless) {
        let gapless = match MOST_PARTS - self.parts.len() {
            0 => return,
            1 => Gapless::default(),
            _ => gapless,
        };
        self.parts.push(Part {
            gapless,
            samples: 0,
        });
    }

    fn commonest_rate(&self) -> u32 {
        let seconds = |(rate, samples): &(&u32, &u64)| **samples as f64 / f64::from(**rate);
        self.samples
            .iter()
            .max_by(|a, b| seconds(a).total_cmp(&seconds(b)))
            .map_or(0, |(rate, _)| *rate)
    }

    /// All samples, once they are resampled to `rate`: exact where all of them have it, else what is trimmed counts too.
    fn samples_at(&self, rate: u32) -> u64 {
        if self.samples.len() == 1 {
            return self.parts.iter().map(|part| part.trim().of(part)).sum();
        }
        let at = |(own, samples): (&u32, &u64)| {
            (u128::from(*samples) * u128::from(rate)).div_ceil(u128::from(*own)) as u64
        };
        self.samples.iter().map(at).sum()
    }

    fn trims(&self) -> Vec<Trim> {
        self.parts.iter().map(Part::trim).collect()
    }
}

impl Part {
    /// What the encoder added is left out, unless that is all there is, or there is more than the tag knows of.
    fn trim(&self) -> Trim {
        let Gapless { skip, keep, total } = self.gapless;
        if skip as u64 >= self.samples {
            return Trim::default();
        }
        let known = total.is_none_or(|total| self.samples <= total as u64);
        Trim {
            skip,
            keep: keep.filter(|&n| known && n > 0).unwrap_or(usize::MAX),
        }
    }

    /// Samples that its tag promises and that are not there.
    fn missing(&self) -> u64 {
        let said = self.gapless.total.unwrap_or(0) as u64;
        let missing = said.saturating_sub(self.samples);
        if missing > SLACK { missing } else { 0 }
    }
}

/// As many frames' samples may be missing without a warning: encoders count their tag as a frame, or not.
const SLACK: u64 = 2 * 1152;

/// Samples that the encoder put before the sound of a part, and how many are sound after them.
#[derive(Debug, Clone, PartialEq)]
struct Trim {
    skip: usize,
    keep: usize,
}

impl Default for Trim {
    /// Everything is sound.
    fn default() -> Self {
        Trim {
            skip: 0,
            keep: usize::MAX,
        }
    }
}

impl Trim {
    /// How many samples of `part` are left.
    fn of(&self, part: &Part) -> u64 {
        part.samples
            .saturating_sub(self.skip as u64)
            .min(self.keep as u64)
    }

    /// What is left of the next `samples`.
    fn next<'s>(&mut self, samples: &'s [f32]) -> &'s [f32] {
        let first = self.skip.min(samples.len());
        let last = samples.len().min(first.saturating_add(self.keep));
        self.skip -= first;
        self.keep -= last - first;
        &samples[first..last]
    }
}

/// Samples of silence that are given at once.
const AT_ONCE: u64 = 1 << 14;

/// The sound of MPEG audio.
struct Mp3<'a> {
    frames: Frames<'a>,
    rate: u32,
    /// As many samples as are still to come, at most.
    to_come: u64,
    /// What is trimmed of this part, and of those that follow.
    trim: Trim,
    trims: std::vec::IntoIter<Trim>,
    ended: bool,
    /// Whether a frame could be decoded; the samples of silence before it, which are no sound where none comes; and its
    /// sound, until those are given.
    begun: bool,
    silence: u64,
    held: Vec<f32>,
    /// Frames so far that could not be decoded, behind the first one that could, and the samples that tags promise and the
    /// file lacks.
    damaged: u64,
    missing: u64,
    /// For a run of frames of another rate.
    other_rate: Option<(u32, Resampler)>,
}

impl Source for Mp3<'_> {
    fn rate(&self) -> u32 {
        self.rate
    }

    fn about(&self) -> Option<u64> {
        Some(self.to_come)
    }

    fn read(&mut self, samples: &mut Vec<f32>) -> Result<bool> {
        if self.ended {
            return Ok(false);
        }
        let before = samples.len();
        if self.begun && self.silence > 0 {
            let silent = self.silence.min(AT_ONCE);
            samples.resize(before + silent as usize, 0.0);
            self.silence -= silent;
            if self.silence == 0 {
                samples.append(&mut self.held);
            }
        } else {
            self.ended = !self.decode(samples)?;
        }
        let new = (samples.len() - before) as u64;
        self.to_come = self.to_come.saturating_sub(new);
        Ok(true)
    }

    fn warnings(&self) -> Vec<String> {
        let found = [
            (self.damaged, "damaged MPEG frames are silent"),
            (
                self.frames.skipped,
                "bytes between MPEG frames are left out",
            ),
            (
                self.missing,
                "samples are missing at the end, by what its tag says",
            ),
        ];
        let found = found.into_iter().filter(|(count, _)| *count > 0);
        found
            .map(|(count, what)| format!("{count} {what}"))
            .collect()
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
        if frame.tag.is_some() {
            self.trim = self.trims.next().unwrap_or(self.trim.clone());
            return Ok(true);
        }
        self.damaged += u64::from(self.begun && !frame.decoded);
        let rate = frame.header.rate;
        if let Some((_, run)) = self.other_rate.take_if(|(other, _)| *other != rate) {
            run.finish(samples);
        }
        let sound = self.trim.next(frame.samples);
        if !self.begun && !frame.decoded {
            let silent = sound.len() as u64 * u64::from(self.rate) / u64::from(rate);
            self.silence = self.silence.saturating_add(silent);
            return Ok(true);
        }
        self.begun = true;
        let samples = match self.silence {
            0 => samples,
            _ => &mut self.held,
        };
        if rate == self.rate {
            samples.extend_from_slice(sound);
            return Ok(true);
        }
        if self.other_rate.is_none() {
            let run = Resampler::new(rate, self.rate).ok_or_else(|| refused(rate))?;
            self.other_rate = Some((rate, run));
        }
        if let Some((_, run)) = &mut self.other_rate {
            run.push(sound, samples);
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
        let range = tags::strip(&mut bytes, 0..u64::MAX).unwrap().range;
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
