//! FLAC, Ogg Vorbis and AIFF, sample by sample.
#![cfg(feature = "formats")]

use audio::{Clip, Error, Limits, Segment, Stream, decode_bytes};

fn read(bytes: &[u8]) -> Result<Clip, Error> {
    decode_bytes(bytes, "x", &Limits::default())
}

/// What a file holds at a place.
type Sample<'a> = &'a dyn Fn(i32) -> f32;

/// What `data/formats/make.py` says.
fn left(i: i32) -> i32 {
    (i * 37) % 20_001 - 10_000
}

#[test]
fn lossless_formats_give_every_sample() {
    let mono = |i| left(i) as f32 / 32768.0;
    let stereo = |i| {
        let (left, right) = (left(i) as f32, (-left(i)).div_euclid(2) as f32);
        0.5 * (left / 32768.0 + right / 32768.0)
    };
    let files: [(&str, &[u8], Sample<'_>); 5] = [
        ("mono.flac", include_bytes!("data/formats/mono.flac"), &mono),
        (
            "stereo.flac",
            include_bytes!("data/formats/stereo.flac"),
            &stereo,
        ),
        (
            "24 bit",
            include_bytes!("data/formats/stereo24.flac"),
            &stereo,
        ),
        (
            "stereo.aiff",
            include_bytes!("data/formats/stereo.aiff"),
            &stereo,
        ),
        (
            "float.aifc",
            include_bytes!("data/formats/float.aifc"),
            &mono,
        ),
    ];
    for (what, bytes, sample) in files {
        let clip = read(bytes).unwrap_or_else(|e| panic!("{what}: {e}"));
        assert_eq!(
            (clip.sample_rate, clip.samples.len()),
            (8000, 4000),
            "{what}"
        );
        let expected: Vec<f32> = (0..4000).map(sample).collect();
        assert!(clip.samples == expected, "{what}");
        let segment = Segment {
            offset: 0.25,
            duration: Some(0.01),
        };
        let stream = Stream::from_bytes(bytes, what, &Limits::default()).unwrap();
        let part = stream.clip(&segment).unwrap();
        assert_eq!(part.samples, expected[2000..2080], "{what}");
    }
}

#[test]
fn vorbis_is_read_at_its_true_length() {
    let clip = read(include_bytes!("data/formats/sine.ogg")).unwrap();
    assert_eq!((clip.sample_rate, clip.samples.len()), (22_050, 8820));
    let sine = |i: usize| 0.5 * (std::f64::consts::TAU * 440.0 * i as f64 / 22_050.0).sin();
    let worst = (200..8600)
        .map(|i| (f64::from(clip.samples[i]) - sine(i)).abs())
        .fold(0.0, f64::max);
    assert!(worst < 0.02, "{worst}");
}

#[test]
fn a_tag_may_stand_before_a_flac() {
    let flac = include_bytes!("data/formats/mono.flac");
    let tagged = [b"ID3\x04\0\0\0\0\0\x14", &[0; 20][..], flac].concat();
    assert_eq!(read(&tagged).unwrap(), read(flac).unwrap());
}
