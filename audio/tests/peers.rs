//! Our readers against others: MPEG streams against minimp3, WAV files against hound, over random ones.

use audio::{Limits, decode_bytes};
use proptest::prelude::*;

/// 64 kbit/s at 22 050 Hz, MPEG-2, one channel; its tags and its tag frame end where `FIRST` begins.
const DOG: &[u8] = include_bytes!("data/esc10/dog_bark-1-59513-A.mp3");
const FIRST: usize = 253;
/// 128 kbit/s at 44 100 Hz, MPEG-1, intensity stereo.
const STEREO: &[u8] = include_bytes!("data/mpeg/l3-intensity.mp3");

fn ours(bytes: &[u8]) -> Vec<f32> {
    decode_bytes(bytes, "x", &Limits::default()).map_or(Vec::new(), |clip| clip.samples)
}

/// The mean of the channels; frames that cannot be decoded give nothing.
fn minimp3(bytes: &[u8]) -> Vec<f32> {
    let mut decoder = minimp3::Decoder::new(bytes);
    let mut samples = Vec::new();
    loop {
        match decoder.next_frame() {
            Ok(frame) => {
                let channels = frame.channels;
                let mean = |all: &[i16]| {
                    all.iter().map(|s| f32::from(*s)).sum::<f32>() / (channels as f32 * 32_768.0)
                };
                samples.extend(frame.data.chunks_exact(channels).map(mean));
            }
            Err(minimp3::Error::SkippedData | minimp3::Error::InsufficientData) => {}
            Err(_) => return samples,
        }
    }
}

/// Theirs are ours without the silence of frames that borrow bits from lost ones, to the rounding of 16 bits, and perhaps
/// without the last frame, for want of another one after it.
fn agree(bytes: &[u8], frame: usize) -> Result<(), TestCaseError> {
    let (ours, theirs) = (ours(bytes), minimp3(bytes));
    let differ = |lost: usize| {
        let heard = ours.get(lost * frame..).unwrap_or_default();
        let pairs = heard.iter().zip(&theirs);
        let worst = pairs.fold(0f32, |worst, (a, b)| worst.max((a - b).abs()));
        let missing = heard.len().abs_diff(theirs.len());
        if missing <= frame {
            worst
        } else {
            f32::INFINITY
        }
    };
    let best = (0..8).map(differ).fold(f32::INFINITY, f32::min);
    prop_assert!(
        best <= 1.5 / 32_768.0,
        "{} samples against {}, off by {best}",
        ours.len(),
        theirs.len()
    );
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_stream_cut_anywhere_decodes_as_by_minimp3(cut in FIRST..DOG.len() - 2500) {
        agree(&DOG[cut..], 576)?;
    }

    #[test]
    fn a_stereo_stream_cut_anywhere_decodes_as_by_minimp3(cut in 0..STEREO.len() - 3000) {
        agree(&STEREO[cut..], 1152)?;
    }

    /// What damaged main data sound like is each decoder's own: time stays right, and nothing is infinite.
    #[test]
    fn damage_inside_frames_costs_no_time(places in prop::collection::vec(0..190usize, 1..40), byte: u8) {
        let mut bytes = DOG[FIRST..].to_vec();
        for place in &places {
            // The middle of a frame: main data.
            bytes[place * 208 + 104] ^= byte;
        }
        let samples = ours(&bytes);
        prop_assert_eq!(samples.len(), 194 * 576);
        prop_assert!(samples.iter().all(|s| s.is_finite()));
    }

    #[test]
    fn wav_files_are_what_hound_wrote(
        samples in prop::collection::vec(any::<i32>(), 1..200),
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
            prop_assert!((a - b).abs() <= 1e-6, "{} instead of {}", a, b);
        }
    }
}
