//! Architectures as data: reading, shape inference, summary, memory.

use approx::assert_abs_diff_eq;
use engine::architecture::layer::GlobalMaxPool;
use engine::{Architecture, AvailableMemory, Device, Error, Mode, Network, Tensor};

/// The network of recipe `ajufo-cnn`.
fn ajufo() -> Architecture {
    Architecture::from_json(
        r#"{"input": [1, 128, 660], "layers": [
            {"kind": "Conv2d", "out_channels": 32, "kernel": 3, "activation": "relu"},
            {"kind": "MaxPool2d", "kernel": [2, 4]},
            {"kind": "Conv2d", "out_channels": 64, "kernel": [3, 3]},
            {"kind": "Activation", "function": "relu"},
            {"kind": "MaxPool2d", "kernel": [2, 4]},
            {"kind": "Flatten"},
            {"kind": "Linear", "out_features": 64, "activation": "relu"},
            {"kind": "Linear", "out_features": "classes"}
        ]}"#,
    )
    .unwrap()
}

#[test]
fn ajufo_cnn_by_hand() {
    let summary = ajufo().with_classes(10).summary().unwrap();
    let outputs: Vec<&[usize]> = summary.layers.iter().map(|l| &l.output[..]).collect();
    assert_eq!(outputs[0], [32, 126, 658]);
    assert_eq!(outputs[1], [32, 63, 164]);
    assert_eq!(outputs[2], [64, 61, 162]);
    assert_eq!(outputs[4], [64, 30, 40]);
    assert_eq!(outputs[5], [76_800]);
    assert_eq!(outputs[7], [10]);
    assert_eq!(summary.parameters, 320 + 18_496 + 76_800 * 64 + 64 + 650);
    let conv1 = 9 * 32 * 126 * 658;
    let conv2 = 9 * 32 * 64 * 61 * 162;
    assert_eq!(summary.multiply_adds, conv1 + conv2 + 76_800 * 64 + 640);
    let json = serde_json::to_value(&summary).unwrap();
    for key in ["name", "kind", "output", "parameters", "multiply_adds"] {
        assert!(json["layers"][0].get(key).is_some(), "{key}");
    }
    let text = summary.to_string();
    assert!(
        text.contains("conv2") && text.contains("4 934 730") && text.contains("64×30×40"),
        "{text}"
    );
}

#[test]
fn pooling_and_normalising_layers() {
    let text = r#"{"input": [3, 9, 10], "layers": [
        {"kind": "Conv2d", "out_channels": 8, "kernel": 3, "padding": "same"},
        {"kind": "BatchNorm"},
        {"kind": "Activation", "function": "relu"},
        {"kind": "LocalResponseNorm", "size": 5, "name": "lrn"},
        {"kind": "AvgPool2d", "kernel": [2, 3]},
        {"kind": "BatchNorm", "eps": 1e-3, "momentum": 0.01, "affine": false},
        {"kind": "AvgPool2d", "kernel": 3, "stride": 2, "padding": 1, "count_include_pad": false},
        {"kind": "GlobalAvgPool"},
        {"kind": "BatchNorm"},
        {"kind": "Linear", "out_features": 4}
    ]}"#;
    let architecture = Architecture::from_json(text).unwrap();
    let summary = architecture.summary().unwrap();
    let outputs: Vec<&[usize]> = summary.layers.iter().map(|l| &l.output[..]).collect();
    assert_eq!(outputs[1], [8, 9, 10]);
    assert_eq!(outputs[3], [8, 9, 10]);
    assert_eq!(outputs[4], [8, 4, 3]);
    assert_eq!(outputs[6], [8, 2, 2]);
    assert_eq!(outputs[7..], [&[8][..], &[8], &[4]]);
    let names: Vec<&str> = summary.layers.iter().map(|l| l.name.as_str()).collect();
    assert_eq!(names[3..8], ["lrn", "pool1", "norm3", "pool2", "pool3"]);
    // Weight and bias are parameters, the running statistics are not.
    let learned: Vec<u64> = summary.layers.iter().map(|l| l.parameters).collect();
    assert_eq!(learned, [3 * 9 * 8 + 8, 16, 0, 0, 0, 0, 0, 0, 16, 36]);
    let network = Network::new(&architecture, &Device::cpu(), 1).unwrap();
    assert_eq!(network.parameters().len(), 8);
    let weights = network.weights().unwrap();
    assert_eq!(weights.len(), 14);
    assert_eq!(weights["norm3.running_var"].values, [1.0; 8]);
    assert_eq!(weights["norm1.weight"].values, [1.0; 8]);
    assert_eq!(summary.parameter_bytes, 4 * (summary.parameters + 3 * 16));

    let max = Architecture {
        input: vec![2, 3, 4],
        layers: vec![GlobalMaxPool {}.into()],
    };
    assert_eq!(max.output().unwrap()[..], [2]);
    let network = Network::new(&max, &Device::cpu(), 1).unwrap();
    let values: Vec<f32> = (0..24).map(|i| i as f32).collect();
    let x = Tensor::from_vec(network.device(), values, [1, 2, 3, 4]).unwrap();
    let y = network.forward(&x, Mode::Eval).unwrap();
    assert_eq!(y.to_vec().unwrap(), [11.0, 23.0]);
}

/// What runs as one gives the same numbers apart; training moves the running statistics, evaluation uses them.
#[test]
fn batch_norm_in_a_network() {
    let device = Device::cpu();
    let architecture = Architecture::from_json(
        r#"{"input": [2, 4, 4], "layers": [
            {"kind": "BatchNorm", "momentum": 1.0}, {"kind": "Activation", "function": "elu"}
        ]}"#,
    )
    .unwrap();
    let network = Network::new(&architecture, &device, 1).unwrap();
    let values: Vec<f32> = (0..96).map(|i| (i as f32 * 0.7).sin() + 3.0).collect();
    let x = Tensor::from_vec(&device, values, [3, 2, 4, 4]).unwrap();
    let train = Mode::Train { seed: 1, step: 1 };
    let before = network.forward(&x, Mode::Eval).unwrap().to_vec().unwrap();
    let y = network.forward(&x, train).unwrap().to_vec().unwrap();
    let mut last = None;
    let mut watch = |_: &str, output: &Tensor| {
        last = Some(output.clone());
        Ok(())
    };
    network.forward_watched(&x, train, &mut watch).unwrap();
    assert_eq!(last.unwrap().to_vec().unwrap(), y);
    let after = network.forward(&x, Mode::Eval).unwrap().to_vec().unwrap();
    assert_ne!(before, after);
    // 48 numbers a channel: the unbiased variance is a fiftieth larger.
    assert!(y.iter().zip(&after).all(|(a, b)| (a - b).abs() < 0.03));
    let weights = network.weights().unwrap();
    assert_abs_diff_eq!(weights["norm1.running_mean"].values[0], 3.0, epsilon = 0.3);
    // The statistics go where the weights go.
    let other = Network::with_weights(&architecture, &device, &weights).unwrap();
    assert_eq!(
        other.forward(&x, Mode::Eval).unwrap().to_vec().unwrap(),
        after
    );
    let mut short = weights.clone();
    short.remove("norm1.running_var");
    let text = Network::with_weights(&architecture, &device, &short).err();
    assert!(
        text.unwrap()
            .to_string()
            .contains("missing `norm1.running_var`")
    );
}

#[test]
fn json_there_and_back() {
    let architecture = crate::common::architecture();
    let text = architecture.to_json().unwrap();
    assert_eq!(Architecture::from_json(&text).unwrap(), architecture);
    assert_eq!(
        Architecture::from_json(&ajufo().to_json().unwrap()).unwrap(),
        ajufo()
    );
}

#[test]
fn a_batch_that_does_not_fit_names_the_one_that_would() {
    let memory = ajufo().with_classes(10).memory().unwrap();
    let buffer = AvailableMemory {
        buffer: Some(128 << 20),
        total: None,
    };
    // The first convolution's map would take 10.1 MiB per example; what is written behind its pooling takes 1.3 MiB.
    assert_eq!(memory.largest_batch(buffer), 101);
    memory.check(101, buffer).unwrap();
    let error = memory.check(102, buffer).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("a batch of 102") && text.contains("the largest that does is 101"),
        "{text}"
    );
    assert!(matches!(
        error,
        Error::Batch {
            batch: 102,
            largest: 101,
            ..
        }
    ));
    let total = AvailableMemory {
        buffer: None,
        total: Some(1 << 30),
    };
    let largest = memory.largest_batch(total);
    assert!(memory.training(largest) <= 1 << 30 && memory.training(largest + 1) > 1 << 30);
    assert!(
        memory
            .check(largest + 1, total)
            .unwrap_err()
            .to_string()
            .contains("1024.0 MiB")
    );
    assert_eq!(
        memory.largest_batch(AvailableMemory {
            buffer: Some(1 << 20),
            total: None
        }),
        0
    );
    assert_eq!(
        memory.largest_batch(AvailableMemory {
            buffer: None,
            total: Some(0)
        }),
        0
    );
    assert_eq!(
        memory.largest_batch(AvailableMemory::default()),
        ((1usize << 31) - 1) / (32 * 126 * 658)
    );
}

#[test]
fn an_answer_that_does_not_fit_is_refused_beforehand() {
    let text = r#"{"input": [1, 128, 128], "layers": [
        {"kind": "Pad2d", "padding": [[22900, 22900], [22900, 22900]]},
        {"kind": "GlobalAvgPool"}, {"kind": "Linear", "out_features": 2}]}"#;
    let memory = Architecture::from_json(text).unwrap().memory().unwrap();
    let total = AvailableMemory {
        buffer: None,
        total: Some(1 << 30),
    };
    let error = memory.check_inference(1, total).unwrap_err().to_string();
    assert!(error.contains("inference takes about 8"), "{error}");
    memory
        .check_inference(1, AvailableMemory::default())
        .unwrap();

    // What is judged may be fewer at once than what judging would like, and more than what trains.
    let memory = ajufo().with_classes(10).memory().unwrap();
    let largest = memory.largest_inference_batch(total);
    assert!(largest > memory.largest_batch(total));
    assert!(memory.inference(largest) <= 1 << 30 && memory.inference(largest + 1) > 1 << 30);
}

/// The estimate against what a step really takes.
#[test]
fn memory_is_as_foretold() {
    let ajufo = ajufo().with_input([1, 64, 128]).with_classes(10);
    let whole = ajufo.memory().unwrap().training(8);
    for (architecture, batch, frozen) in [
        (ajufo.clone(), 8, &[][..]),
        (ajufo, 8, &["conv1".into(), "conv2".into()]),
        (crate::common::architecture(), 256, &[]),
        (crate::recurrent::stacked(), 64, &[]),
    ] {
        let device = Device::cpu();
        let mut network = Network::new(&architecture, &device, 1).unwrap();
        network.freeze(frozen).unwrap();
        let mut optimizer =
            engine::Optimizer::new(network.parameters(), engine::Rule::default(), 1e-3).unwrap();
        let shape: Vec<usize> = [batch]
            .into_iter()
            .chain(architecture.input.iter().copied())
            .collect();
        let x = Tensor::zeros(&device, shape).unwrap();
        let labels = device.upload_u32(&vec![0; batch]).unwrap();
        let logits = network
            .forward(&x, Mode::Train { seed: 1, step: 0 })
            .unwrap();
        let gradients = logits
            .cross_entropy(&labels, None)
            .unwrap()
            .backward()
            .unwrap();
        optimizer.step(network.parameters(), &gradients).unwrap();
        let (real, foretold) = (
            device.usage().peak_bytes,
            architecture.memory_frozen(frozen).unwrap().training(batch),
        );
        assert!(
            frozen.is_empty() || foretold < whole,
            "{foretold} of {whole}"
        );
        let ratio = foretold as f64 / real as f64;
        assert!(
            (0.85..1.3).contains(&ratio),
            "foretold {foretold}, real {real}"
        );
    }
}

/// The page that tells how files spell layers has a row for each kind.
#[test]
fn the_page_lists_every_kind() {
    let page = include_str!("../../../docs/recipes.md");
    let (_, layers) = page.split_once("\n## Layers\n").unwrap();
    let (layers, _) = layers.split_once("\n## ").unwrap();
    let rows = layers.lines().filter_map(|line| line.strip_prefix("| "));
    let kinds: Vec<&str> = rows.filter_map(|row| row.split(' ').next()).collect();
    assert_eq!(kinds[2..], *engine::architecture::Kind::NAMES);
}
