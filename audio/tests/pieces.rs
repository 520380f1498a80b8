//! Features of a long sound, piece by piece, are those of the sound in memory.

use audio::features::{extract_pieces, in_pieces};
use audio::{FeatureSettings, Features, Kind, Limits, Preset, Stream, extract, synth, wav};
use kernels::{Device, block_on};

/// The pieces put together, and how many they were.
fn in_pieces_of(bytes: &[u8], settings: &FeatureSettings) -> (Features, usize) {
    let device = Device::cpu();
    let mut stream = Stream::from_bytes(bytes, "x", &Limits::LONG).unwrap();
    let mut pieces = Vec::new();
    let finisher = block_on(extract_pieces(
        &device,
        settings,
        &mut stream,
        &mut |piece| {
            pieces.push(piece);
            Ok(())
        },
    ));
    let finisher = finisher.unwrap();
    let pieces: Vec<Features> = pieces
        .into_iter()
        .map(|piece| block_on(finisher.finish(piece)).unwrap())
        .collect();
    let bands = pieces[0].bands;
    let rows = (0..bands).flat_map(|band| {
        let row =
            move |piece: &Features| piece.values[band * piece.frames..][..piece.frames].to_vec();
        pieces.iter().flat_map(row)
    });
    let features = Features {
        bands,
        frames: pieces.iter().map(|piece| piece.frames).sum(),
        values: rows.collect(),
    };
    (features, pieces.len())
}

#[test]
fn pieces_are_the_whole_to_the_last_bit() {
    // Loudest in the middle, so that decibels must know of what comes later.
    let mut clip = synth::clip(3, 7, 40.0, 8000);
    let middle = clip.samples.len() / 2;
    clip.samples[..middle].iter_mut().for_each(|s| *s *= 0.2);
    let bytes = wav::encode(&clip);
    let clip = audio::decode_bytes(&bytes, "x", &Limits::default()).unwrap();
    for (kind, preset, sample_rate, hop) in [
        (Kind::LogMel, Preset::Librosa, 8000, 64),
        (Kind::LogMel, Preset::Htk, 8000, 64),
        (Kind::Mel, Preset::Torchaudio, 11_025, 100),
        (Kind::Stft, Preset::Librosa, 8000, 300),
        (Kind::Mfcc, Preset::Librosa, 4000, 33),
        (Kind::Mfcc, Preset::Htk, 8000, 80),
    ] {
        let settings = FeatureSettings {
            kind,
            preset,
            sample_rate,
            hop,
            n_fft: 256,
            n_mels: 20,
            ..FeatureSettings::default()
        };
        let whole = extract(&Device::cpu(), &settings, &clip).unwrap();
        let (joined, pieces) = in_pieces_of(&bytes, &settings);
        assert_eq!((joined.bands, joined.frames), (whole.bands, whole.frames));
        assert_eq!(pieces > 1, whole.frames > 2100, "{kind}");
        assert!(joined.values == whole.values, "{kind}");
    }
}

#[test]
fn what_needs_the_whole_sound_says_so() {
    let settings = FeatureSettings {
        kind: Kind::Waveform,
        ..FeatureSettings::default()
    };
    assert!(!in_pieces(&settings));
    let bytes = wav::encode(&synth::clip(0, 0, 0.5, 8000));
    let mut stream = Stream::from_bytes(&bytes, "x", &Limits::LONG).unwrap();
    let device = Device::cpu();
    let result = block_on(extract_pieces(&device, &settings, &mut stream, &mut |_| {
        Ok(())
    }));
    let error = result.unwrap_err().to_string();
    assert!(error.contains("waveform needs the whole sound"), "{error}");
}
