//! Training: it learns, it repeats itself bit by bit, it can be stopped and resumed, it can be watched; and a GPU
//! (software Vulkan where there is no other) does the same.

use crate::common::{Training, architecture, batch};
use approx::abs_diff_eq;
use engine::architecture::layer::Linear;
use engine::{
    Architecture, Device, Error, Mode, ModelFile, Network, Optimizer, Result, Resume, Rule, Tensor,
    Weights,
};
use kernels::philox::Philox;
use std::collections::BTreeMap;

fn bits(weights: &Weights) -> Vec<u32> {
    weights
        .values()
        .flat_map(|a| a.values.iter().map(|v| v.to_bits()))
        .collect()
}

#[test]
fn the_loss_falls() {
    let losses = Training::new(&Device::cpu(), 1).run(0..150);
    let mean = |part: &[f32]| part.iter().sum::<f32>() / part.len() as f32;
    assert!(
        mean(&losses[140..]) < 0.5 * mean(&losses[..10]),
        "{losses:?}"
    );
}

/// The same seed gives the same bits, also when stopped, stored, read and resumed in between.
fn repeats_itself(open: impl Fn() -> Device) {
    let mut whole = Training::new(&open(), 7);
    let losses = whole.run(0..8);
    let want = whole.network.weights().unwrap();

    let mut again = Training::new(&open(), 7);
    assert_eq!(again.run(0..8), losses);
    assert_eq!(bits(&again.network.weights().unwrap()), bits(&want));

    let mut first = Training::new(&open(), 7);
    first.run(0..3);
    let mut file =
        ModelFile::new(&first.network, ["a", "b", "c"].map(String::from).into()).unwrap();
    file.resume = Some(Resume {
        optimizer: first.optimizer.state().unwrap(),
        counters: serde_json::json!({"steps": first.optimizer.steps()}),
    });
    let file = ModelFile::from_bytes(&file.to_bytes().unwrap()).unwrap();
    let resume = file.resume.unwrap();
    let mut second = Training::new(&open(), 99);
    second.network.set_weights(&file.weights).unwrap();
    let steps = resume.counters["steps"].as_u64().unwrap();
    second
        .optimizer
        .set_state(&resume.optimizer, steps as u32)
        .unwrap();
    assert_eq!(second.run(steps..8), losses[3..]);
    assert_eq!(bits(&second.network.weights().unwrap()), bits(&want));

    let mut other = Training::new(&open(), 8);
    other.run(0..8);
    assert_ne!(bits(&other.network.weights().unwrap()), bits(&want));
}

#[test]
fn the_same_seed_gives_the_same_bits_on_the_cpu() {
    repeats_itself(Device::cpu);
}

#[cfg(feature = "gpu")]
#[test]
fn the_same_seed_gives_the_same_bits_on_a_gpu() {
    let gpu = Device::open("gpu").expect("a GPU, or software Vulkan");
    repeats_itself(|| gpu.clone());
}

#[cfg(feature = "gpu")]
#[test]
fn a_gpu_gives_the_cpus_loss_curve() {
    let gpu = Device::open("gpu").expect("a GPU, or software Vulkan");
    let want = Training::new(&Device::cpu(), 3).run(0..20);
    let found = Training::new(&gpu, 3).run(0..20);
    for (step, (w, f)) in want.iter().zip(&found).enumerate() {
        assert!(
            abs_diff_eq!(w, f, epsilon = 1e-3 * w),
            "step {step}: {f} on {}, {w} on the CPU",
            gpu.name()
        );
    }
}

#[cfg(feature = "gpu")]
#[test]
fn a_gpu_starts_from_the_same_weights_and_gives_the_same_answers() {
    let gpu = Device::open("gpu").expect("a GPU, or software Vulkan");
    let answer = |device: &Device| {
        let network = Network::new(&architecture(), device, 11).unwrap();
        let logits = network.forward(&batch(device, 5, 1).0, Mode::Eval).unwrap();
        (
            bits(&network.weights().unwrap()),
            logits.softmax().unwrap().to_vec().unwrap(),
        )
    };
    let ((w, p), (v, q)) = (answer(&Device::cpu()), answer(&gpu));
    assert_eq!(w, v);
    assert!(
        p.iter().zip(&q).all(|(p, q)| (p - q).abs() < 1e-5),
        "{p:?} {q:?}"
    );
}

#[test]
fn watching_shows_every_layer_and_changes_nothing() {
    let device = Device::cpu();
    let network = Network::new(&architecture(), &device, 2).unwrap();
    let (x, labels) = batch(&device, 4, 1);
    let mode = Mode::Train { seed: 1, step: 9 };
    let mut seen: Vec<(String, Tensor)> = Vec::new();
    let mut watch = |path: &str, output: &Tensor| -> Result<()> {
        output.retain_grad();
        seen.push((path.to_string(), output.clone()));
        Ok(())
    };
    let watched = network.forward_watched(&x, mode, &mut watch).unwrap();
    let plain = network.forward(&x, mode).unwrap();
    assert_eq!(watched.to_vec().unwrap(), plain.to_vec().unwrap());

    let summary = architecture().summary().unwrap();
    let paths: Vec<&str> = seen.iter().map(|(path, _)| path.as_str()).collect();
    let expected: Vec<&str> = summary.layers.iter().map(|l| l.name.as_str()).collect();
    assert_eq!(paths, expected);
    assert!(paths.contains(&"middle/conv1") && paths.contains(&"middle/pool1"));
    let gradients = watched
        .cross_entropy(&labels, None)
        .unwrap()
        .backward()
        .unwrap();
    let fused = plain
        .cross_entropy(&labels, None)
        .unwrap()
        .backward()
        .unwrap();
    for ((path, output), layer) in seen.iter().zip(&summary.layers) {
        assert_eq!(output.shape()[1..], layer.output[..], "{path}");
        assert_eq!(
            gradients.get(output).unwrap().shape(),
            output.shape(),
            "{path}"
        );
    }
    for p in network.parameters() {
        let [a, b] = [&gradients, &fused].map(|g| g.get(&p.tensor).unwrap().to_vec().unwrap());
        let scale = a.iter().fold(1e-6f32, |m, v| m.max(v.abs()));
        assert!(
            a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-5 * scale),
            "{}",
            p.name
        );
    }
}

#[test]
fn an_observer_can_stop_the_network() {
    let device = Device::cpu();
    let network = Network::new(&architecture(), &device, 2).unwrap();
    let mut stop =
        |_: &str, _: &Tensor| -> Result<()> { Err(Error::Architecture("enough".into())) };
    let error = network
        .forward_watched(&batch(&device, 1, 1).0, Mode::Eval, &mut stop)
        .unwrap_err();
    assert_eq!(error.to_string(), "architecture: enough");
}

#[test]
fn evaluation_leaves_nothing_out_and_no_history() {
    let device = Device::cpu();
    let network = Network::new(&architecture(), &device, 2).unwrap();
    let (x, labels) = batch(&device, 4, 1);
    let run = || network.forward(&x, Mode::Eval).unwrap();
    assert_eq!(run().to_vec().unwrap(), run().to_vec().unwrap());
    let logits = engine::no_grad(run);
    assert!(
        logits
            .cross_entropy(&labels, None)
            .unwrap()
            .backward()
            .is_err()
    );
}

#[test]
fn wrong_batches_and_weights_are_refused_with_both_shapes() {
    let device = Device::cpu();
    let mut network = Network::new(&architecture(), &device, 2).unwrap();
    let x = Tensor::zeros(&device, [2, 1, 12, 17]).unwrap();
    let text = network.forward(&x, Mode::Eval).unwrap_err().to_string();
    assert!(
        text.contains("2×1×12×17") && text.contains("1×12×16"),
        "{text}"
    );
    assert!(
        network
            .forward(&Tensor::zeros(&device, [0, 1, 12, 16]).unwrap(), Mode::Eval)
            .is_err()
    );

    let before = network.weights().unwrap();
    let mut weights: BTreeMap<_, _> = before.clone();
    let moved = weights.remove("conv1.weight").unwrap();
    weights.insert("conv_1.weight".into(), moved);
    weights.get_mut("linear1.bias").unwrap().shape = [3, 4].into();
    let text = network.set_weights(&weights).unwrap_err().to_string();
    for part in [
        "missing `conv1.weight` (is it `conv_1.weight`?)",
        "unexpected `conv_1.weight`",
        "`linear1.bias` is 3×4 in the file, 12 in the network",
    ] {
        assert!(text.contains(part), "{text}");
    }
    assert_eq!(network.weights().unwrap(), before);
}

#[test]
fn adam_refuses_what_is_not_its_own() {
    let mut training = Training::new(&Device::cpu(), 1);
    let (x, labels) = batch(&Device::cpu(), 2, 1);
    assert!(
        training.network.forward(&x, Mode::Eval).is_err(),
        "another device"
    );
    let (x, labels) = (batch(training.network.device(), 2, 1).0, labels);
    let logits = training.network.forward(&x, Mode::Eval).unwrap();
    assert!(
        logits.cross_entropy(&labels, None).is_err(),
        "labels of another device"
    );
    let gradients = logits.sum_all().unwrap().backward().unwrap();
    assert!(
        training
            .optimizer
            .step(&training.network.parameters()[1..], &gradients)
            .is_err()
    );
    let mut state = training.optimizer.state().unwrap();
    state.remove("m/conv1.weight");
    assert!(
        training
            .optimizer
            .set_state(&state, 1)
            .unwrap_err()
            .to_string()
            .contains("m/conv1.weight")
    );
    assert!(
        training.optimizer.set_learning_rate(f64::NAN).is_err()
            && training.optimizer.set_learning_rate(-1.0).is_err()
    );
}

/// A layer's own `l2` is the gradient of `l2 · Σ w²`, as a tape gives it; biases are spared.
#[test]
fn a_layers_own_l2_is_keras_penalty() {
    let device = Device::cpu();
    let step = |l2: f32, penalty: f32| {
        let layer = Linear {
            l2,
            ..Linear::new(2)
        };
        let architecture = Architecture {
            input: vec![3],
            layers: vec![layer.into()],
        };
        let network = Network::new(&architecture, &device, 1).unwrap();
        let x = Tensor::from_vec(&device, [0.5, -1.0, 2.0], [1, 3]).unwrap();
        let logits = network.forward(&x, Mode::Eval).unwrap();
        let weight = &network.parameters()[0].tensor;
        let squares = weight
            .mul(weight)
            .unwrap()
            .sum_all()
            .unwrap()
            .scale(penalty)
            .unwrap();
        let loss = logits.sum_all().unwrap().add(&squares).unwrap();
        let mut optimizer = Optimizer::new(network.parameters(), Rule::default(), 1e-3).unwrap();
        optimizer
            .step(network.parameters(), &loss.backward().unwrap())
            .unwrap();
        // The first moment is a tenth of the gradient, penalty included.
        optimizer.state().unwrap()
    };
    let (own, by_hand, none) = (step(0.3, 0.0), step(0.0, 0.3), step(0.0, 0.0));
    for name in ["m/linear1.weight", "m/linear1.bias"] {
        let pairs = own[name].values.iter().zip(&by_hand[name].values);
        assert!(
            pairs.into_iter().all(|(a, b)| (a - b).abs() < 1e-6),
            "{name}"
        );
    }
    assert_eq!(own["m/linear1.bias"], none["m/linear1.bias"]);
    assert_ne!(own["m/linear1.weight"], none["m/linear1.weight"]);
}

/// Sequences of 12 steps; the class is where the loud one stands. On the CPU and on a GPU the losses fall alike.
#[test]
fn recurrent_networks_learn() {
    let architecture = Architecture::from_json(
        r#"{"input": [12, 3], "layers": [
            {"kind": "Gru", "hidden": 8, "bidirectional": true},
            {"kind": "Dropout", "p": 0.1},
            {"kind": "Lstm", "hidden": 8, "last": true},
            {"kind": "Linear", "out_features": 3}
        ]}"#,
    )
    .unwrap();
    let train = |device: &Device, steps: u64| -> Vec<f32> {
        let network = Network::new(&architecture, device, 1).unwrap();
        let mut optimizer = Optimizer::new(network.parameters(), Rule::default(), 1e-2).unwrap();
        let step = |step: u64| {
            let mut random = Philox::new(step, 0);
            let labels: Vec<u32> = (0..16).map(|_| random.below(3) as u32).collect();
            let mut values: Vec<f32> = (0..16 * 12 * 3).map(|_| 0.3 * random.normal()).collect();
            for (example, label) in values.chunks_exact_mut(36).zip(&labels) {
                let loud = 12 * *label as usize;
                example[loud..loud + 12].iter_mut().for_each(|v| *v += 1.0);
            }
            let x = Tensor::from_vec(device, values, [16, 12, 3]).unwrap();
            let labels = device.upload_u32(&labels).unwrap();
            let y = network.forward(&x, Mode::Train { seed: 1, step }).unwrap();
            let loss = y.cross_entropy(&labels, None).unwrap();
            let gradients = loss.backward().unwrap();
            optimizer.step(network.parameters(), &gradients).unwrap();
            loss.to_vec().unwrap()[0]
        };
        (0..steps).map(step).collect()
    };
    let cpu = train(&Device::cpu(), 80);
    assert!(cpu[79] < 0.3 * cpu[0], "{cpu:?}");
    if cfg!(feature = "gpu") {
        let gpu = Device::open("gpu").expect("a GPU, or software Vulkan");
        for (step, (c, g)) in cpu.iter().zip(train(&gpu, 10)).enumerate() {
            assert!(
                abs_diff_eq!(*c, g, epsilon = 1e-3 * c),
                "step {step}: {c} and {g}"
            );
        }
    }
}
