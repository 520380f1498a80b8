//! Features of a clip that goes through the GPU in pieces are the CPU's.

use melgrad::audio::features::extract_pieces;
use melgrad::audio::{FeatureSettings, Features, Kind, Limits, Preset, Stream, extract, wav};
use melgrad::kernels::block_on;
use melgrad::kernels::philox::Philox;
use melgrad::{Clip, Device};

/// A GPU takes 4096 frames at once.
const FRAMES: usize = 4200;
const HOP: usize = 64;
const RATE: u32 = 16_000;

/// A tone that rises, in noise that falls.
fn sound() -> Clip {
    let mut dice = Philox::new(7, 0);
    let length = FRAMES * HOP;
    let sample = |n: usize| {
        let along = n as f32 / length as f32;
        let tone = (n as f32 * (0.05 + 0.5 * along)).sin();
        0.4 * along * tone + 0.1 * (1.0 - along) * dice.normal()
    };
    Clip {
        samples: (0..length).map(sample).collect(),
        sample_rate: RATE,
    }
}

/// By how much of full scale features differ at most.
fn difference(a: &Features, b: &Features) -> f32 {
    assert_eq!((a.bands, a.frames), (b.bands, b.frames));
    let full_scale = a.values.iter().fold(0f32, |most, v| most.max(v.abs()));
    let errors = a.values.iter().zip(&b.values).map(|(a, b)| (a - b).abs());
    errors.fold(0.0, |most: f32, error| match error.is_nan() {
        true => f32::INFINITY,
        false => most.max(error),
    }) / full_scale
}

#[test]
fn features_are_the_same_whole_and_in_pieces() {
    let (cpu, gpu) = (Device::cpu(), crate::gpu());
    let bytes = wav::encode(&sound());
    let clip = melgrad::audio::decode_bytes(&bytes, "x", &Limits::default()).unwrap();
    for preset in Preset::ALL {
        for (kind, tolerance) in [
            (Kind::Stft, 1e-5),
            (Kind::Mel, 1e-5),
            (Kind::LogMel, 1e-4),
            (Kind::Mfcc, 1e-4),
        ] {
            let settings = FeatureSettings {
                kind,
                sample_rate: RATE,
                hop: HOP,
                ..FeatureSettings::of(preset)
            };
            let expected = extract(&cpu, &settings, &clip).unwrap();
            assert!(expected.frames > 4096, "{preset} {kind}");
            let whole = extract(&gpu, &settings, &clip).unwrap();
            let error = difference(&expected, &whole);
            assert!(error <= tolerance, "{preset} {kind}: {error:.1e}");
        }
    }
    let settings = FeatureSettings {
        sample_rate: RATE,
        hop: HOP,
        ..FeatureSettings::default()
    };
    let mut stream = Stream::from_bytes(&bytes, "x", &Limits::LONG).unwrap();
    let mut pieces = Vec::new();
    let finisher = block_on(extract_pieces(&gpu, &settings, &mut stream, &mut |piece| {
        pieces.push(piece);
        Ok(())
    }));
    let finisher = finisher.unwrap();
    let expected = extract(&cpu, &settings, &clip).unwrap();
    let mut start = 0;
    for piece in pieces {
        let piece = block_on(finisher.finish(piece)).unwrap();
        let rows = expected.values.chunks_exact(expected.frames);
        let same = Features {
            values: rows
                .flat_map(|row| &row[start..start + piece.frames])
                .copied()
                .collect(),
            ..piece
        };
        let error = difference(&same, &piece);
        assert!(error <= 1e-4, "from frame {start} on: {error:.1e}");
        start += piece.frames;
    }
    assert_eq!(start, expected.frames);
}
