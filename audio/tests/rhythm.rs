//! Onsets, beats, pitches and separated sounds against librosa's own results (tests/goldens/rhythm.json, with the script
//! that made it).
#![cfg(feature = "mp3")]

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
        other => panic!("unknown: {other}"),
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
        let full_scale = values.iter().fold(f32::MIN_POSITIVE, |m, v| m.max(v.abs()));
        let errors = ours
            .iter()
            .step_by(*every)
            .zip(values)
            .map(|(a, b)| (a - b).abs());
        let error = errors.fold(0.0, f32::max) / full_scale;
        println!("  {case:44} {shape:?}: largest error {error:.1e} of full scale");
        if error.is_nan() || error > 1e-4 {
            failures.push(format!("{case}: {error:.1e}"));
        }
    }
    assert!(failures.is_empty(), "{failures:?}");
    assert!(goldens.cases.len() > 10);
}
