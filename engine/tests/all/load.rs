//! Weights from elsewhere, as far as they fit; layers that no longer learn.

use engine::{Architecture, Array, Device, Mode, Network, Optimizer, Rule, Tensor, Weights};

const NETWORK: &str = r#"{"input": [1, 6, 6], "layers": [
    {"kind": "Sequential", "name": "old", "layers": [
        {"kind": "Conv2d", "out_channels": 3, "kernel": 3},
        {"kind": "BatchNorm"},
        {"kind": "MaxPool2d", "kernel": 2}
    ]},
    {"kind": "Sequential", "name": "older", "layers": [{"kind": "Conv2d", "out_channels": 2, "kernel": 1}]},
    {"kind": "BatchNorm"},
    {"kind": "Flatten"},
    {"kind": "Linear", "out_features": 4}
]}"#;

fn network() -> Network {
    let architecture = Architecture::from_json(NETWORK).unwrap();
    Network::new(&architecture, &Device::cpu(), 3).unwrap()
}

/// The weights after some steps.
fn trained(network: &Network) -> Weights {
    let device = network.device();
    let mut optimizer = Optimizer::new(network.parameters(), Rule::default(), 0.1).unwrap();
    for step in 0..3 {
        let values = (0..2 * 36)
            .map(|i| ((i * 7 + step) % 11) as f32)
            .collect::<Vec<f32>>();
        let x = Tensor::from_vec(device, values, [2, 1, 6, 6]).unwrap();
        let labels = device.upload_u32(&[1, 3]).unwrap();
        let mode = Mode::Train {
            seed: 1,
            step: step as u64,
        };
        let loss = network
            .forward(&x, mode)
            .unwrap()
            .cross_entropy(&labels, None)
            .unwrap();
        optimizer
            .step(network.parameters(), &loss.backward().unwrap())
            .unwrap();
    }
    network.weights().unwrap()
}

#[test]
fn what_is_frozen_stays_and_the_rest_learns() {
    let mut network = network();
    let before = network.weights().unwrap();
    network.freeze(&["old".into()]).unwrap();
    let names: Vec<&str> = network
        .parameters()
        .iter()
        .map(|p| p.name.as_str())
        .collect();
    let learned = [
        "older/conv1.weight",
        "older/conv1.bias",
        "norm1.weight",
        "norm1.bias",
        "linear1.weight",
        "linear1.bias",
    ];
    assert_eq!(names, learned);
    for (name, after) in trained(&network) {
        assert_eq!(before[&name] == after, name.starts_with("old/"), "{name}");
    }
}

#[test]
fn what_learns_learns_as_if_the_frozen_part_were_not_there() {
    // Behind a frozen part in evaluation mode the gradients are those of the rest alone.
    let mut frozen = network();
    frozen.freeze(&["old".into()]).unwrap();
    let whole = network();
    let gradients = |network: &Network| {
        let device = network.device();
        let values: Vec<f32> = (0..72).map(|i| (i % 5) as f32).collect();
        let x = Tensor::from_vec(device, &values, [2, 1, 6, 6]).unwrap();
        let labels = device.upload_u32(&[0, 2]).unwrap();
        let loss = network
            .forward(&x, Mode::Eval)
            .unwrap()
            .cross_entropy(&labels, None)
            .unwrap();
        let gradients = loss.backward().unwrap();
        let of = |p: &engine::Parameter| {
            (
                p.name.clone(),
                gradients.get(&p.tensor).unwrap().to_vec().unwrap(),
            )
        };
        network
            .parameters()
            .iter()
            .map(of)
            .collect::<std::collections::BTreeMap<_, _>>()
    };
    let (all, some) = (gradients(&whole), gradients(&frozen));
    assert_eq!((all.len(), some.len()), (10, 6));
    for (name, gradient) in some {
        assert_eq!(all[&name], gradient, "{name}");
    }
}

#[test]
fn a_path_that_is_none_is_refused() {
    for (path, hint) in [
        ("xyz", "no layer"),
        ("linear2", "`linear1`"),
        ("old/conv", "`old/conv1`"),
        ("", "``"),
    ] {
        let error = network().freeze(&[path.into()]).unwrap_err().to_string();
        assert!(
            error.contains(&format!("`{path}`")) && error.contains(hint),
            "{error}"
        );
    }
    let mut all = network();
    all.freeze(&[
        "old".into(),
        "older".into(),
        "norm1".into(),
        "linear1".into(),
    ])
    .unwrap();
    assert!(
        Optimizer::new(all.parameters(), Rule::default(), 0.1).is_err(),
        "nothing learns"
    );
}

#[test]
fn weights_are_taken_over_as_far_as_they_fit() {
    let donor = trained(&network());
    let mut some = donor.clone();
    some.remove("norm1.bias");
    some.insert(
        "linear1.weight".into(),
        Array {
            shape: [5, 8].into(),
            values: vec![0.0; 40],
        },
    );
    some.insert(
        "fc.weight".into(),
        Array {
            shape: [1].into(),
            values: vec![0.0],
        },
    );
    let mut network = network();
    let before = network.weights().unwrap();
    let loaded = network.load(&some).unwrap();
    assert_eq!(loaded.kept, ["norm1.bias"]);
    assert_eq!(loaded.unused, ["fc.weight"]);
    assert_eq!(loaded.mismatched[0].0, "linear1.weight");
    assert_eq!(loaded.taken.len(), donor.len() - 2);
    let told = loaded.to_string();
    for part in [
        "12 of 14 arrays",
        "`linear1.weight` (is 5×8, not 4×8)",
        "`norm1.bias`",
        "not in the network: `fc.weight`",
    ] {
        assert!(told.contains(part), "{told}");
    }
    for (name, after) in network.weights().unwrap() {
        let from = match name.as_str() {
            "norm1.bias" | "linear1.weight" => &before,
            _ => &donor,
        };
        assert_eq!(after, from[&name], "{name}");
    }
    some.get_mut("linear1.bias").unwrap().values[0] = f32::INFINITY;
    let error = network.load(&some).unwrap_err().to_string();
    assert!(error.contains("`linear1.bias` holds inf"), "{error}");
    some.get_mut("linear1.bias").unwrap().values.pop();
    assert!(network.load(&some).is_err());
}
