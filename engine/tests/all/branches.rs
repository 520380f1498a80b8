//! Layers that move numbers, part and join, or are 2-D ones seen sideways: PyTorch's answers, shapes, files, memory.

use crate::golden::Golden;
use crate::gradients::check;
use engine::gradcheck::random;
use engine::{Architecture, Array, Device, Mode, ModelFile, Network, Result, Tensor, Weights};

/// One of each: 2×12×10 pictures, 3 classes.
fn everything() -> Architecture {
    Architecture::from_json(
        r#"{"input": [2, 12, 10], "layers": [
            {"kind": "Pad2d", "padding": [[1, -1], [0, 2]], "value": 0.5},
            {"name": "inception", "kind": "Parallel", "branches": [
                [{"kind": "Conv2d", "out_channels": 3, "kernel": 1, "activation": "relu"}],
                [{"kind": "Conv2d", "out_channels": 2, "kernel": 1, "activation": "tanh"},
                 {"kind": "Conv2d", "out_channels": 4, "kernel": 3, "padding": "same"},
                 {"kind": "Activation", "function": "elu"}],
                [{"kind": "MaxPool2d", "kernel": 3, "stride": 1, "padding": 1},
                 {"kind": "Conv2d", "out_channels": 2, "kernel": 1}]
            ]},
            {"kind": "Parallel", "combine": "add", "branches": [
                [{"kind": "Conv2d", "out_channels": 9, "kernel": 3, "padding": "same"}],
                []
            ]},
            {"kind": "Activation", "function": "relu"},
            {"kind": "Conv2d", "out_channels": 4, "kernel": 3},
            {"kind": "MaxPool2d", "kernel": 2},
            {"kind": "Resize", "size": [4, 6]},
            {"kind": "Permute", "axes": [2, 0, 1]},
            {"kind": "Linear", "out_features": 3},
            {"kind": "Permute", "axes": [1, 2, 0]},
            {"kind": "Reshape", "shape": [4, -1]},
            {"kind": "Conv1d", "out_channels": 6, "kernel": 3, "padding": [2, 0], "activation": "elu"},
            {"kind": "MaxPool1d", "kernel": 2},
            {"kind": "AvgPool1d", "kernel": 3, "stride": 1, "padding": 1},
            {"kind": "Dropout", "p": 0.25},
            {"kind": "Parallel", "axis": 1, "branches": [
                [{"kind": "Softmax"}], [{"kind": "Conv1d", "out_channels": 6, "kernel": 2, "groups": 2}]
            ]},
            {"kind": "Flatten"},
            {"kind": "Linear", "out_features": "classes"}
        ]}"#,
    )
    .unwrap()
}

/// What a network of golden weights makes of `x`, and every gradient for the case's `dy`.
fn as_in_pytorch(golden: &Golden, case: &str, layers: &str, names: &[(&str, &str)]) {
    let x = golden.tensor(&format!("{case}/x")).parameter();
    let architecture = Architecture::from_json(&format!(r#"{{"layers": [{layers}]}}"#))
        .unwrap()
        .with_input(&x.shape()[1..]);
    let weight = |(ours, theirs): &(&str, &str)| {
        let array = golden.arrays[&format!("{case}/{theirs}")].clone();
        (ours.to_string(), array)
    };
    let weights: Weights = names.iter().map(weight).collect();
    let network = Network::with_weights(&architecture, &golden.device, &weights).unwrap();
    let y = network.forward(&x, Mode::Eval).unwrap();
    golden.same(&format!("{case}/y"), &y);
    let dy = golden.tensor(&format!("{case}/dy"));
    let gradients = y.mul(&dy).unwrap().sum_all().unwrap().backward().unwrap();
    golden.same(&format!("{case}/dx"), gradients.get(&x).unwrap());
    for p in network.parameters() {
        let theirs = names.iter().find(|(ours, _)| *ours == p.name).unwrap().1;
        let gradient = gradients.get(&p.tensor).unwrap();
        assert_eq!(gradient.shape(), p.tensor.shape());
        golden.same(&format!("{case}/d{theirs}"), gradient);
    }
}

#[test]
fn branches_as_in_pytorch() {
    let golden = Golden::open("parallel");
    let names: Vec<&str> = golden
        .arrays
        .keys()
        .filter_map(|name| name.strip_prefix("net/"))
        .filter(|name| name.starts_with("parallel"))
        .collect();
    assert_eq!(names.len(), 12);
    let layers = r#"
        {"kind": "Parallel", "branches": [
            [{"kind": "Conv2d", "out_channels": 2, "kernel": 1, "activation": "relu"}],
            [{"kind": "Conv2d", "out_channels": 4, "kernel": 1, "activation": "relu"},
             {"kind": "Conv2d", "out_channels": 3, "kernel": 3, "padding": 1, "activation": "relu"}],
            [{"kind": "MaxPool2d", "kernel": 3, "stride": 1, "padding": 1},
             {"kind": "Conv2d", "out_channels": 2, "kernel": 1, "activation": "relu"}]]},
        {"kind": "Parallel", "combine": "add", "branches": [
            [{"kind": "Conv2d", "out_channels": 7, "kernel": 3, "padding": "same", "activation": "relu"},
             {"kind": "Conv2d", "out_channels": 7, "kernel": 3, "padding": "same"}],
            []]},
        {"kind": "Activation", "function": "relu"}"#;
    let names: Vec<(&str, &str)> = names.iter().map(|name| (*name, *name)).collect();
    as_in_pytorch(&golden, "net", layers, &names);
}

#[test]
fn one_dimensional_layers_as_in_pytorch() {
    let golden = Golden::open("conv1d");
    for (case, o) in &golden.cases {
        let (kernel, stride, padding) = (&o["kernel"], &o["stride"], &o["padding"]);
        let common = format!(r#""kernel": {kernel}, "stride": {stride}, "padding": {padding}"#);
        let names = [("conv1.weight", "w"), ("conv1.bias", "b")];
        match o["op"].as_str() {
            Some("conv") => {
                let (channels, dilation, groups) = (&o["channels"], &o["dilation"], &o["groups"]);
                let layer = format!(
                    r#"{{"kind": "Conv1d", "out_channels": {channels}, "dilation": {dilation}, "groups": {groups}, {common}}}"#
                );
                as_in_pytorch(&golden, case, &layer, &names);
            }
            op => {
                let kind = if op == Some("max") {
                    "MaxPool1d"
                } else {
                    "AvgPool1d"
                };
                let layer = format!(r#"{{"kind": "{kind}", {common}}}"#);
                as_in_pytorch(&golden, case, &layer, &[]);
            }
        }
    }
    assert_eq!(golden.cases.len(), 10);
}

#[test]
fn gradients_through_branches() {
    let architecture = everything().with_classes(3);
    let x = [random([2, 2, 12, 10], 1, 0.0)];
    check("a network with branches", &x, |t| {
        let network = Network::new(&architecture, t[0].device(), 4)?;
        network.forward(&t[0], Mode::Train { seed: 2, step: 3 })
    });
}

#[test]
fn the_table_of_a_network_with_branches() {
    let summary = everything().with_classes(3).summary().unwrap();
    let rows: Vec<(&str, &str, &[usize])> = summary
        .layers
        .iter()
        .map(|l| (l.name.as_str(), l.kind, &l.output[..]))
        .collect();
    for row in [
        ("pad1", "Pad2d", &[2, 12, 12][..]),
        ("inception/branch1/conv1", "Conv2d", &[3, 12, 12]),
        ("inception/branch2/activation1", "Activation", &[4, 12, 12]),
        ("inception/branch3/pool1", "MaxPool2d", &[2, 12, 12]),
        ("inception", "Parallel", &[9, 12, 12]),
        ("parallel2/branch1/conv1", "Conv2d", &[9, 12, 12]),
        ("parallel2", "Parallel", &[9, 12, 12]),
        ("resize1", "Resize", &[4, 4, 6]),
        ("permute1", "Permute", &[6, 4, 4]),
        ("linear1", "Linear", &[6, 4, 3]),
        ("permute2", "Permute", &[4, 3, 6]),
        ("reshape1", "Reshape", &[4, 18]),
        ("conv2", "Conv1d", &[6, 18]),
        ("pool2", "MaxPool1d", &[6, 9]),
        ("pool3", "AvgPool1d", &[6, 9]),
        ("parallel3", "Parallel", &[6, 17]),
    ] {
        assert!(rows.contains(&row), "{row:?} is not among {rows:?}");
    }
    let parameters: u64 = summary.layers.iter().map(|l| l.parameters).sum();
    assert_eq!(parameters, summary.parameters);
    let conv = summary.layers.iter().find(|l| l.name == "conv2").unwrap();
    let (parameters, work) = (conv.parameters, conv.multiply_adds);
    assert_eq!((parameters, work), (6 * 4 * 3 + 6, 6 * 4 * 3 * 18));
}

#[test]
fn networks_of_the_papers() {
    // Amin: a Linear layer on the channel axis.
    let amin = r#"{"input": [1, 128, 400], "layers": [
        {"kind": "Conv2d", "out_channels": 32, "kernel": 3, "activation": "relu"},
        {"kind": "MaxPool2d", "kernel": [2, 4]},
        {"kind": "Conv2d", "out_channels": 32, "kernel": [3, 5], "activation": "relu"},
        {"kind": "MaxPool2d", "kernel": [2, 4]},
        {"kind": "Permute", "axes": [1, 2, 0]},
        {"kind": "Linear", "out_features": 16, "activation": "relu"},
        {"kind": "Flatten"},
        {"kind": "Dropout", "p": 0.5},
        {"kind": "Linear", "out_features": 8}]}"#;
    let summary = Architecture::from_json(amin).unwrap().summary().unwrap();
    assert_eq!(summary.parameters, 104_568);
    // GoogLeNet's inception 3a.
    let conv = |channels: usize, kernel: usize| {
        format!(
            r#"{{"kind": "Conv2d", "out_channels": {channels}, "kernel": {kernel}, "padding": "same", "activation": "relu"}}"#
        )
    };
    let inception = format!(
        r#"{{"input": [192, 28, 28], "layers": [{{"kind": "Parallel", "branches": [
            [{}], [{}, {}], [{}, {}], [{{"kind": "MaxPool2d", "kernel": 3, "stride": 1, "padding": 1}}, {}]
        ]}}]}}"#,
        conv(64, 1),
        conv(96, 1),
        conv(128, 3),
        conv(16, 1),
        conv(32, 5),
        conv(32, 1),
    );
    let summary = Architecture::from_json(&inception)
        .unwrap()
        .summary()
        .unwrap();
    assert_eq!(summary.layers.last().unwrap().output, [256, 28, 28]);
    assert_eq!(summary.parameters, 163_696);
    // Dwivedi: mel bands as channels.
    let conv = r#"{"kind": "Conv1d", "out_channels": 56, "kernel": 5}, {"kind": "MaxPool1d", "kernel": 2}"#;
    let dwivedi = format!(r#"{{"input": [128, 640], "layers": [{conv}, {conv}, {conv}]}}"#);
    let output = Architecture::from_json(&dwivedi).unwrap().output().unwrap();
    assert_eq!(output[..], [56, 76]);
    // And convolutions along time beside a recurrent branch.
    let conv = |channels: usize, pool: usize| {
        format!(
            r#"{{"kind": "Conv2d", "out_channels": {channels}, "kernel": [3, 1], "activation": "relu"}},
               {{"kind": "MaxPool2d", "kernel": {pool}}}"#
        )
    };
    let convolutions = [(16, 2), (32, 2), (64, 2), (64, 4), (64, 4)].map(|(c, p)| conv(c, p));
    let parallel = format!(
        r#"{{"input": [1, 640, 128], "layers": [
            {{"kind": "Parallel", "branches": [
                [{}, {{"kind": "Flatten"}}],
                [{{"kind": "MaxPool2d", "kernel": [4, 2]}}, {{"kind": "Reshape", "shape": [160, 64]}},
                 {{"kind": "Gru", "hidden": 64, "bidirectional": true, "last": true}}]
            ]}},
            {{"kind": "Linear", "out_features": 8}}]}}"#,
        convolutions.join(", ")
    );
    let summary = Architecture::from_json(&parallel)
        .unwrap()
        .summary()
        .unwrap();
    let joined = summary.layers.iter().find(|l| l.name == "parallel1");
    assert_eq!(joined.unwrap().output, [256 + 128]);
}

#[test]
fn files_there_and_back() {
    let architecture = everything();
    let text = architecture.to_json().unwrap();
    assert_eq!(Architecture::from_json(&text).unwrap(), architecture);
    let network = Network::new(&architecture.with_classes(3), &Device::cpu(), 1).unwrap();
    let file = ModelFile::new(&network, ["a", "b", "c"].map(String::from).into()).unwrap();
    assert!(file.weights.contains_key("inception/branch2/conv2.weight"));
    let back = ModelFile::from_bytes(&file.to_bytes().unwrap()).unwrap();
    assert_eq!(back, file);
    let again = Network::with_weights(&back.architecture, &Device::cpu(), &back.weights).unwrap();
    assert_eq!(answers(&again).unwrap(), answers(&network).unwrap());
}

fn answers(network: &Network) -> Result<Vec<f32>> {
    let Array { shape, values } = random([3, 2, 12, 10], 5, 0.0);
    let x = Tensor::from_vec(network.device(), values, &shape)?;
    network.forward(&x, Mode::Eval)?.to_vec()
}

#[test]
fn watching_shows_every_branch() {
    let architecture = everything().with_classes(3);
    let device = Device::cpu();
    let network = Network::new(&architecture, &device, 2).unwrap();
    let Array { shape, values } = random([4, 2, 12, 10], 3, 0.0);
    let x = Tensor::from_vec(&device, values, &shape).unwrap();
    let mode = Mode::Train { seed: 1, step: 9 };
    let mut seen = Vec::new();
    let mut watch = |path: &str, output: &Tensor| -> Result<()> {
        seen.push((path.to_string(), output.shape()[1..].to_vec()));
        Ok(())
    };
    let watched = network.forward_watched(&x, mode, &mut watch).unwrap();
    let plain = network.forward(&x, mode).unwrap();
    assert_eq!(watched.to_vec().unwrap(), plain.to_vec().unwrap());
    let layers = architecture.summary().unwrap().layers;
    let expected: Vec<_> = layers.into_iter().map(|l| (l.name, l.output)).collect();
    assert_eq!(seen, expected);
}

#[cfg(feature = "gpu")]
#[test]
fn a_gpu_answers_like_the_cpu() {
    let gpu = Device::open("gpu").expect("a GPU, or software Vulkan");
    let architecture = everything().with_classes(3);
    let on = |device: &Device| answers(&Network::new(&architecture, device, 7).unwrap()).unwrap();
    let (cpu, gpu) = (on(&Device::cpu()), on(&gpu));
    let near = |(c, g): (&f32, &f32)| (c - g).abs() < 1e-5 * (1.0 + c.abs());
    assert!(cpu.iter().zip(&gpu).all(near), "{cpu:?} {gpu:?}");
}

#[test]
fn memory_of_branches_is_as_foretold() {
    let branch = r#"[{"kind": "Conv2d", "out_channels": 8, "kernel": 3, "padding": "same"},
        {"kind": "Activation", "function": "relu"},
        {"kind": "Conv2d", "out_channels": 8, "kernel": 3, "padding": "same"}]"#;
    let text = format!(
        r#"{{"input": [1, 32, 32], "layers": [
            {{"kind": "Parallel", "branches": [{branch}, {branch}, {branch}]}},
            {{"kind": "Conv2d", "out_channels": 8, "kernel": 3, "activation": "relu"}},
            {{"kind": "Flatten"}}, {{"kind": "Linear", "out_features": 3}}]}}"#
    );
    let architecture = Architecture::from_json(&text).unwrap();
    let foretold = architecture.memory().unwrap();
    let batch = 32;
    for training in [false, true] {
        let device = Device::cpu();
        let network = Network::new(&architecture, &device, 1).unwrap();
        let x = Tensor::zeros(&device, [batch, 1, 32, 32]).unwrap();
        let foretold = if training {
            let labels = device.upload_u32(&[0; 32]).unwrap();
            let mode = Mode::Train { seed: 1, step: 0 };
            let logits = network.forward(&x, mode).unwrap();
            let loss = logits.cross_entropy(&labels, None).unwrap();
            loss.backward().unwrap();
            foretold.training(batch)
        } else {
            engine::no_grad(|| network.forward(&x, Mode::Eval)).unwrap();
            foretold.inference(batch)
        };
        let real = device.usage().peak_bytes;
        let ratio = foretold as f64 / real as f64;
        assert!(
            (0.8..1.35).contains(&ratio),
            "training {training}: foretold {foretold}, real {real}"
        );
    }
}

#[test]
fn what_does_not_fit_is_named() {
    let refused = |input: &[usize], layer: &str, expected: &[&str]| {
        let text = format!(r#"{{"layers": [{layer}]}}"#);
        let error = match Architecture::from_json(&text) {
            Ok(architecture) => architecture.with_input(input).summary().unwrap_err(),
            Err(error) => error,
        };
        let error = error.to_string();
        for part in expected {
            assert!(error.contains(part), "{layer}: {error}");
        }
    };
    let chw = &[3, 8, 9][..];
    for axes in ["[0, 1]", "[0, 1, 1]", "[1, 2, 3]", "[]"] {
        let layer = format!(r#"{{"kind": "Permute", "axes": {axes}}}"#);
        refused(chw, &layer, &["layer `permute1`", "3×8×9", "once"]);
    }
    refused(
        &[2; 6],
        r#"{"kind": "Permute", "axes": [0, 1, 2, 3, 4, 5]}"#,
        &["five at most"],
    );
    for shape in [
        "[-1, -1]",
        "[5, -1]",
        "[0, -1]",
        "[3, 8]",
        "[-2]",
        "[]",
        "[9223372036854775807, 4]",
    ] {
        let layer = format!(r#"{{"kind": "Reshape", "shape": {shape}}}"#);
        refused(chw, &layer, &["layer `reshape1`", "3×8×9 cannot become"]);
    }
    refused(
        chw,
        r#"{"kind": "Pad2d", "padding": -4}"#,
        &["layer `pad1`", "nothing left"],
    );
    refused(
        chw,
        r#"{"kind": "Pad2d", "padding": [0, -5]}"#,
        &["nothing left"],
    );
    refused(
        chw,
        r#"{"kind": "Pad2d", "padding": [[1000000, 0], [1000000, 0]]}"#,
        &["2^31"],
    );
    refused(
        chw,
        r#"{"kind": "Pad2d", "padding": [1, 2, 3]}"#,
        &["padding [1,2,3] is not"],
    );
    refused(&[8], r#"{"kind": "Pad2d", "padding": 1}"#, &["[c, h, w]"]);
    refused(
        chw,
        r#"{"kind": "Resize", "size": 0}"#,
        &["layer `resize1`", "empty side"],
    );
    refused(
        chw,
        r#"{"kind": "Resize", "size": [2, 2], "mode": "nearest"}"#,
        &["nearest", "area"],
    );
    refused(&[8, 8], r#"{"kind": "Resize", "size": 2}"#, &["[c, h, w]"]);
    refused(
        chw,
        r#"{"kind": "Conv1d", "out_channels": 2, "kernel": 3}"#,
        &["conv1", "[c, t]"],
    );
    refused(
        &[3, 2],
        r#"{"kind": "Conv1d", "out_channels": 2, "kernel": 3}"#,
        &["conv1"],
    );
    refused(
        &[3, 9],
        r#"{"kind": "MaxPool1d", "kernel": 3, "padding": [2, 2]}"#,
        &["pool1", "half"],
    );
    refused(
        &[3, 9],
        r#"{"kind": "MaxPool1d", "kernel": 3, "padding": [1, 2, 3]}"#,
        &["padding"],
    );
    refused(
        chw,
        r#"{"kind": "Parallel", "branches": []}"#,
        &["layer `parallel1`", "nothing"],
    );
    refused(
        chw,
        r#"{"kind": "Parallel", "branches": [[]], "axis": 3}"#,
        &["no axis 3"],
    );
    let pool = r#"[{"kind": "MaxPool2d", "kernel": 2}]"#;
    let both = |rest: &str| format!(r#"{{"kind": "Parallel", "branches": [[], {pool}]{rest}}}"#);
    refused(chw, &both(""), &["3×8×9 and 3×4×4", "axis 0"]);
    refused(
        chw,
        &both(r#", "combine": "add""#),
        &["3×8×9 and 3×4×4", "must agree"],
    );
    refused(chw, &both(r#", "combine": "sum""#), &["sum", "concat"]);
    let deep = r#"{"kind": "Parallel", "branches": [[{"kind": "Conv2d", "out_channels": 1, "kernel": 99}]]}"#;
    refused(chw, deep, &["layer `parallel1/branch1/conv1`"]);
    let twins = r#"{"kind": "Parallel", "branches": [[{"name": "a", "kind": "Flatten"}, {"name": "a", "kind": "Flatten"}]]}"#;
    refused(chw, twins, &["two layers are called `parallel1/branch1/a`"]);
    let slip = r#"{"kind": "Parallel", "branches": [[{"kind": "Conv3d"}]]}"#;
    refused(chw, slip, &["did you mean `Conv2d`", "Parallel"]);
}
