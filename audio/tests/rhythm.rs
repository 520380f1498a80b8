//! Onsets, beats, pitches, separated sounds, constant-Q and whole tables against librosa's and pyAudioAnalysis's own results (tests/goldens/rhythm.json, with the script
//! that made it).

use audio::features::{Aggregate, beat_track, hpss, onset_strength, tempo};
use audio::{Clip, FeatureSettings, Kind, Limits, decode, extract};
use kernels::Device;
use std::path::Path;

const RATE: u32 = 22_050;

#[derive(serde::Deserialize)]
struct Goldens {
    versions: serde_json::Value,
    cases: Vec<Case>,
}

#[derive(serde::Deserialize)]
struct Case {
    sound: String,
    what: String,
    every: usize,
    shape: Vec<usize>,
    values: Vec<f32>,
}

/// Sample for sample what make_rhythm.py makes.
fn drums(beat: usize) -> Vec<f32> {
    let mut state = 1u32;
    let sample = |i: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let noise = (state >> 16) as f32 / 32_768.0 - 1.0;
        let decay = (1.0 - (i % beat) as f32 / 2000.0).max(0.0);
        let loud = if (i / beat).is_multiple_of(2) {
            0.5
        } else {
            0.25
        };
        noise * decay * loud + ((i % 100) as f32 / 50.0 - 1.0) * 0.125
    };
    (0..10 * RATE as usize).map(sample).collect()
}

fn sound(name: &str) -> Vec<f32> {
    if let Some(beat) = name.strip_prefix("drums ") {
        return drums(beat.parse().unwrap());
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/esc10")
        .join(name);
    let clip = decode(&file, &Limits::default()).unwrap();
    assert_eq!(clip.sample_rate, RATE);
    clip.samples
}

fn strengths(samples: Vec<f32>, hop: usize, aggregate: Aggregate) -> Vec<f32> {
    let settings = FeatureSettings {
        kind: Kind::LogMel,
        hop,
        reference: Some(1.0),
        ..FeatureSettings::default()
    };
    let clip = Clip {
        samples,
        sample_rate: RATE,
    };
    let decibels = extract(&Device::cpu(), &settings, &clip).unwrap();
    onset_strength(&decibels, settings.n_fft, hop, aggregate).unwrap()
}

fn compute(what: &str, y: Vec<f32>) -> Vec<f32> {
    let usual = |y| strengths(y, 512, Aggregate::Median);
    match what {
        "harmonic" => hpss(&y, 2048, 512).unwrap().harmonic,
        "percussive" => hpss(&y, 2048, 512).unwrap().percussive,
        "harmonic 512 128" => hpss(&y, 512, 128).unwrap().harmonic,
        "onset mean" => strengths(y, 512, Aggregate::Mean),
        "onset median" => usual(y),
        "onset median 256" => strengths(y, 256, Aggregate::Median),
        "tempo" => vec![tempo(&usual(y), RATE, 512).unwrap() as f32],
        "beats" => beat_track(&usual(y), RATE, 512)
            .unwrap()
            .frames
            .into_iter()
            .map(|t| t as f32)
            .collect(),
        _ => by_kind(what, y),
    }
}

/// A kind's name, then what it has in place of the defaults.
fn by_kind(what: &str, samples: Vec<f32>) -> Vec<f32> {
    let mut words = what.split(' ');
    let kind: Kind = words.next().unwrap().parse().unwrap();
    let numbers: Vec<usize> = words.map(|n| n.parse().unwrap()).collect();
    let usual = FeatureSettings {
        kind,
        ..FeatureSettings::default()
    };
    let settings = match (kind, &numbers[..]) {
        (_, []) => usual,
        (Kind::Fma, [rate]) => FeatureSettings {
            sample_rate: *rate as u32,
            ..usual
        },
        (_, [hop]) => FeatureSettings { hop: *hop, ..usual },
        (_, [n_fft, hop]) => FeatureSettings {
            n_fft: *n_fft,
            hop: *hop,
            ..usual
        },
        _ => panic!("{what}"),
    };
    // Its samples as they are, whatever rate they are taken to be at.
    let clip = Clip {
        samples,
        sample_rate: settings.sample_rate,
    };
    extract(&Device::cpu(), &settings, &clip).unwrap().values
}

/// How far values may be from librosa's, in full scales, and how many of a hundred may be farther.
fn allowed(what: &str) -> (f32, usize) {
    match what.split(' ').next() {
        // A pitch is decided for; of a few numbers the higher moments are blown up.
        Some("fma" | "yin") => (1e-3, 5),
        _ => (1e-4, 0),
    }
}

#[test]
fn librosa_agrees() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let goldens: Goldens =
        serde_json::from_slice(&std::fs::read(tests.join("goldens/rhythm.json")).unwrap()).unwrap();
    println!("against librosa {}", goldens.versions["librosa"]);
    let mut failures = Vec::new();
    for Case {
        sound: name,
        what,
        every,
        shape,
        values,
    } in &goldens.cases
    {
        let ours = compute(what, sound(name));
        let case = format!("{what} of {name}");
        if ours.len() != shape.iter().product::<usize>() {
            failures.push(format!("{case}: {} values, not {shape:?}", ours.len()));
            continue;
        }
        let ours: Vec<f32> = ours.into_iter().step_by(*every).collect();
        // Each column of a table is a quantity of its own; a spectrum is one.
        let own_scale = what.starts_with("fma") || what.starts_with("pyaudio") || what == "yin";
        let largest = values.iter().fold(f32::MIN_POSITIVE, |m, v| m.max(v.abs()));
        let scale = |v: f32| {
            if own_scale {
                v.abs().max(0.01)
            } else {
                largest
            }
        };
        let errors: Vec<f32> = ours
            .iter()
            .zip(values)
            .map(|(a, b)| (a - b).abs() / scale(*b))
            .collect();
        let error = errors.iter().copied().fold(0.0, f32::max);
        let (tolerance, share) = allowed(what);
        let beyond = errors
            .iter()
            .filter(|e| e.is_nan() || **e > tolerance)
            .count();
        println!(
            "  {case:50} {shape:?}: largest error {error:.1e}, {beyond} of {} beyond {tolerance}",
            errors.len()
        );
        if 100 * beyond > share * errors.len() {
            let worst = (0..errors.len())
                .max_by(|a, b| errors[*a].total_cmp(&errors[*b]))
                .unwrap();
            failures.push(format!(
                "{case}: {error:.1e} at {worst}: {} not {}",
                ours[worst], values[worst]
            ));
        }
    }
    assert!(failures.is_empty(), "{failures:?}");
    assert!(goldens.cases.len() > 10);
}
