//! `extract` beyond what librosa's goldens show: long clips in pieces, other rates, clips that cannot be used.

use approx::abs_diff_eq;
use audio::{Clip, Error, FeatureSettings, Kind, Preset, Statistic, extract, synth};
use kernels::Device;
use proptest::prelude::*;

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
                    abs_diff_eq!(a, b, epsilon = 1e-5 * a.abs().max(1e-3)),
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

/// As many finite numbers as the settings say, or a reason.
fn fits_its_settings(settings: &FeatureSettings, clip: &Clip) -> Result<(), String> {
    let told = format!("{settings:?}, {} samples", clip.samples.len());
    match extract(&Device::cpu(), settings, clip) {
        Ok(features) => {
            let size = (settings.bands(), settings.frames(clip.samples.len()));
            let whole = features.values.len() == size.0 * size.1;
            if (features.bands, features.frames) != size || !whole {
                return Err(format!("{told}: {}×{}", features.bands, features.frames));
            }
            match features.values.iter().find(|v| !v.is_finite()) {
                Some(value) => Err(format!("{told}: {value}")),
                None => Ok(()),
            }
        }
        Err(Error::Settings(_)) => Ok(()),
        Err(other) => Err(format!("{told}: {other}")),
    }
}

#[test]
fn every_kind_under_every_preset_takes_odd_clips() {
    let noise = |n: usize| (0..n).map(|i| ((i * i) as f32).sin()).collect::<Vec<_>>();
    for preset in Preset::ALL {
        for kind in Kind::ALL {
            let mut settings = FeatureSettings {
                kind,
                ..FeatureSettings::of(preset)
            };
            if kind == Kind::GtzanPicture {
                settings.sample_rate = 22_050; // the only one it has
            }
            for samples in [vec![0.3], noise(300), vec![0.0; 9000], vec![1.0; 9000]] {
                let clip = Clip {
                    samples,
                    sample_rate: settings.sample_rate,
                };
                fits_its_settings(&settings, &clip).unwrap();
            }
            // Nothing is refused that is long enough.
            let second = Clip {
                samples: noise(settings.sample_rate as usize),
                sample_rate: settings.sample_rate,
            };
            extract(&Device::cpu(), &settings, &second).unwrap();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_settings_give_their_size_or_a_reason(
        kind in 0..Kind::ALL.len(),
        preset in 0..Preset::ALL.len(),
        (n_fft, hop, window) in (2usize..600, 40usize..700, proptest::option::of(0usize..700)),
        (n_mels, n_mfcc, deltas) in (0usize..90, 0usize..40, 0usize..4),
        statistics in proptest::collection::vec(0..Statistic::ALL.len(), 0..3),
        samples in 1usize..6000,
    ) {
        let settings = FeatureSettings {
            kind: Kind::ALL[kind],
            n_fft,
            hop,
            window,
            n_mels,
            n_mfcc,
            deltas,
            statistics: statistics.into_iter().map(|s| Statistic::ALL[s]).collect(),
            ..FeatureSettings::of(Preset::ALL[preset])
        };
        let clip = synth::clip(3, 1, 0.5, settings.sample_rate);
        let samples = clip.samples.into_iter().take(samples).collect();
        let clip = Clip { samples, ..clip };
        prop_assert_eq!(fits_its_settings(&settings, &clip), Ok(()));
    }
}
