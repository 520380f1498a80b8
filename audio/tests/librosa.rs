//! `extract` against librosa's and torchaudio's own results (tests/goldens, with the scripts and the versions that made
//! them).

use audio::{FeatureSettings, Limits, decode, extract};
use kernels::Device;
use std::path::{Path, PathBuf};

#[derive(serde::Deserialize)]
struct Goldens {
    versions: serde_json::Value,
    cases: Vec<Case>,
}

#[derive(serde::Deserialize)]
struct Case {
    name: String,
    file: PathBuf,
    settings: FeatureSettings,
    /// How many samples librosa decoded.
    samples: Option<usize>,
}

/// A two-dimensional array of f32 as numpy saves it.
fn npy(path: &Path) -> (Vec<usize>, Vec<f32>) {
    let bytes = std::fs::read(path).unwrap();
    let length = u16::from_le_bytes([bytes[8], bytes[9]]) as usize;
    let header = std::str::from_utf8(&bytes[10..10 + length]).unwrap();
    assert!(
        header.contains("'<f4'") && header.contains("'fortran_order': False"),
        "{header}"
    );
    let shape = header
        .split_once("'shape': (")
        .unwrap()
        .1
        .split_once(')')
        .unwrap()
        .0;
    let shape = shape
        .split(',')
        .map(|n| n.trim().parse().unwrap())
        .collect();
    let values = bytes[10 + length..]
        .chunks_exact(4)
        .map(|b| f32::from_le_bytes(b.try_into().unwrap()))
        .collect();
    (shape, values)
}

fn compare(device: &Device, file: &str) {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let goldens: Goldens =
        serde_json::from_slice(&std::fs::read(tests.join("goldens").join(file)).unwrap()).unwrap();
    println!(
        "{} against librosa {}",
        device.name(),
        goldens.versions["librosa"]
    );
    let mut failures = Vec::new();
    for case in &goldens.cases {
        let clip = decode(&tests.join(&case.file), &Limits::default()).unwrap();
        if let Some(samples) = case.samples {
            assert_eq!(
                clip.samples.len(),
                samples,
                "{}: encoder delay and padding",
                case.name
            );
        }
        let features = extract(device, &case.settings, &clip).unwrap();
        let (shape, expected) = npy(&tests.join(format!("goldens/{}.npy", case.name)));
        assert_eq!(
            [features.bands, features.frames],
            shape[..],
            "{}",
            case.name
        );
        let full_scale = expected
            .iter()
            .fold(f32::MIN_POSITIVE, |m, v| m.max(v.abs()));
        let errors = features
            .values
            .iter()
            .zip(&expected)
            .map(|(a, b)| (a - b).abs());
        let error = errors.fold(0.0, f32::max) / full_scale;
        println!(
            "  {:28} [{:4}, {:3}]  largest error {error:.1e} of full scale",
            case.name, shape[0], shape[1]
        );
        if error.is_nan() || error > 1e-4 {
            failures.push(format!("{}: {error:.1e}", case.name));
        }
    }
    assert!(failures.is_empty(), "{failures:?}");
    assert!(goldens.cases.len() > 10);
}

#[test]
fn spectrograms_agree_with_librosa() {
    compare(&Device::cpu(), "librosa.json");
}

#[test]
fn other_kinds_and_presets_agree_with_librosa_and_torchaudio() {
    compare(&Device::cpu(), "features.json");
}
