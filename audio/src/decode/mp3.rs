//! MPEG audio (layers I to III) through minimp3's C code, which gives floats: nothing is rounded to 16 bits on the way.
//!
//! Tags are stripped, garbage between frames is skipped, a last frame that is cut short is left out. The delay and the
//! padding that a LAME tag declares are trimmed, as librosa's decoder does. Frames may change their number of channels
//! (each is mixed by itself) and their sample rate: then the rate that most of the sound has is the clip's, and the
//! rest is resampled to it.

use super::Limits;
use super::tags::{self, Gapless};
use crate::clip::Clip;
use crate::error::{Error, Result};
use rmp3::ffi;

/// Decodes and mixes to one channel. Where frames make up less than half of the file, they are taken for chance hits in
/// something that is no MPEG audio. `signed`: the file begins as MPEG audio does, so it is one, if a damaged one.
pub(super) fn decode(bytes: &[u8], name: &str, limits: &Limits, signed: bool) -> Result<Clip> {
    let mut decoder = Decoder::new(bytes);
    let length = decoder.rest.len();
    let mut runs: Vec<Clip> = Vec::new();
    let mut total_seconds = 0.0;
    while let Some(frame) = decoder.next_frame() {
        limits.check_rate(name, frame.rate)?;
        limits.check_channels(name, frame.channels as u16)?;
        total_seconds += (frame.samples.len() / frame.channels) as f64 / f64::from(frame.rate);
        limits.check_seconds(name, total_seconds)?;
        if runs.last().is_none_or(|run| run.sample_rate != frame.rate) {
            runs.push(Clip {
                samples: Vec::with_capacity(frame.samples_ahead),
                sample_rate: frame.rate,
            });
        }
        if let Some(run) = runs.last_mut() {
            mix(frame.samples, frame.channels, &mut run.samples);
        }
    }
    if (runs.is_empty() && !signed) || (decoder.frame_bytes < length / 2 && !runs.is_empty()) {
        return Err(Error::Unrecognised { name: name.into() });
    }
    let mut clip = join(runs)?;
    trim(&mut clip.samples, &decoder.gapless);
    Ok(clip)
}

/// One run of the commonest rate from runs of several.
fn join(mut runs: Vec<Clip>) -> Result<Clip> {
    if runs.len() <= 1 {
        return Ok(runs.pop().unwrap_or_default());
    }
    let seconds_at = |rate| {
        runs.iter()
            .filter(|r| r.sample_rate == rate)
            .map(Clip::seconds)
            .sum::<f64>()
    };
    let rates = runs.iter().map(|r| r.sample_rate);
    let rate = rates
        .max_by(|a, b| seconds_at(*a).total_cmp(&seconds_at(*b)))
        .unwrap_or_default();
    let mut samples = Vec::new();
    for run in &runs {
        samples.extend(crate::resample(run, rate)?.samples);
    }
    Ok(Clip {
        samples,
        sample_rate: rate,
    })
}

/// Leaves out what the encoder added, unless that is all there is.
fn trim(samples: &mut Vec<f32>, gapless: &Gapless) {
    if gapless.skip < samples.len() {
        samples.drain(..gapless.skip);
        samples.truncate(gapless.keep.filter(|&n| n > 0).unwrap_or(usize::MAX));
    }
}

/// Appends the mean of one or two interleaved channels.
fn mix(interleaved: &[f32], channels: usize, mixed: &mut Vec<f32>) {
    match channels {
        1 => mixed.extend_from_slice(interleaved),
        _ => mixed.extend(interleaved.chunks_exact(2).map(|s| (s[0] + s[1]) * 0.5)),
    }
}

/// One decoded frame.
struct Frame<'d> {
    /// Interleaved, full scale at 1.
    samples: &'d [f32],
    /// One or two.
    channels: usize,
    rate: u32,
    /// Samples per channel in this frame and the rest of the file, if that is made of frames like this one.
    samples_ahead: usize,
}

/// Walks the frames of a file.
struct Decoder<'a> {
    state: Box<ffi::mp3dec_t>,
    rest: &'a [u8],
    pcm: [f32; MOST_SAMPLES],
    /// What the file's Xing frame said, once that is read.
    gapless: Gapless,
    at_start: bool,
    /// Bytes of the frames so far, garbage between them not counted.
    frame_bytes: usize,
}

/// Interleaved samples in the largest frame: two channels of 1152.
const MOST_SAMPLES: usize = ffi::MINIMP3_MAX_SAMPLES_PER_FRAME as usize;

/// Bound on what is reserved ahead of being decoded: what a file says of itself may be wrong.
const MOST_AHEAD: usize = 1 << 24;

/// Bytes handed to minimp3 at once. Its lengths are C ints; and it needs a dozen frames (at most 2.3 kB each) ahead
/// to be sure of a sync word. What it does not use is handed to it again.
const WINDOW: usize = 1 << 20;

impl<'a> Decoder<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        // SAFETY: `mp3dec_t` is a C struct of floats, ints and bytes, for which zero is a value; all zero is also
        // the state from which minimp3 starts (`mp3dec_init` only clears one byte of it).
        let mut state: Box<ffi::mp3dec_t> = Box::new(unsafe { std::mem::zeroed() });
        // SAFETY: the pointer is to a live struct that nothing else refers to.
        unsafe { ffi::mp3dec_init(&raw mut *state) };
        Decoder {
            state,
            rest: tags::strip(bytes),
            pcm: [0.0; MOST_SAMPLES],
            gapless: Gapless::default(),
            at_start: true,
            frame_bytes: 0,
        }
    }

    /// The next frame that holds sound; `None` at the end.
    fn next_frame(&mut self) -> Option<Frame<'_>> {
        loop {
            let window = &self.rest[..self.rest.len().min(WINDOW)];
            if window.is_empty() {
                return None;
            }
            let mut info = ffi::mp3dec_frame_info_t {
                frame_bytes: 0,
                frame_offset: 0,
                channels: 0,
                hz: 0,
                layer: 0,
                bitrate_kbps: 0,
            };
            // SAFETY: `state` was initialised above and is used by this decoder alone. minimp3 reads `window.len()`
            // bytes (which fit a C int, being at most WINDOW) and writes at most MINIMP3_MAX_SAMPLES_PER_FRAME samples
            // to `pcm`, which holds as many. It keeps none of the pointers.
            let per_channel = unsafe {
                ffi::mp3dec_decode_frame(
                    &raw mut *self.state,
                    window.as_ptr(),
                    window.len() as i32,
                    self.pcm.as_mut_ptr(),
                    &raw mut info,
                )
            };
            let size = |n: i32| usize::try_from(n).unwrap_or(0);
            let used = size(info.frame_bytes).min(window.len());
            if used == 0 {
                return None;
            }
            self.rest = &self.rest[used..];
            // Only where a frame was found does its header say how many channels it has.
            let offset = if info.channels > 0 {
                size(info.frame_offset)
            } else {
                used
            };
            let frame = window.get(offset..used).unwrap_or_default();
            self.frame_bytes += frame.len();
            let (per_channel, channels) = (size(per_channel), size(info.channels));
            let samples = per_channel * channels;
            if samples == 0 || samples > MOST_SAMPLES || info.hz <= 0 {
                continue;
            }
            if std::mem::take(&mut self.at_start)
                && let Some(gapless) = tags::xing(frame, per_channel)
            {
                self.gapless = gapless;
                continue;
            }
            let frames_ahead = self.rest.len() / frame.len().max(1) + 1;
            return Some(Frame {
                samples: &self.pcm[..samples],
                channels,
                rate: info.hz.unsigned_abs(),
                samples_ahead: (per_channel * frames_ahead).min(MOST_AHEAD),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As 16-bit samples, and the number of frames.
    fn interleaved(bytes: &[u8]) -> (Vec<i16>, usize) {
        let mut decoder = Decoder::new(bytes);
        let mut all = Vec::new();
        let mut frames = 0;
        while let Some(frame) = decoder.next_frame() {
            all.extend(frame.samples.iter().map(|s| (s * 32768.0).round() as i16));
            frames += 1;
        }
        (all, frames)
    }

    /// minimp3's own conformance vectors: the samples beside each stream, to one least bit.
    #[test]
    fn conformance_vectors_decode_to_one_least_bit() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/minimp3");
        for name in ["l3-hecommon", "l3-he_free", "l3-si"] {
            let read =
                |ending: &str| std::fs::read(folder.join(format!("{name}.{ending}"))).unwrap();
            let expected: Vec<i16> = read("pcm")
                .chunks_exact(2)
                .map(|b| i16::from_le_bytes([b[0], b[1]]))
                .collect();
            let (decoded, _) = interleaved(&read("bit"));
            // The vectors' decoder left out the last frame of some streams, for want of another one after it.
            let more = decoded.len() - expected.len();
            assert!(more <= MOST_SAMPLES, "{name}: {more} samples more");
            let worst = decoded
                .iter()
                .zip(&expected)
                .map(|(a, b)| a.abs_diff(*b))
                .max();
            assert!(worst <= Some(1), "{name}: off by {worst:?}");
        }
    }

    #[test]
    fn frames_survive_garbage_before_between_and_after() {
        let stream = include_bytes!("../../tests/data/minimp3/l3-hecommon.bit");
        let (whole, frames) = interleaved(stream);
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
        let (left, dirty_frames) = interleaved(&dirty);
        // Around the cut: the frame that is cut, and those that borrow bits from frames before them.
        assert!(dirty_frames + 6 >= frames, "{dirty_frames} of {frames}");
        assert!(!left.is_empty() && left.len() <= whole.len());
        let (cut, _) = interleaved(&stream[..middle]);
        assert_eq!(
            cut,
            whole[..cut.len()],
            "what a truncated file gives is what the whole one starts with"
        );
    }

    #[test]
    fn runs_of_several_rates_are_joined_at_the_commonest() {
        let run = |rate: u32, len: usize| Clip {
            samples: vec![0.5; len],
            sample_rate: rate,
        };
        let clip = join(vec![
            run(44_100, 4410),
            run(48_000, 48_000),
            run(44_100, 4410),
        ])
        .unwrap();
        assert_eq!(
            (clip.sample_rate, clip.samples.len()),
            (48_000, 48_000 + 2 * 4800)
        );
    }

    #[test]
    fn trimming_never_takes_everything() {
        let mut samples = vec![1.0; 1000];
        trim(
            &mut samples,
            &Gapless {
                skip: 1105,
                keep: Some(5),
            },
        );
        assert_eq!(samples.len(), 1000);
        trim(
            &mut samples,
            &Gapless {
                skip: 100,
                keep: Some(5),
            },
        );
        assert_eq!(samples.len(), 5);
        trim(
            &mut samples,
            &Gapless {
                skip: 0,
                keep: None,
            },
        );
        assert_eq!(samples.len(), 5);
    }
}
