//! Parts of sounds and streams give the samples of the whole.

use crate::{au, fmt, le, read, riff};
use audio::{Error, Limits, Segment, Stream, decode_segment};

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
        (
            "mp3",
            include_bytes!("../data/minimp3/l3-hecommon.bit").to_vec(),
        ),
        (
            "mp3 of two rates",
            include_bytes!("../data/minimp3/l3-nonstandard-he_44_48khz.bit").to_vec(),
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
            let mut part = Stream::from_bytes(&file, "x", &Limits::default()).unwrap();
            let part = part.clip(&segment).unwrap();
            assert_eq!(part.samples, whole.samples[from..from + count], "{what}");
            assert_eq!(part.sample_rate, whole.sample_rate);
        }
        let rest = Segment {
            offset: 100.0 / rate,
            duration: Some(1e300),
        };
        let mut part = Stream::from_bytes(&file, "x", &Limits::default()).unwrap();
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
    let expected = "offset 2.5 s lies outside of the sound, which is 2.500 s long";
    assert!(
        error.contains(expected) && error.contains("a.wav"),
        "{error}"
    );
    assert_eq!(part(2.0, None).unwrap().samples.len(), 4000);
    assert_eq!(
        part(-0.5, None).unwrap(),
        part(2.0, None).unwrap(),
        "an offset below 0 counts from the end"
    );
    let error = part(-2.6, None).unwrap_err().to_string();
    assert!(error.contains("offset -2.6 s lies outside"), "{error}");
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
