//! `extract` beyond what librosa's goldens show: long clips in pieces, other rates, clips that cannot be used.

use audio::{Clip, FeatureSettings, Kind, extract, synth};
use kernels::Device;

/// A setting under which a clip has few frames is one piece, under a shorter hop several: frames that both have agree.
#[test]
fn pieces_of_a_long_clip_join_without_a_seam() {
    let clip = synth::clip(3, 1, 9.0, 22_050);
    for (kind, n_fft) in [(Kind::Mel, 512), (Kind::Stft, 255), (Kind::Mel, 2048)] {
        let few = FeatureSettings {
            kind,
            n_fft,
            hop: 2048,
            n_mels: 40,
            ..FeatureSettings::default()
        };
        let many = FeatureSettings {
            hop: 128,
            ..few.clone()
        };
        let device = Device::cpu();
        let (few, many) = (
            extract(&device, &few, &clip).unwrap(),
            extract(&device, &many, &clip).unwrap(),
        );
        assert!(few.frames < 128 && many.frames > 1000);
        for band in 0..few.bands {
            for t in 0..few.frames {
                let (a, b) = (
                    few.values[band * few.frames + t],
                    many.values[band * many.frames + 16 * t],
                );
                assert!(
                    (a - b).abs() <= 1e-5 * a.abs().max(1e-3),
                    "{kind} {n_fft}: band {band}, frame {t}: {a}, {b}"
                );
            }
        }
    }
}

#[test]
fn decibels_see_the_whole_clip() {
    // Silence with one loud second at the end: its maximum sets the floor of all pieces.
    let mut clip = Clip {
        samples: vec![1e-4; 22_050 * 9],
        sample_rate: 22_050,
    };
    let loud = synth::clip(6, 1, 1.0, 22_050);
    clip.samples.extend(loud.samples);
    let features = extract(&Device::cpu(), &FeatureSettings::default(), &clip).unwrap();
    assert!(features.frames > 256);
    let (low, high) = features
        .values
        .iter()
        .fold((0.0f32, -100.0f32), |(l, h), v| (l.min(*v), h.max(*v)));
    assert_eq!((low, high), (-80.0, 0.0));
}

#[test]
fn clips_of_other_rates_are_resampled() {
    let settings = FeatureSettings::default();
    for rate in [8000, 44_100, 48_000, 192_000] {
        let clip = Clip {
            samples: vec![0.1; rate as usize],
            sample_rate: rate,
        };
        let features = extract(&Device::cpu(), &settings, &clip).unwrap();
        assert_eq!(
            (features.bands, features.frames),
            (128, 1 + 22_050 / 512),
            "{rate} Hz"
        );
    }
}

#[test]
fn odd_clips_get_features_or_a_reason() {
    let settings = FeatureSettings::default();
    let extract = |samples: Vec<f32>| {
        extract(
            &Device::cpu(),
            &settings,
            &Clip {
                samples,
                sample_rate: 22_050,
            },
        )
    };
    assert_eq!(extract(vec![0.3]).unwrap().frames, 1, "one sample");
    let silence = extract(vec![0.0; 30_000]).unwrap();
    assert!(
        silence.values.iter().all(|v| *v == 0.0),
        "silence is as loud as its loudest moment"
    );
    let say = |samples| extract(samples).unwrap_err().to_string();
    assert_eq!(say(vec![]), "feature settings: the clip holds no samples");
    assert!(say(vec![0.0, f32::NAN]).contains("sample 1 is NaN"));
    let bad = FeatureSettings {
        hop: 0,
        ..FeatureSettings::default()
    };
    let clip = Clip {
        samples: vec![0.0; 10],
        sample_rate: 22_050,
    };
    assert!(
        audio::extract(&Device::cpu(), &bad, &clip)
            .unwrap_err()
            .to_string()
            .contains("hop 0")
    );
    let rateless = Clip {
        samples: vec![0.0; 10],
        sample_rate: 0,
    };
    assert!(
        audio::extract(&Device::cpu(), &settings, &rateless)
            .unwrap_err()
            .to_string()
            .contains("from 0 Hz")
    );
}
