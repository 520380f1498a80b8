//! Our readers against others: MPEG streams against minimp3, WAV files against hound, over random ones.

use approx::abs_diff_eq;
use audio::{Limits, decode_bytes};
use proptest::prelude::*;

/// 64 kbit/s at 22 050 Hz, MPEG-2, one channel; its tags and its tag frame end where `FIRST` begins.
const DOG: &[u8] = include_bytes!("data/esc10/dog_bark-1-59513-A.mp3");
const FIRST: usize = 253;
/// 128 kbit/s at 44 100 Hz, MPEG-1, intensity stereo.
const STEREO: &[u8] = include_bytes!("data/mpeg/l3-intensity.mp3");

fn ours(bytes: &[u8]) -> Vec<f32> {
    let heard = decode_bytes(bytes, "x", &Limits::default());
    heard.unwrap_or_else(|error| panic!("{error}")).samples
}

/// The mean of the channels; frames that cannot be decoded give nothing.
fn minimp3(bytes: &[u8]) -> Vec<f32> {
    // Its reader stops at a frame without sound once it has read all bytes, however many it still holds.
    let padded = [bytes, &[0; 1 << 15]].concat();
    let mut decoder = minimp3::Decoder::new(&padded[..]);
    let mut samples = Vec::new();
    while let Ok(frame) = decoder.next_frame() {
        let channels = frame.channels;
        let mean = |all: &[i16]| {
            all.iter().map(|s| f32::from(*s)).sum::<f32>() / (channels as f32 * 32_768.0)
        };
        samples.extend(frame.data.chunks_exact(channels).map(mean));
    }
    samples
}

/// Every frame of theirs stands in ours, in order and to the rounding of 16 bits, but for `SETTLING` at each of `breaks`.
/// Ours may hold more: silence for frames that borrow bits from lost ones, which theirs leave out, and the frames that
/// theirs spend on finding the stream again.
fn agree(bytes: &[u8], frame: usize, breaks: usize) -> Result<(), TestCaseError> {
    const SETTLING: usize = 4;
    let (ours, theirs) = (ours(bytes), minimp3(bytes));
    let same = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1.5 / 32_768.0);
    let (mut next, mut missing) = (0, 0);
    for wanted in theirs.chunks_exact(frame) {
        let mut rest = ours.chunks_exact(frame).skip(next).take(4 * SETTLING);
        match rest.position(|heard| same(heard, wanted)) {
            Some(skipped) => next += skipped + 1,
            None => missing += 1,
        }
    }
    let frames = [ours.len() / frame, theirs.len() / frame];
    prop_assert!(
        missing <= SETTLING * breaks,
        "{missing} of {frames:?} frames differ"
    );
    let more = frames[0] as isize - frames[1] as isize;
    let most = (1 + SETTLING * (breaks + 1)) as isize;
    prop_assert!((0..=most).contains(&more), "{frames:?} frames");
    Ok(())
}

/// Where the frames of `DOG` begin: 208 bytes, or 209 with padding.
fn frames() -> Vec<usize> {
    let mut at = FIRST;
    let mut starts = Vec::new();
    while let [0xff, 0xf3, format, ..] = &DOG[at..] {
        starts.push(at);
        at += 208 + usize::from(format >> 1 & 1);
    }
    starts
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_stream_cut_anywhere_decodes_as_by_minimp3(cut in FIRST..DOG.len() - 2500) {
        agree(&DOG[cut..], 576, 0)?;
    }

    #[test]
    fn a_stereo_stream_cut_anywhere_decodes_as_by_minimp3(cut in 0..STEREO.len()) {
        // minimp3 takes ten frames in a row, or what there is up to the end, for a stream.
        agree(&STEREO.repeat(3)[cut..], 1152, 0)?;
    }

    #[test]
    fn spliced_streams_decode_as_by_minimp3(
        end in FIRST + 5000..DOG.len(),
        start in FIRST..DOG.len() - 5000,
    ) {
        agree(&[&DOG[FIRST..end], &DOG[start..]].concat(), 576, 1)?;
    }

    #[test]
    fn junk_inside_a_stream_costs_what_it_costs_minimp3(
        at in FIRST + 5000..DOG.len() - 5000,
        junk in prop::collection::vec(any::<u8>(), 1..3000),
    ) {
        agree(&[&DOG[FIRST..at], &junk, &DOG[at..]].concat(), 576, 1)?;
    }

    #[test]
    fn junk_between_frames_costs_nothing(
        frame in 4..190usize,
        junk in prop::collection::vec(any::<u8>(), 1..3000),
    ) {
        let at = frames()[frame];
        let whole = ours(&DOG[FIRST..]);
        let heard = ours(&[&DOG[FIRST..at], &junk, &DOG[at..]].concat());
        prop_assert_eq!(heard.len(), whole.len());
        let worst = heard.iter().zip(&whole).fold(0f32, |worst, (a, b)| worst.max((a - b).abs()));
        prop_assert_eq!(worst, 0.0);
    }

    /// What damaged main data sound like is each decoder's own: time stays right, and nothing is infinite.
    #[test]
    fn damage_inside_frames_costs_no_time(
        hit in prop::collection::vec((0..190usize, 20..200usize), 1..40),
        byte: u8,
    ) {
        let mut bytes = DOG.to_vec();
        for (frame, offset) in hit {
            bytes[frames()[frame] + offset] ^= byte;
        }
        let samples = ours(&bytes[FIRST..]);
        prop_assert_eq!(samples.len(), 194 * 576);
        prop_assert!(samples.iter().all(|s| s.is_finite()));
    }

    #[test]
    fn wav_files_are_what_hound_wrote(
        samples in prop::collection::vec(any::<i32>(), 2..200),
        bits in prop::sample::select(vec![8u16, 16, 24, 32]),
        channels in 1u16..3,
        rate in 4000u32..96_000,
    ) {
        let spec = hound::WavSpec {
            channels,
            sample_rate: rate,
            bits_per_sample: bits,
            sample_format: hound::SampleFormat::Int,
        };
        let mut file = std::io::Cursor::new(Vec::new());
        let mut writer = hound::WavWriter::new(&mut file, spec).unwrap();
        let channels = usize::from(channels);
        let whole = samples.len() / channels * channels;
        let samples: Vec<i32> = samples[..whole].iter().map(|s| s >> (32 - bits)).collect();
        for sample in &samples {
            writer.write_sample(*sample).unwrap();
        }
        writer.finalize().unwrap();
        let full = (1u64 << (bits - 1)) as f32;
        let mean = |all: &[i32]| {
            all.iter().map(|s| *s as f32 / full).sum::<f32>() / channels as f32
        };
        let expected: Vec<f32> = samples.chunks_exact(channels).map(mean).collect();
        let read = ours(file.get_ref());
        prop_assert_eq!(read.len(), expected.len());
        for (a, b) in read.iter().zip(&expected) {
            prop_assert!(abs_diff_eq!(a, b, epsilon = 1e-6), "{} instead of {}", a, b);
        }
    }
}
