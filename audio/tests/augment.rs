//! Stretched and shifted sounds against librosa's (tests/goldens/augment.json, with the script that made it).

use audio::augment::{pitch_shift, time_stretch};
use audio::{Limits, decode};
use std::path::Path;

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
    length: usize,
    values: Vec<f32>,
}

fn change(samples: &[f32], what: &str) -> Vec<f32> {
    match what.split(' ').collect::<Vec<_>>()[..] {
        ["stretch", rate] => time_stretch(samples, rate.parse().unwrap()),
        ["shift", steps, of] => pitch_shift(samples, steps.parse().unwrap(), of.parse().unwrap()),
        _ => panic!("{what}"),
    }
    .unwrap()
}

/// How far samples may be from librosa's, in full scales: the farthest, and on average.
fn allowed(what: &str) -> (f32, f32) {
    match what.starts_with("stretch") {
        true => (1e-4, 1e-5),
        // Another resampler than soxr, whose band ends elsewhere: a bright sound, as a rooster's, has something there.
        false => (3e-2, 2e-3),
    }
}

#[test]
fn librosa_agrees() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let goldens = std::fs::read(tests.join("goldens/augment.json")).unwrap();
    let goldens: Goldens = serde_json::from_slice(&goldens).unwrap();
    println!("against librosa {}", goldens.versions["librosa"]);
    let mut failures = Vec::new();
    for case in &goldens.cases {
        let name = format!("{} of {}", case.what, case.sound);
        let file = tests.join("data/esc10").join(&case.sound);
        let clip = decode(&file, &Limits::default()).unwrap();
        let ours = change(&clip.samples, &case.what);
        assert_eq!(ours.len(), case.length, "{name}");
        let full_scale = case.values.iter().fold(0f32, |m, v| m.max(v.abs()));
        let errors = ours
            .iter()
            .step_by(case.every)
            .zip(&case.values)
            .map(|(a, b)| (a - b).abs());
        let mean = errors.clone().sum::<f32>() / case.values.len() as f32 / full_scale;
        let error = errors.fold(0.0, f32::max) / full_scale;
        println!("  {name:40} largest error {error:.1e} of full scale, mean {mean:.1e}");
        let (farthest, average) = allowed(&case.what);
        if error.is_nan() || error > farthest || mean > average {
            failures.push(format!("{name}: {error:.1e}, mean {mean:.1e}"));
        }
    }
    assert!(failures.is_empty(), "{failures:?}");
    assert!(goldens.cases.len() > 10);
}
