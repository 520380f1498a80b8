//! Every form of sound file that is read, sample by sample.

use audio::{Clip, Error, Limits, Segment, Stream, decode, decode_bytes, decode_segment};

/// A WAV file with this `fmt ` chunk and this data.
fn riff(chunks: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let mut body = b"WAVE".to_vec();
    for (id, content) in chunks {
        body.extend(*id);
        body.extend((content.len() as u32).to_le_bytes());
        body.extend(content);
        body.resize(body.len().next_multiple_of(2), 0);
    }
    let mut file = b"RIFF".to_vec();
    file.extend((body.len() as u32).to_le_bytes());
    file.extend(body);
    file
}

fn fmt(tag: u16, channels: u16, rate: u32, bits: u16) -> Vec<u8> {
    let block = channels * bits.div_ceil(8);
    let mut chunk = Vec::new();
    chunk.extend(tag.to_le_bytes());
    chunk.extend(channels.to_le_bytes());
    chunk.extend(rate.to_le_bytes());
    chunk.extend((rate * u32::from(block)).to_le_bytes());
    chunk.extend(block.to_le_bytes());
    chunk.extend(bits.to_le_bytes());
    chunk
}

fn extensible(channels: u16, rate: u32, bits: u16, valid: u16, tag: u16) -> Vec<u8> {
    let mut chunk = fmt(0xfffe, channels, rate, bits);
    chunk.extend(22u16.to_le_bytes());
    chunk.extend(valid.to_le_bytes());
    chunk.extend(3u32.to_le_bytes());
    chunk.extend(tag.to_le_bytes());
    chunk.extend([0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71]);
    chunk
}

fn read(bytes: &[u8]) -> Result<Clip, Error> {
    decode_bytes(bytes, "x.wav", &Limits::default())
}

fn le<const N: usize>(values: impl IntoIterator<Item = [u8; N]>) -> Vec<u8> {
    values.into_iter().flatten().collect()
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

/// An AU file; `words` are data offset, size, encoding, rate, channels.
fn au(words: [u32; 5], data: &[u8]) -> Vec<u8> {
    let mut file = b".snd".to_vec();
    file.extend(words.iter().flat_map(|word| word.to_be_bytes()));
    file.resize(words[0] as usize, b'n');
    file.extend(data);
    file
}

#[test]
fn every_encoding_of_au_has_its_full_scale_at_one() {
    let be = |values: [i32; 3], width: usize| -> Vec<u8> {
        let shifted = values.map(|v| (v << (32 - 8 * width)).to_be_bytes());
        shifted.iter().flat_map(|b| b[..width].to_vec()).collect()
    };
    let floats = [0.5f32, -1.0, 0.25].map(f32::to_be_bytes).concat();
    let doubles = [0.5f64, -1.0, 0.25].map(f64::to_be_bytes).concat();
    let expected = Clip {
        samples: vec![0.5, -1.0, 0.25],
        sample_rate: 8000,
    };
    for (encoding, data) in [
        (2, be([64, -128, 32], 1)),
        (3, be([1 << 14, -(1 << 15), 1 << 13], 2)),
        (4, be([1 << 22, -(1 << 23), 1 << 21], 3)),
        (5, be([1 << 30, i32::MIN, 1 << 29], 4)),
        (6, floats),
        (7, doubles),
    ] {
        for (offset, size) in [(24, data.len() as u32), (24, u32::MAX), (57, u32::MAX)] {
            let file = au([offset, size, encoding, 8000, 1], &data);
            assert_eq!(read(&file).unwrap(), expected, "encoding {encoding}");
        }
    }
    let law = |encoding, byte| {
        read(&au([24, 1, encoding, 8000, 1], &[byte]))
            .unwrap()
            .samples[0]
    };
    assert_eq!(law(1, 128), 32124.0 / 32768.0);
    assert_eq!(law(27, 128), 5504.0 / 32768.0);

    let stereo = be([1 << 14, 1 << 13, 1 << 14], 2);
    let clip = read(&au([24, 6, 3, 44_100, 2], &stereo)).unwrap();
    assert_eq!(clip.samples, [0.375], "the mean; half a block is left out");

    let mut swapped = au([24, 4, 3, 8000, 1], &[0, 0x40, 0, 0x80]);
    swapped[..4].copy_from_slice(b"dns.");
    swapped[4..24].chunks_exact_mut(4).for_each(<[u8]>::reverse);
    assert_eq!(read(&swapped).unwrap().samples, [0.5, -1.0]);
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
    file[..4].copy_from_slice(b"RF64");
    let at = file.windows(4).position(|w| w == b"data").unwrap();
    file[at + 4..at + 8].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(read(&file).unwrap().samples, [0.25, -0.25]);
}

/// 16-bit sound whose samples tell where they stand.
fn counting(len: usize) -> Vec<u8> {
    let data = le((0..len).map(|i| (i as i16).to_le_bytes()));
    riff(&[(b"fmt ", fmt(1, 1, 8000, 16)), (b"data", data)])
}

/// Files of every kind that is decoded.
fn files() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("wav", counting(20_000)),
        ("au", au([24, u32::MAX, 3, 8000, 2], &counting(40_000))),
        #[cfg(feature = "mp3")]
        (
            "mp3",
            include_bytes!("data/minimp3/l3-hecommon.bit").to_vec(),
        ),
        #[cfg(feature = "mp3")]
        (
            "mp3 of two rates",
            include_bytes!("data/minimp3/l3-nonstandard-he_44_48khz.bit").to_vec(),
        ),
    ]
}

#[test]
fn segments_are_exact_to_the_sample() {
    for (what, file) in files() {
        let whole = read(&file).unwrap();
        let rate = f64::from(whole.sample_rate);
        let len = whole.samples.len();
        for (from, count) in [(0, 1), (1, 1152), (1151, 2), (5000, 3000), (len - 1, 1)] {
            let segment = Segment {
                offset: from as f64 / rate,
                duration: Some(count as f64 / rate),
            };
            let part = Stream::from_bytes(&file, "x", &Limits::default()).unwrap();
            let part = part.clip(&segment).unwrap();
            assert_eq!(part.samples, whole.samples[from..from + count], "{what}");
            assert_eq!(part.sample_rate, whole.sample_rate);
        }
        let rest = Segment {
            offset: 100.0 / rate,
            duration: Some(1e300),
        };
        let part = Stream::from_bytes(&file, "x", &Limits::default()).unwrap();
        assert_eq!(part.clip(&rest).unwrap().samples, whole.samples[100..]);
    }
}

#[test]
fn a_segment_beyond_the_end_says_where_the_end_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.wav");
    std::fs::write(&path, counting(20_000)).unwrap();
    let part = |offset, duration| {
        let limits = Limits {
            max_seconds: 1.0,
            ..Limits::default()
        };
        decode_segment(&path, &Segment { offset, duration }, &limits)
    };
    let error = part(2.5, None).unwrap_err().to_string();
    let expected = "there is nothing from 2.5 s on, the sound ends at 2.500 s";
    assert!(
        error.contains(expected) && error.contains("a.wav"),
        "{error}"
    );
    assert_eq!(part(2.0, None).unwrap().samples.len(), 4000);
    assert_eq!(
        part(0.0, Some(1.0)).unwrap().samples.len(),
        8000,
        "the limit holds for the part"
    );
    assert!(
        part(0.0, Some(1.1))
            .unwrap_err()
            .to_string()
            .contains("length")
    );
    for (offset, duration) in [
        (-1.0, None),
        (f64::NAN, None),
        (f64::INFINITY, None),
        (0.0, Some(0.0)),
        (0.0, Some(f64::NAN)),
    ] {
        let error = part(offset, duration).unwrap_err();
        assert!(matches!(error, Error::Settings(_)), "{error}");
    }
}

#[test]
fn a_stream_gives_what_the_whole_file_gives() {
    for (what, file) in files() {
        let whole = read(&file).unwrap();
        let mut stream = Stream::from_bytes(&file, "x", &Limits::default()).unwrap();
        assert!(stream.about() >= Some(whole.samples.len() as u64), "{what}");
        let (mut samples, mut pieces) = (Vec::new(), 0);
        while stream.read(&mut samples).unwrap() {
            pieces += 1;
        }
        assert!(pieces > 1, "{what}");
        assert_eq!(samples, whole.samples, "{what}");
        assert_eq!(stream.position(), samples.len() as u64, "{what}");
        assert!(!stream.read(&mut samples).unwrap(), "{what}: the end stays");

        let mut stream = Stream::from_bytes(&file, "x", &Limits::default()).unwrap();
        let mut parts = Vec::new();
        stream.read(&mut parts).unwrap();
        let (before, gap) = (parts.len(), 700);
        stream.skip(gap as u64);
        while stream.read(&mut parts).unwrap() {}
        assert_eq!(parts[before..], whole.samples[before + gap..], "{what}");
    }
}

#[test]
fn a_stream_stops_at_its_limit() {
    let limits = Limits {
        max_seconds: 2.2,
        ..Limits::default()
    };
    let file = counting(20_000);
    let mut stream = Stream::from_bytes(&file, "x", &limits).unwrap();
    let mut samples = Vec::new();
    let error = loop {
        match stream.read(&mut samples) {
            Ok(more) => assert!(more),
            Err(error) => break error.to_string(),
        }
    };
    assert!(
        error.contains("x: length is 2.5 s, the limit is 2.2 s"),
        "{error}"
    );
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

#[cfg(feature = "mp3")]
mod mp3 {
    use super::*;

    const STREAM: &[u8] = include_bytes!("data/minimp3/l3-hecommon.bit");

    #[test]
    fn mp3_is_mixed_and_keeps_its_rate() {
        let clip = decode_bytes(STREAM, "x", &Limits::default()).unwrap();
        assert_eq!(clip.sample_rate, 44_100);
        assert_eq!(clip.samples.len(), 30 * 1152);
        assert!(clip.samples.iter().any(|s| s.abs() > 0.01));
    }

    #[test]
    fn tags_and_other_names_do_not_matter() {
        let plain = decode_bytes(STREAM, "x", &Limits::default()).unwrap();
        let mut tagged = b"ID3\x04\0\0\0\0\x02\x00".to_vec();
        tagged.extend([0xff; 256]); // padding that looks like sync words
        tagged.extend(STREAM);
        tagged.extend(b"TAG");
        tagged.extend([b' '; 125]);
        assert_eq!(
            decode_bytes(&tagged, "x.wav", &Limits::default()).unwrap(),
            plain
        );
    }

    #[test]
    fn garbage_before_the_first_frame_is_skipped() {
        let dirty = [&[0x11; 5000][..], STREAM].concat();
        let clip = decode_bytes(&dirty, "x", &Limits::default()).unwrap();
        assert_eq!(clip.samples.len(), 30 * 1152);
    }

    #[test]
    fn mp3_inside_wav_is_read() {
        let file = riff(&[
            (b"fmt ", fmt(0x55, 2, 44_100, 8)),
            (b"data", STREAM.to_vec()),
        ]);
        assert_eq!(read(&file).unwrap().samples.len(), 30 * 1152);
    }

    #[test]
    fn a_change_of_sample_rate_is_evened_out() {
        let bytes = include_bytes!("data/minimp3/l3-nonstandard-he_44_48khz.bit");
        let clip = decode_bytes(bytes, "x", &Limits::default()).unwrap();
        assert!(
            [44_100, 48_000].contains(&clip.sample_rate),
            "{}",
            clip.sample_rate
        );
        assert!(clip.samples.len() > 10 * 1152);
    }

    #[test]
    fn frames_without_sound_are_an_error() {
        let files: [(&str, &[u8]); 4] = [
            (
                "vbrtag-only",
                include_bytes!("data/minimp3/l3-nonstandard-vbrtag-only.bit"),
            ),
            (
                "id3v2-only",
                include_bytes!("data/minimp3/l3-nonstandard-id3v2-only.bit"),
            ),
            (
                "small",
                include_bytes!("data/minimp3/l3-nonstandard-small.bit"),
            ),
            (
                "vbrtag-oob-read",
                include_bytes!("data/minimp3/l3-nonstandard-vbrtag-oob-read.bit"),
            ),
        ];
        for (name, bytes) in files {
            let error = decode_bytes(bytes, name, &Limits::default()).unwrap_err();
            assert!(
                matches!(error, Error::NoSamples { .. } | Error::Unrecognised { .. }),
                "{name}: {error}"
            );
        }
    }
}
