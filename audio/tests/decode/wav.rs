//! WAV, whatever its header looks like.

use crate::{UNKNOWN_LENGTH, fmt, le, read, riff, warned};
use audio::{Clip, Limits, decode};

fn extensible(channels: u16, rate: u32, bits: u16, valid: u16, tag: u16) -> Vec<u8> {
    let mut chunk = fmt(0xfffe, channels, rate, bits);
    chunk.extend(22u16.to_le_bytes());
    chunk.extend(valid.to_le_bytes());
    chunk.extend(3u32.to_le_bytes());
    chunk.extend(tag.to_le_bytes());
    chunk.extend([0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71]);
    chunk
}

#[test]
fn every_sample_type_has_its_full_scale_at_one() {
    let float = le([0.5f32, -1.0, 0.25].map(f32::to_le_bytes));
    let i24 = |v: [i32; 3]| le(v.map(|v| [v as u8, (v >> 8) as u8, (v >> 16) as u8]));
    let files = [
        ("8 bit", fmt(1, 1, 8000, 8), vec![192, 0, 160]),
        (
            "16 bit",
            fmt(1, 1, 8000, 16),
            le([16384i16, -32768, 8192].map(i16::to_le_bytes)),
        ),
        (
            "24 bit",
            fmt(1, 1, 8000, 24),
            i24([1 << 22, -(1 << 23), 1 << 21]),
        ),
        (
            "32 bit",
            fmt(1, 1, 8000, 32),
            le([1i32 << 30, i32::MIN, 1 << 29].map(i32::to_le_bytes)),
        ),
        ("float", fmt(3, 1, 8000, 32), float.clone()),
        (
            "64-bit float",
            fmt(3, 1, 8000, 64),
            le([0.5f64, -1.0, 0.25].map(f64::to_le_bytes)),
        ),
        (
            "extensible 16 bit",
            extensible(1, 8000, 16, 16, 1),
            le([16384i16, -32768, 8192].map(i16::to_le_bytes)),
        ),
        (
            "extensible 20 bit in 24",
            extensible(1, 8000, 24, 20, 1),
            i24([1 << 22, -(1 << 23), 1 << 21]),
        ),
        ("extensible float", extensible(1, 8000, 32, 32, 3), float),
    ];
    for (what, format, data) in files {
        let clip = read(&riff(&[(b"fmt ", format), (b"data", data)]))
            .unwrap_or_else(|e| panic!("{what}: {e}"));
        assert_eq!(
            clip,
            Clip {
                samples: vec![0.5, -1.0, 0.25],
                sample_rate: 8000
            },
            "{what}"
        );
    }
}

#[test]
fn rf64_tells_its_length_elsewhere() {
    let data = le([8192i16, -8192].map(i16::to_le_bytes));
    let mut sizes = vec![0; 28];
    sizes[8] = 4;
    let mut file = riff(&[
        (b"ds64", sizes),
        (b"fmt ", fmt(1, 1, 8000, 16)),
        (b"data", data),
        (b"LIST", vec![7; 8]),
    ]);
    let at = file.windows(4).position(|w| w == b"data").unwrap();
    file[at + 4..at + 8].copy_from_slice(&u32::MAX.to_le_bytes());
    for name in [b"RF64", b"BW64"] {
        file[..4].copy_from_slice(name);
        let (clip, warnings) = warned(&file);
        assert_eq!((&clip.samples[..], warnings.len()), (&[0.25, -0.25][..], 0));
    }
}

#[test]
fn a_length_that_was_never_written_reaches_to_the_end() {
    let data = le([8192i16, -8192, 4096].map(i16::to_le_bytes));
    let good = riff(&[(b"fmt ", fmt(1, 1, 8000, 16)), (b"data", data)]);
    for length in [0, u32::MAX] {
        let mut file = good.clone();
        file[40..44].copy_from_slice(&length.to_le_bytes());
        let (clip, warnings) = warned(&file);
        assert_eq!(clip.samples, [0.25, -0.25, 0.125]);
        assert_eq!(warnings, [UNKNOWN_LENGTH]);
    }
    let mut long = good.clone();
    long[40..44].copy_from_slice(&100u32.to_le_bytes());
    let (clip, warnings) = warned(&long);
    assert_eq!(clip.samples.len(), 3);
    let said = "x.wav: its header says 100 bytes of sound, the file ends after 6 of them";
    assert_eq!(warnings, [said]);
    assert!(warned(&good).1.is_empty());

    // What stands behind is no sound if it is made of chunks.
    let list = (b"LIST", b"INFOISFTabcd".to_vec());
    let empty = riff(&[
        (b"fmt ", fmt(1, 1, 8000, 16)),
        (b"data", vec![]),
        list.clone(),
        list,
    ]);
    let error = read(&empty).unwrap_err().to_string();
    assert_eq!(error, "x.wav: holds no audio samples");
}

/// Blocks of ADPCM made by hand, decoded by the formulas of their specifications on paper.
#[test]
fn adpcm_follows_its_predictors() {
    let file = |tag, block: &[u8], channels: u16, samples: u32| {
        let mut format = fmt(tag, channels, 8000, 4);
        format[12..14].copy_from_slice(&(block.len() as u16).to_le_bytes());
        let fact = samples.to_le_bytes().to_vec();
        riff(&[
            (b"fmt ", format),
            (b"fact", fact),
            (b"data", block.to_vec()),
        ])
    };
    // Step 7: code 4 adds 7 + 0, then step 8: code 12 takes away 8 + 1.
    let ima = [100, 0, 0, 0, 0xc4, 0, 0, 0];
    let clip = read(&file(0x11, &ima, 1, 3)).unwrap();
    assert_eq!(clip.samples.map_to_16_bits(), [100, 107, 97]);
    // Predictor 0 repeats the last sample; code 2 adds two steps of 16, code 15 takes one away.
    let microsoft = [0, 16, 0, 50, 0, 40, 0, 0x2f];
    let clip = read(&file(2, &microsoft, 1, 4)).unwrap();
    assert_eq!(clip.samples.map_to_16_bits(), [40, 50, 82, 66]);
    // Two channels: the mean.
    let stereo = [0, 0, 16, 0, 16, 0, 50, 0, 70, 0, 40, 0, 60, 0, 0x2f];
    let clip = read(&file(2, &stereo, 2, 3)).unwrap();
    assert_eq!(clip.samples.map_to_16_bits(), [50, 60, 68]);
}

trait To16Bits {
    fn map_to_16_bits(&self) -> Vec<i32>;
}

impl To16Bits for Vec<f32> {
    fn map_to_16_bits(&self) -> Vec<i32> {
        self.iter().map(|s| (s * 32_768.0).round() as i32).collect()
    }
}

#[test]
fn channels_are_mixed_by_their_mean() {
    let stereo = le([16384i16, -16384, 16384, 0].map(i16::to_le_bytes));
    let clip = read(&riff(&[
        (b"fmt ", fmt(1, 2, 44_100, 16)),
        (b"data", stereo),
    ]))
    .unwrap();
    assert_eq!(clip.samples, [0.0, 0.25]);
    let six = le([6000i16, 0, 0, 0, 0, 0, 3000, 3000, 0, 0, 0, 0].map(i16::to_le_bytes));
    let clip = read(&riff(&[(b"fmt ", fmt(1, 6, 48_000, 16)), (b"data", six)])).unwrap();
    let expected = 1000.0 / 32768.0;
    assert!(
        clip.samples.len() == 2 && clip.samples.iter().all(|s| (s - expected).abs() < 1e-7),
        "{clip:?}"
    );
}

#[test]
fn odd_headers_are_read() {
    let good = |format: Vec<u8>, data: &[i16]| {
        riff(&[
            (b"fmt ", format),
            (b"data", le(data.iter().map(|s| s.to_le_bytes()))),
        ])
    };
    let samples = [8192i16, -8192, 4096];
    let expected = Clip {
        samples: vec![0.25, -0.25, 0.125],
        sample_rate: 8000,
    };

    let mut streamed = good(fmt(1, 1, 8000, 16), &samples);
    streamed[40..44].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(
        read(&streamed).unwrap(),
        expected,
        "a length of 0xffffffff, as pipes write it"
    );

    let mut wrong_rate = fmt(1, 1, 8000, 16);
    wrong_rate[8..12].fill(0);
    assert_eq!(
        read(&good(wrong_rate, &samples)).unwrap(),
        expected,
        "a byte rate of zero"
    );

    let mut long = fmt(1, 1, 8000, 16);
    long.extend([0; 14]);
    assert_eq!(
        read(&good(long, &samples)).unwrap(),
        expected,
        "a format chunk of 30 bytes"
    );

    let data = le(samples.map(i16::to_le_bytes));
    let list = (b"LIST", b"INFOx".to_vec());
    let padded = riff(&[
        list.clone(),
        (b"fmt ", fmt(1, 1, 8000, 16)),
        list,
        (b"data", data.clone()),
    ]);
    assert_eq!(
        read(&padded).unwrap(),
        expected,
        "chunks of odd length, padded"
    );
    let position = padded.windows(4).position(|w| w == b"fmt ").unwrap();
    let unpadded = [&padded[..position - 1], &padded[position..]].concat();
    assert_eq!(
        read(&unpadded).unwrap(),
        expected,
        "a chunk of odd length without its padding"
    );

    let late = riff(&[(b"data", data), (b"fmt ", fmt(1, 1, 8000, 16))]);
    assert_eq!(read(&late).unwrap(), expected, "the format after the data");
}

#[test]
fn a_truncated_file_gives_what_is_there() {
    let whole = riff(&[
        (b"fmt ", fmt(1, 2, 8000, 16)),
        (b"data", le([1000i16; 10].map(i16::to_le_bytes))),
    ]);
    for cut in 0..whole.len() {
        let frames = cut.saturating_sub(44) / 4;
        match read(&whole[..cut]) {
            Ok(clip) => assert_eq!(clip.samples.len(), frames, "cut at {cut}"),
            Err(error) => assert_eq!(frames, 0, "cut at {cut}: {error}"),
        }
    }
}

#[test]
fn odd_rates_and_lengths_are_read() {
    for (rate, samples) in [
        (8000, 1),
        (192_000, 1),
        (192_000, 100),
        (1000, 2),
        (384_000, 2),
    ] {
        let data = vec![0u8; samples * 2];
        let clip = read(&riff(&[(b"fmt ", fmt(1, 1, rate, 16)), (b"data", data)])).unwrap();
        assert_eq!((clip.sample_rate, clip.samples.len()), (rate, samples));
        assert!(
            clip.samples.iter().all(|&s| s == 0.0),
            "silence is sound too"
        );
    }
}

#[test]
fn the_name_does_not_matter() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("really-a-wav.mp3");
    std::fs::write(
        &path,
        riff(&[(b"fmt ", fmt(1, 1, 8000, 16)), (b"data", vec![0; 20])]),
    )
    .unwrap();
    assert_eq!(decode(&path, &Limits::default()).unwrap().samples.len(), 10);
}
