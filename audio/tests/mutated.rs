//! No bytes at all make decoding panic.

use audio::{Clip, Limits, decode, decode_bytes, wav};
use proptest::prelude::*;
use std::path::Path;

fn good() -> Vec<u8> {
    wav::encode(&Clip {
        samples: vec![0.5; 100],
        sample_rate: 22_050,
    })
}

/// minimp3's own collection of damaged streams: an answer or an error, as it comes.
#[test]
fn damaged_streams_do_no_harm() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/minimp3");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if let Err(error) = decode(&path, &Limits::default()) {
            let error = error.to_string();
            assert!(
                error.starts_with(&path.display().to_string()) && !error.contains('\n'),
                "{error}"
            );
        }
        seen += 1;
    }
    assert!(seen > 15, "{seen} files");
}

fn never_panics(bytes: &[u8]) {
    if let Ok(clip) = decode_bytes(bytes, "x", &Limits::default()) {
        assert!(!clip.samples.is_empty());
        clip.check("x").unwrap();
    }
}

/// Bytes of `file` replaced at random places.
fn mutations(len: usize) -> impl Strategy<Value = Vec<(usize, u8)>> {
    prop::collection::vec((0..len, any::<u8>()), 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn random_bytes(bytes in prop::collection::vec(any::<u8>(), 0..4000)) {
        never_panics(&bytes);
    }

    #[test]
    fn random_bytes_after_a_signature(
        signature in prop::sample::select(vec![
            &b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0"[..], b"RIFF\0\0\0\0WAVE", b"ID3\x04\0\0\0\0\0\x0a", b"\xff\xfb\x90\x64",
            b"\xff\xfb\x90\x64Xing", b"APETAGEX\xd0\x07\0\0", b"\xff\xe3\x18\xc4",
            b".snd\0\0\0\x18", b"dns.\x18\0\0\0\xff\xff\xff\xff\x03\0\0\0", b"RF64\xff\xff\xff\xffWAVEds64\x1c\0\0\0",
        ]),
        bytes in prop::collection::vec(any::<u8>(), 0..2000),
    ) {
        never_panics(&[signature, &bytes].concat());
    }

    #[test]
    fn a_mutated_wav_header(changes in mutations(44), cut in 0usize..300) {
        let mut bytes = good();
        for (at, value) in changes {
            bytes[at] = value;
        }
        bytes.truncate(cut.max(1));
        never_panics(&bytes);
    }

    #[cfg(feature = "formats")]
    #[test]
    fn a_mutated_file_of_another_format(which in 0usize..14, changes in mutations(3000), cut in 0usize..60_000) {
        let mut bytes = [
            &include_bytes!("data/more/aac.m4a")[..],
            include_bytes!("data/more/adts.aac"),
            include_bytes!("data/more/alac.m4a"),
            include_bytes!("data/more/caf.caf"),
            include_bytes!("data/more/chained.ogg"),
            include_bytes!("data/more/ima-adpcm.wav"),
            include_bytes!("data/more/ms-adpcm.wav"),
            include_bytes!("data/more/opus.opus"),
            include_bytes!("data/more/opus.webm"),
            include_bytes!("data/more/vorbis.mka"),
            include_bytes!("data/formats/stereo.flac"),
            include_bytes!("data/formats/sine.ogg"),
            include_bytes!("data/formats/stereo.aiff"),
            include_bytes!("data/formats/stereo24.flac"),
        ][which].to_vec();
        for (at, value) in changes {
            bytes[at] = value;
        }
        bytes.truncate(cut.max(1));
        never_panics(&bytes);
    }

    #[test]
    fn a_mutated_mp3(changes in mutations(12_538), cut in 0usize..12_538) {
        let mut bytes = include_bytes!("data/minimp3/l3-hecommon.bit").to_vec();
        for (at, value) in changes {
            bytes[at] = value;
        }
        never_panics(&bytes[cut..]);
    }
}
