//! MP3, tagged, damaged and inside WAV.

use crate::{fmt, read, riff};
use audio::{Error, Limits, Segment, Stream, decode_bytes};

const STREAM: &[u8] = include_bytes!("../data/minimp3/l3-hecommon.bit");

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
fn what_begins_as_mp3_is_mp3_however_much_follows() {
    let tail = vec![0; 10 * STREAM.len()];
    let clip = read(&[STREAM, &tail].concat()).unwrap();
    assert_eq!(clip.samples.len(), 30 * 1152);
    // Behind as many zeros, nothing says so of any.
    let error = read(&[&tail, STREAM].concat()).unwrap_err();
    assert!(matches!(error, Error::Unrecognised { .. }), "{error}");
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
    let bytes = include_bytes!("../data/minimp3/l3-nonstandard-he_44_48khz.bit");
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
            include_bytes!("../data/minimp3/l3-nonstandard-vbrtag-only.bit"),
        ),
        (
            "id3v2-only",
            include_bytes!("../data/minimp3/l3-nonstandard-id3v2-only.bit"),
        ),
        (
            "small",
            include_bytes!("../data/minimp3/l3-nonstandard-small.bit"),
        ),
        (
            "vbrtag-oob-read",
            include_bytes!("../data/minimp3/l3-nonstandard-vbrtag-oob-read.bit"),
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

/// Headers of free format so close together that a frame without padding would have no bytes.
#[test]
fn frames_without_bytes_are_none() {
    let mut bytes = [0xff, 0xff, 0x02, 0].repeat(40);
    bytes.extend([0xff, 0xff, 0x00, 0].repeat(4000));
    assert!(decode_bytes(&bytes, "x", &Limits::default()).is_err());
}

/// Streams of every layer, rate and mode against what ffmpeg makes of them (`goldens/make_mpeg.py`).
#[test]
fn every_kind_of_stream_decodes_as_ffmpeg_does() {
    let tests = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let goldens = std::fs::read(tests.join("goldens/mpeg.json")).unwrap();
    let goldens: serde_json::Value = serde_json::from_slice(&goldens).unwrap();
    let every = goldens["every"].as_u64().unwrap() as usize;
    let cases = goldens["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 24);
    for case in cases {
        let file = case["file"].as_str().unwrap();
        let clip = audio::decode(&tests.join("data/mpeg").join(file), &Limits::default()).unwrap();
        assert_eq!(u64::from(clip.sample_rate), case["rate"], "{file}");
        assert_eq!(clip.samples.len() as u64, case["samples"], "{file}");
        let values = case["values"].as_array().unwrap();
        let ours = clip.samples.iter().step_by(every);
        let off = ours
            .zip(values)
            .map(|(a, b)| (f64::from(*a) - b.as_f64().unwrap()).abs());
        let worst = off.fold(0.0, f64::max);
        println!("{file}: {worst:.1e}");
        // A least bit of 16 is 3e-5.
        assert!(worst < 1e-5, "{file}: off by {worst:.1e} of full scale");
    }
}

/// 64 kbit/s at 22 050 Hz, MPEG-2, one channel: a tag frame and 194 frames of sound that borrow bits from each other.
const DOG: &[u8] = include_bytes!("../data/esc10/dog_bark-1-59513-A.mp3");
/// Samples in one of its frames, and frames after which nothing is left of what came before: two for the borrowed bits,
/// two for the filter banks.
const FRAME: usize = 576;
const SETTLED: usize = 4;

fn frames_of_the_dog() -> Vec<&'static [u8]> {
    let mut rest = &DOG[45..];
    let mut frames = Vec::new();
    while let [0xff, 0xf3, format, ..] = rest {
        let (frame, after) = rest.split_at(208 + usize::from(format >> 1 & 1));
        frames.push(frame);
        rest = after;
    }
    assert_eq!((frames.len(), rest.len()), (195, 0));
    frames
}

/// Where two sounds begin to differ; a failing test need not print them whole.
fn first_difference(a: &[f32], b: &[f32]) -> Option<usize> {
    let longest = a.len().max(b.len());
    (0..longest).find(|i| a.get(*i) != b.get(*i))
}

fn sound(bytes: &[u8]) -> Vec<f32> {
    read(bytes).unwrap().samples
}

fn warnings(bytes: &[u8]) -> Vec<String> {
    let mut stream = Stream::from_bytes(bytes, "x", &Limits::default()).unwrap();
    stream.clip(&Segment::default()).unwrap();
    stream.warnings()
}

/// As `ffmpeg -ss 10 -t 30 -acodec copy` cuts FMA's clips: a tag frame before frames that borrow from lost ones.
#[test]
fn a_cut_stream_begins_with_silence_and_keeps_its_time() {
    let frames = frames_of_the_dog();
    let whole = sound(&frames[1..].concat());
    assert_eq!(whole.len(), 194 * FRAME);
    for first in [2, 3, 50, 121] {
        let borrowed = frames[first][4];
        assert!(borrowed > 0, "frame {first} borrows nothing");
        let cut = frames[first..].concat();
        let samples = sound(&cut);
        assert_eq!(samples.len(), (195 - first) * FRAME);
        assert!(samples[..FRAME].iter().all(|s| *s == 0.0));
        let before = (first - 1) * FRAME;
        let settled = SETTLED * FRAME;
        assert_eq!(
            first_difference(&samples[settled..], &whole[before + settled..]),
            None
        );
        // The tag is no sound, and lends no bits.
        let tagged = sound(&[frames[0], &cut].concat());
        let trimmed = samples.len() - tagged.len();
        assert!(trimmed > 0);
        assert_eq!(first_difference(&tagged, &samples[trimmed..]), None);
    }
}

#[test]
fn junk_between_frames_costs_none_and_a_torn_frame_only_itself() {
    let frames = frames_of_the_dog();
    let whole = sound(&frames[1..].concat());
    let junk = [0x55; 700];
    let with_junk = [&frames[1..100].concat()[..], &junk, &frames[100..].concat()].concat();
    assert_eq!(first_difference(&sound(&with_junk), &whole), None);
    assert_eq!(
        warnings(&with_junk),
        ["x: 700 bytes between MPEG frames are left out"]
    );
    let torn = [
        &frames[1..100].concat()[..],
        &frames[100][..70],
        &frames[100][120..],
        &frames[101..].concat(),
    ]
    .concat();
    let samples = sound(&torn);
    assert_eq!(samples.len(), whole.len());
    let (from, to) = (99 * FRAME, (100 + SETTLED) * FRAME);
    assert_eq!(first_difference(&samples[..from], &whole[..from]), None);
    assert_eq!(first_difference(&samples[to..], &whole[to..]), None);
    let loudest = |samples: &[f32]| samples.iter().fold(0f32, |most, s| most.max(s.abs()));
    assert!(loudest(&samples[from..to]) <= loudest(&whole));
    assert_eq!(warnings(&torn), ["x: 3 damaged MPEG frames are silent"]);
}

#[test]
fn whatever_stands_behind_the_last_frame_does_not_cost_it() {
    let frames = frames_of_the_dog().concat();
    let whole = sound(&frames);
    let tails: [&[u8]; 5] = [
        b"LYRICSBEGIN la la la LYRICSEND",
        &[0; 5000],
        &[0x55; 3],
        b"APETAGEX and nothing more",
        &[b"TAG".as_slice(), &[1; 125]].concat(),
    ];
    for tail in tails {
        assert_eq!(
            first_difference(&sound(&[&frames, tail].concat()), &whole),
            None
        );
    }
}

#[test]
fn joined_files_are_heard_to_the_end_each_trimmed_by_its_own_tag() {
    let one = sound(DOG);
    let twice = [&one[..], &one].concat();
    assert_eq!(first_difference(&sound(&[DOG, DOG].concat()), &twice), None);
    // Frames that a tag does not know of.
    let frames = frames_of_the_dog();
    let more = [&frames.concat()[..], &frames[1..].concat()].concat();
    assert!(sound(&more).len() > 2 * 193 * FRAME);
    let less = &DOG[..DOG.len() / 2];
    let missing = warnings(less);
    assert!(
        missing.len() == 1 && missing[0].contains("samples are missing at the end"),
        "{missing:?}"
    );
}
