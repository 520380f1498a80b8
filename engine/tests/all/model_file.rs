//! Model files: bit by bit there and back; whatever is wrong with one is said, and nothing panics.

use crate::common::Training;
use engine::{Architecture, Device, Error, ModelFile, Network, Resume};
use proptest::prelude::*;
use serde_json::json;

fn file() -> ModelFile {
    let mut training = Training::new(&Device::cpu(), 4);
    training.run(0..2);
    let mut file = ModelFile::new(&training.network, labels(3)).unwrap();
    file.features = json!({"kind": "logmel", "n_mels": 12});
    file.normalisation =
        json!({"mean": -31.25, "deviations": [0.1 + 0.2, 1.0 / 49.0, 1e-310 / 3.0]});
    file
}

fn labels(n: usize) -> Vec<String> {
    (0..n).map(|i| format!("génre {i}")).collect()
}

fn resumable() -> ModelFile {
    let mut training = Training::new(&Device::cpu(), 4);
    training.run(0..2);
    let optimizer = training.optimizer.state().unwrap();
    ModelFile {
        resume: Some(Resume {
            optimizer,
            counters: json!({"epoch": 3, "best": 0.5}),
        }),
        ..file()
    }
}

/// The file's metadata changed by hand.
fn edited(bytes: &[u8], edit: impl FnOnce(&mut serde_json::Value)) -> Vec<u8> {
    let n = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let mut header: serde_json::Value = serde_json::from_slice(&bytes[8..8 + n]).unwrap();
    edit(&mut header);
    let header = serde_json::to_vec(&header).unwrap();
    let mut out = (header.len() as u64).to_le_bytes().to_vec();
    out.extend(header);
    out.extend(&bytes[8 + n..]);
    out
}

/// The JSON under our key changed by hand.
fn with_metadata(bytes: &[u8], edit: impl FnOnce(&mut serde_json::Value)) -> Vec<u8> {
    edited(bytes, |header| {
        let text = header["__metadata__"]["melgrad"].as_str().unwrap();
        let mut value = serde_json::from_str(text).unwrap();
        edit(&mut value);
        header["__metadata__"]["melgrad"] = json!(value.to_string());
    })
}

#[test]
fn there_and_back_bit_by_bit() {
    for file in [file(), resumable()] {
        let bytes = file.to_bytes().unwrap();
        let read = ModelFile::from_bytes(&bytes).unwrap();
        assert_eq!(read, file);
        assert_eq!(
            read.to_bytes().unwrap(),
            bytes,
            "the same contents give the same bytes"
        );
        let network =
            Network::with_weights(&read.architecture, &Device::cpu(), &read.weights).unwrap();
        assert_eq!(network.weights().unwrap(), file.weights);
    }
}

#[test]
fn truncated_anywhere() {
    let bytes = resumable().to_bytes().unwrap();
    for length in (0..bytes.len()).step_by(64).chain(0..16) {
        let error = ModelFile::from_bytes(&bytes[..length])
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("model file: ") && !error.contains('\n'),
            "{error}"
        );
    }
    let longer = [&bytes[..], &[0; 4]].concat();
    assert!(ModelFile::from_bytes(&longer).is_err());
}

#[test]
fn every_fault_is_named() {
    let bytes = file().to_bytes().unwrap();
    let refused = |bytes: &[u8], expected: &str| {
        let error = ModelFile::from_bytes(bytes).unwrap_err().to_string();
        assert!(error.contains(expected), "{expected}: {error}");
    };
    refused(b"ID3\x04\x00 some song, surely not a model", "model file: ");
    refused(
        &edited(&bytes, |h| {
            drop(h.as_object_mut().unwrap().remove("__metadata__"))
        }),
        "weights alone are not a model",
    );
    refused(
        &edited(&bytes, |h| h["__metadata__"]["melgrad"] = json!("{")),
        "says no format",
    );
    refused(
        &with_metadata(&bytes, |m| m["format"] = json!(2)),
        "format 2, this version reads 1",
    );
    refused(
        &with_metadata(&bytes, |m| m["labels"] = json!(["a", "b"])),
        "2 labels for a network that puts out 3",
    );
    refused(
        &with_metadata(&bytes, |m| m["labels"] = json!(["a", "b", "a"])),
        "two labels are `a`",
    );
    refused(
        &with_metadata(&bytes, |m| m["labels"] = json!(["a", "b", "\u{1b}[2J"])),
        "control characters",
    );
    refused(
        &with_metadata(&bytes, |m| {
            let layers = m["architecture"]["layers"].as_array_mut().unwrap();
            layers.push(json!({"kind": "Softmax"}));
        }),
        "logits",
    );
    refused(
        &with_metadata(&bytes, |m| {
            m["architecture"]["layers"] = vec![json!({"kind": "Softmax"}); 5000].into();
        }),
        "more than 4096 layers",
    );
    refused(
        &with_metadata(&bytes, |m| m["labels"] = json!(3)),
        "its metadata",
    );
    refused(
        &with_metadata(&bytes, |m| {
            m["architecture"]["layers"][0]["kernel"] = json!([2, 2])
        }),
        "weights do not fit",
    );
    refused(
        &with_metadata(&bytes, |m| {
            m["architecture"]["layers"][0]["kernel"] = json!(99)
        }),
        "layer `conv1`",
    );
    refused(
        &with_metadata(&bytes, |m| {
            m["architecture"]["layers"][0]["name"] = json!("first")
        }),
        "missing `first.bias`",
    );
    refused(
        &edited(&bytes, |h| h["conv1.weight"]["dtype"] = json!("I32")),
        "`conv1.weight` is I32",
    );
    refused(
        &edited(&bytes, |h| h["conv1.weight"]["shape"] = json!([4, 9])),
        "`conv1.weight` is 4×9 in the file, 4×1×3×3 in the network",
    );
    refused(
        &edited(&bytes, |h| h["conv1.weight"]["shape"] = json!([4, 8])),
        "model file: ",
    );
    let state = resumable().to_bytes().unwrap();
    refused(
        &with_metadata(&state, |m| {
            drop(m.as_object_mut().unwrap().remove("counters"))
        }),
        "without counters",
    );
    let mut spoilt = file();
    spoilt.weights.get_mut("linear1.weight").unwrap().values[5] = f32::NAN;
    assert!(
        spoilt
            .to_bytes()
            .unwrap_err()
            .to_string()
            .contains("`linear1.weight` holds NaN")
    );
    let mut on_disk = bytes.clone();
    let last = on_disk.len() - 4;
    on_disk[last..].copy_from_slice(&f32::INFINITY.to_le_bytes());
    refused(&on_disk, "holds inf");
}

/// A tiny header must not make us reserve what its architecture claims.
#[test]
fn a_boastful_architecture_is_refused_before_memory_is_taken() {
    let bytes = with_metadata(&file().to_bytes().unwrap(), |m| {
        m["architecture"] = json!({"input": [30_000], "layers": [
            {"kind": "Linear", "out_features": 60_000}, {"kind": "Linear", "out_features": 3}]});
    });
    assert!(matches!(
        ModelFile::from_bytes(&bytes),
        Err(Error::Weights(_))
    ));
}

#[test]
fn classes_become_a_number() {
    let architecture = Architecture::from_json(
        r#"{"input": [4], "layers": [{"kind": "Linear", "out_features": "classes"}]}"#,
    )
    .unwrap();
    let network = Network::new(&architecture.with_classes(2), &Device::cpu(), 1).unwrap();
    let file = ModelFile::new(&network, labels(2)).unwrap();
    assert!(
        ModelFile::new(&network, labels(5))
            .unwrap()
            .to_bytes()
            .is_err()
    );
    assert_eq!(
        ModelFile::from_bytes(&file.to_bytes().unwrap())
            .unwrap()
            .architecture
            .output()
            .unwrap()[..],
        [2]
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn random_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(ModelFile::from_bytes(&bytes).is_err());
    }

    /// A file with bytes changed is read or refused, and what is read is whole.
    #[test]
    fn damaged_files_never_panic(at in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        static FILE: std::sync::LazyLock<Vec<u8>> = std::sync::LazyLock::new(|| resumable().to_bytes().unwrap());
        let mut bytes = FILE.clone();
        // Half of the damage goes into the header, where it is worst.
        let header = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        for (index, value) in at {
            let end = if value % 2 == 0 { header } else { bytes.len() };
            let place = index.index(end);
            bytes[place] = value;
        }
        if let Ok(file) = ModelFile::from_bytes(&bytes) {
            prop_assert!(Network::with_weights(&file.architecture, &Device::cpu(), &file.weights).is_ok());
        }
    }
}
