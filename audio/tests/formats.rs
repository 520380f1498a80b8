//! FLAC, AIFF, Ogg, MP4, Matroska and CAF, sample by sample where nothing is lost.
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
        let mut stream = Stream::from_bytes(bytes, what, &Limits::default()).unwrap();
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

/// A sound of one second, as WAV and in other forms (`data/more`).
fn tone() -> Vec<f32> {
    read(include_bytes!("data/more/tone.wav")).unwrap().samples
}

fn warned(bytes: &[u8]) -> (Clip, Vec<String>) {
    let mut stream = Stream::from_bytes(bytes, "x", &Limits::default()).unwrap();
    let clip = stream.clip(&Segment::default()).unwrap();
    (clip, stream.warnings())
}

#[test]
fn what_loses_nothing_gives_every_sample() {
    for (what, bytes) in [
        ("ALAC", &include_bytes!("data/more/alac.m4a")[..]),
        ("CAF", include_bytes!("data/more/caf.caf")),
    ] {
        let (clip, warnings) = warned(bytes);
        assert!(clip.samples == tone(), "{what}");
        assert_eq!((clip.sample_rate, warnings.len()), (22_050, 0), "{what}");
    }
}

#[test]
fn what_loses_something_is_near_and_in_time() {
    // How far from the tone, as a part of its level, is what ffmpeg's decoders are off by too.
    let tone = tone();
    let level = |samples: &mut dyn Iterator<Item = f32>| samples.map(|s| s * s).sum::<f32>().sqrt();
    for (what, bytes, length, off) in [
        (
            "AAC in MP4",
            &include_bytes!("data/more/aac.m4a")[..],
            22_050,
            0.1,
        ),
        (
            "Vorbis in Matroska",
            include_bytes!("data/more/vorbis.mka"),
            22_272,
            0.1,
        ),
        (
            "IMA ADPCM",
            include_bytes!("data/more/ima-adpcm.wav"),
            22_050,
            0.1,
        ),
        (
            "Microsoft's ADPCM",
            include_bytes!("data/more/ms-adpcm.wav"),
            22_050,
            0.1,
        ),
    ] {
        let clip = read(bytes).unwrap_or_else(|e| panic!("{what}: {e}"));
        assert_eq!(
            (clip.sample_rate, clip.samples.len()),
            (22_050, length),
            "{what}"
        );
        let mut apart = clip.samples.iter().zip(&tone).map(|(a, b)| a - b);
        let found = level(&mut apart) / level(&mut tone.iter().copied());
        assert!(found < off, "{what}: {found}");
    }
}

#[test]
fn opus_ends_where_its_headers_say() {
    let (ogg, warnings) = warned(include_bytes!("data/more/opus.opus"));
    assert_eq!(
        (ogg.sample_rate, ogg.samples.len(), warnings.len()),
        (48_000, 48_000, 0)
    );
    let webm = read(include_bytes!("data/more/opus.webm")).unwrap();
    assert_eq!(webm.sample_rate, 48_000);
    let tone =
        audio::resample(&read(include_bytes!("data/more/tone.wav")).unwrap(), 48_000).unwrap();
    for clip in [ogg, webm] {
        let level =
            |samples: &mut dyn Iterator<Item = f32>| samples.map(|s| s * s).sum::<f32>().sqrt();
        let mut apart = clip.samples.iter().zip(&tone.samples).map(|(a, b)| a - b);
        let found = level(&mut apart) / level(&mut tone.samples.iter().copied());
        assert!(found < 0.15, "{found}");
    }
}

#[test]
fn chains_are_read_to_their_end() {
    let chain = include_bytes!("data/more/chained.ogg");
    let mut stream = Stream::from_bytes(chain, "x", &Limits::default()).unwrap();
    assert_eq!(stream.about(), Some(44_100));
    let clip = stream.clip(&Segment::default()).unwrap();
    assert_eq!((clip.samples.len(), stream.warnings().len()), (44_100, 0));
    let (first, second) = clip.samples.split_at(22_050);
    assert!(first == second, "the same stream twice");

    // Links of other codecs, and of another rate; junk between them.
    let (opus, vorbis) = (
        include_bytes!("data/more/opus.opus"),
        include_bytes!("data/formats/sine.ogg"),
    );
    let (clip, warnings) = warned(&[&opus[..], b"junk", vorbis].concat());
    let expected = 48_000 + 8820 * 48_000 / 22_050;
    assert_eq!((clip.sample_rate, clip.samples.len()), (48_000, expected));
    assert_eq!(warnings, ["x: 4 bytes between its Ogg pages are left out"]);

    // A link that cannot be decoded is told, and the rest is read.
    let mut broken = chain.to_vec();
    let second = broken.windows(7).rposition(|w| w == b"\x01vorbis").unwrap();
    broken[second + 11] = 0;
    let (clip, warnings) = warned(&broken);
    assert_eq!(clip.samples.len(), 22_050);
    assert!(
        warnings[0].contains("the stream at byte 9002 is left out"),
        "{warnings:?}"
    );

    let (_, warnings) = warned(&chain[..chain.len() - 3000]);
    assert!(
        warnings
            .iter()
            .any(|w| w.contains("may have been cut short")),
        "{warnings:?}"
    );
}

#[test]
fn tags_behind_a_flac_cost_no_sound() {
    let flac = include_bytes!("data/formats/mono.flac");
    let mut tag = b"TAG".to_vec();
    tag.resize(128, 7);
    let mut ape = b"APETAGEX\xd0\x07\0\0\x23\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0".to_vec();
    ape.splice(0..0, [9; 3]);
    for tagged in [[&flac[..], &tag].concat(), [&flac[..], &ape, &tag].concat()] {
        let (clip, warnings) = warned(&tagged);
        assert!(
            clip == read(flac).unwrap() && warnings.is_empty(),
            "{warnings:?}"
        );
    }
}

#[test]
fn what_is_not_decoded_is_named() {
    let page = |packet: &[u8]| {
        let mut page = b"OggS\0\x02".to_vec();
        page.extend([0; 20]);
        page.extend([1, packet.len() as u8]);
        page.extend(packet);
        page
    };
    for (bytes, what) in [
        (page(b"Speex   1.2.0 and so on"), "Ogg with Speex"),
        (page(b"\x80theora and so on"), "Ogg with Theora"),
        (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11".to_vec(), "WMA audio"),
        (b"wvpk\x20\0\0\0".to_vec(), "WavPack audio"),
        (b"#!AMR\n".to_vec(), "AMR audio"),
    ] {
        let error = read(&bytes).unwrap_err().to_string();
        let expected = format!("x: {what} is not supported; convert it to 16-bit WAV");
        assert_eq!(error, expected);
    }
}
