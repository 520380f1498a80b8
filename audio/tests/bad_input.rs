//! Broken files, and the error that each must get.

use audio::{Clip, Limits, decode, decode_bytes, wav};

fn good() -> Vec<u8> {
    wav::encode(&Clip {
        samples: vec![0.5; 100],
        sample_rate: 22_050,
    })
}

/// The good file with some bytes replaced.
fn patched(at: usize, with: &[u8]) -> Vec<u8> {
    let mut bytes = good();
    bytes[at..at + with.len()].copy_from_slice(with);
    bytes
}

/// An AU file with these header words and two bytes of sound.
fn au(words: &[u32; 5]) -> Vec<u8> {
    let words = words.iter().flat_map(|word| word.to_be_bytes());
    let sound = [1, 2];
    b".snd".iter().copied().chain(words).chain(sound).collect()
}

/// The good file as one of floats.
fn floats(samples: &[f32]) -> Vec<u8> {
    let mut bytes = good();
    bytes.truncate(44);
    bytes[20] = 3;
    bytes[32..36].copy_from_slice(&[4, 0, 32, 0]);
    bytes[40..44].copy_from_slice(&(4 * samples.len() as u32).to_le_bytes());
    bytes.extend(samples.iter().flat_map(|s| s.to_le_bytes()));
    bytes
}

#[test]
fn every_broken_file_gets_its_error() {
    let table: Vec<(&str, Vec<u8>, &str)> = vec![
        ("empty", vec![], "the file is empty"),
        ("one byte", vec![0], "not a sound file of a known format"),
        (
            "text",
            b"These are not the samples you are looking for.".to_vec(),
            "not a sound file of a known format",
        ),
        (
            "zeros",
            vec![0; 10_000],
            "not a sound file of a known format",
        ),
        (
            "a JPEG",
            [&[0xff, 0xd8, 0xff, 0xe0][..], &[7; 1000]].concat(),
            "not a sound file of a known format",
        ),
        (
            "an AVI",
            b"RIFF\0\0\0\0AVI LIST".to_vec(),
            "an AVI file is not supported",
        ),
        (
            "a WMA file",
            b"\x30\x26\xb2\x75\x8e\x66\xcf\x11".to_vec(),
            "WMA audio is not supported",
        ),
        (
            "only the signature",
            b"RIFF\0\0\0\0WAVE".to_vec(),
            "broken WAV file: no `fmt ` chunk",
        ),
        (
            "no data chunk",
            good()[..36].to_vec(),
            "broken WAV file: no `data` chunk",
        ),
        ("no data", good()[..44].to_vec(), "holds no audio samples"),
        (
            "half a sample",
            good()[..45].to_vec(),
            "holds no audio samples",
        ),
        (
            "a short format chunk",
            patched(16, &[12]),
            "the `fmt ` chunk is shorter than 16 bytes",
        ),
        ("no channels", patched(22, &[0, 0]), "it has no channels"),
        (
            "no block",
            patched(32, &[0, 0]),
            "the size of a sample is zero",
        ),
        (
            "65535 channels",
            patched(22, &[0xff, 0xff]),
            "number of channels is 65535, the limit is 32",
        ),
        (
            "no rate",
            patched(24, &[0; 4]),
            "sample rate is 0 Hz, the limit is 1000 to 384000 Hz",
        ),
        (
            "4 GHz",
            patched(24, &[0xff; 4]),
            "sample rate is 4294967295 Hz",
        ),
        (
            "no sound at the offset",
            au(&[100, 2, 3, 8000, 1]),
            "broken AU file: its sound begins at byte 100, it ends at byte 26",
        ),
        ("no bits", patched(34, &[0, 0]), "bits per sample is 0"),
        (
            "more bits than bytes",
            patched(34, &[32, 0]),
            "samples of 32 bits in 2 bytes",
        ),
        (
            "8 bits in 2 bytes",
            patched(34, &[8, 0]),
            "WAV with 8 bits in 2 bytes is not supported",
        ),
        (
            "ADPCM in blocks of two bytes",
            patched(20, &[2, 0]),
            "an ADPCM block is shorter than its own header",
        ),
        (
            "A-law in two bytes",
            patched(20, &[6, 0]),
            "WAV with format 0x0006 is not supported",
        ),
        (
            "an unknown format",
            patched(20, &[0x34, 0x12]),
            "WAV with format 0x1234 is not supported",
        ),
        (
            "a short extensible chunk",
            patched(20, &[0xfe, 0xff]),
            "the extensible `fmt ` chunk is shorter than 40 bytes",
        ),
        (
            "floats in 16 bits",
            patched(20, &[3, 0]),
            "WAV with 16 bits of float in 2 bytes is not supported",
        ),
        (
            "a short AU header",
            b".snd\0\0\0\x18".to_vec(),
            "broken AU file: the header is shorter than 24 bytes",
        ),
        (
            "AU sound inside the header",
            au(&[8, 2, 3, 8000, 1]),
            "broken AU file: the sound begins inside the header",
        ),
        (
            "AU without channels",
            au(&[24, 2, 3, 8000, 0]),
            "broken AU file: it has no channels",
        ),
        (
            "AU with 4294967295 channels",
            au(&[24, 2, 3, 8000, u32::MAX]),
            "number of channels is 4294967295, the limit is 32",
        ),
        ("AU at 0 Hz", au(&[24, 2, 3, 0, 1]), "sample rate is 0 Hz"),
        (
            "ADPCM in AU",
            au(&[24, 2, 23, 8000, 1]),
            "AU with ADPCM samples is not supported",
        ),
        (
            "AU of another kind",
            au(&[24, 2, 9, 8000, 1]),
            "AU with encoding 9 is not supported",
        ),
        (
            "AU without sound",
            au(&[24, 0, 3, 8000, 1])[..24].to_vec(),
            "holds no audio samples",
        ),
        (
            "AU with its sound far behind the end",
            au(&[u32::MAX, u32::MAX, 3, 8000, 1]),
            "broken AU file: its sound begins at byte 4294967295, it ends at byte 26",
        ),
        (
            "NaN",
            floats(&[0.0, f32::NAN]),
            "sample 1 is NaN; samples must be finite and at most 1000000 in magnitude",
        ),
        (
            "infinity",
            floats(&[f32::NEG_INFINITY]),
            "sample 0 is -inf; samples must be finite and at most 1000000 in magnitude",
        ),
        (
            "1e30",
            floats(&[0.0, 0.0, 1e30]),
            "sample 2 is 1e30; samples must be finite and at most 1000000 in magnitude",
        ),
    ];
    for (what, bytes, expected) in table {
        let error = match decode_bytes(&bytes, "song.wav", &Limits::default()) {
            Ok(clip) => panic!("{what}: decoded to {} samples", clip.samples.len()),
            Err(error) => error.to_string(),
        };
        // "1e30" prints in full digits.
        let expected = expected.replace("1e30", &1e30f32.to_string());
        assert!(error.contains(&expected), "{what}: {error}");
        assert!(
            error.starts_with("song.wav: ") && !error.contains('\n'),
            "{what}: {error}"
        );
    }
}

#[test]
fn broken_files_of_other_formats_are_named() {
    let heads: [(&str, &[u8]); 4] = [
        ("FLAC", b"fLaC\0\0\0\x22"),
        ("Ogg", b"OggS\0\x02"),
        ("MP4", b"\0\0\0\x20ftypM4A "),
        ("CAF", b"caff\0\x01\0\0"),
    ];
    for (format, bytes) in heads {
        let error = decode_bytes(bytes, "x", &Limits::default()).unwrap_err();
        let expected = match cfg!(feature = "formats") {
            true => format!("x: broken {format} file: "),
            false => format!("x: {format} (built without the feature `formats`) is not supported"),
        };
        assert!(error.to_string().starts_with(&expected), "{error}");
    }
    for (bytes, what) in [
        (&b"FORM\0\0\0\0AIFF"[..], "no `COMM` chunk"),
        (
            b"FORM\0\0\0\x10AIFCCOMM\0\0\0\x02\0\x01",
            "the `COMM` chunk is 2 bytes long",
        ),
    ] {
        let error = decode_bytes(bytes, "x", &Limits::default()).unwrap_err();
        assert_eq!(error.to_string(), format!("x: broken AIFF file: {what}"));
    }
    let error = decode_bytes(b"FORM\0\0\0\x048SVX", "x", &Limits::default()).unwrap_err();
    assert!(
        matches!(error, audio::Error::Unrecognised { .. }),
        "{error}"
    );
}

#[test]
fn limits_hold() {
    let limits = |change: fn(&mut Limits)| {
        let mut limits = Limits::default();
        change(&mut limits);
        decode_bytes(
            &wav::encode(&Clip {
                samples: vec![0.1; 8000],
                sample_rate: 8000,
            }),
            "x",
            &limits,
        )
    };
    let say = |result: Result<Clip, audio::Error>| result.unwrap_err().to_string();
    assert_eq!(
        say(limits(|l| l.max_seconds = 0.5)),
        "x: length is 1.0 s, the limit is 0.5 s"
    );
    assert_eq!(
        say(limits(|l| l.max_samples = 7999)),
        "x: length is 8000 samples, the limit is 7999 samples"
    );
    assert_eq!(
        say(limits(|l| l.max_bytes = 100)),
        "x: size is 16044 bytes, the limit is 100 bytes"
    );
    assert_eq!(
        say(limits(|l| l.min_rate = 11_025)),
        "x: sample rate is 8000 Hz, the limit is 11025 to 384000 Hz"
    );
    assert_eq!(
        say(limits(|l| l.max_channels = 0)),
        "x: number of channels is 1, the limit is 0"
    );
    assert!(
        limits(|l| l.max_seconds = 1.0).is_ok(),
        "exactly as long as allowed"
    );
}

#[test]
fn limits_hold_for_mp3() {
    let stream = include_bytes!("data/minimp3/l3-hecommon.bit");
    let say = |limits: Limits| decode_bytes(stream, "x", &limits).unwrap_err().to_string();
    assert_eq!(
        say(Limits {
            max_channels: 1,
            ..Limits::default()
        }),
        "x: number of channels is 2, the limit is 1"
    );
    assert!(
        say(Limits {
            max_rate: 22_050,
            ..Limits::default()
        })
        .starts_with("x: sample rate is 44100 Hz")
    );
    assert!(
        say(Limits {
            max_seconds: 0.5,
            ..Limits::default()
        })
        .starts_with("x: length is 0.8 s")
    );
}

#[test]
fn paths_that_cannot_be_read_are_named() {
    let folder = tempfile::tempdir().unwrap();
    for path in [
        folder.path().join("missing.wav"),
        folder.path().to_path_buf(),
    ] {
        let error = decode(&path, &Limits::default()).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("{}: ", path.display())),
            "{error}"
        );
    }
    let large = folder.path().join("large.wav");
    std::fs::write(&large, vec![0; 101]).unwrap();
    let error = decode(
        &large,
        &Limits {
            max_bytes: 100,
            ..Limits::default()
        },
    )
    .unwrap_err()
    .to_string();
    assert!(
        error.contains("size is 101 bytes, the limit is 100 bytes"),
        "{error}"
    );
}

#[cfg(unix)]
#[test]
fn names_that_are_not_utf8_are_read_and_named() {
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder
        .path()
        .join(std::ffi::OsStr::from_bytes(b"caf\xe9.wav"));
    std::fs::write(&path, good()).unwrap();
    assert_eq!(
        decode(&path, &Limits::default()).unwrap().samples.len(),
        100
    );
    std::fs::write(&path, b"").unwrap();
    let error = decode(&path, &Limits::default()).unwrap_err().to_string();
    assert!(
        error.contains("caf\u{fffd}.wav: the file is empty"),
        "{error}"
    );
}
