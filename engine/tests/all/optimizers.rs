//! Optimizers: against PyTorch, and what lies where.

use crate::common::{Training, architecture, batch};
use crate::golden::Golden;
use approx::abs_diff_eq;
use engine::{Buffer, Clip, Device, Mode, Network, Optimizer, Parameter, Rule, Tensor};
use serde_json::json;

/// The two parameters of a golden case, with numbers of their own: an optimizer writes in place.
fn parameters(golden: &Golden, case: &str, together: bool) -> Vec<Parameter> {
    let device = &golden.device;
    let given = ["w", "b"].map(|name| golden.tensor(&format!("{case}/p/{name}")));
    let buffers = match together {
        true => device.zeros_together(&[77, 5]).unwrap(),
        false => vec![device.alloc(77).unwrap(), device.alloc(5).unwrap()],
    };
    let parameter = |((name, tensor), buffer): ((&str, &Tensor), Buffer)| {
        device.write(&buffer, &tensor.to_vec().unwrap()).unwrap();
        Parameter {
            name: name.into(),
            tensor: Tensor::from_buffer(buffer, tensor.shape())
                .unwrap()
                .parameter(),
            l2: 0.0,
        }
    };
    ["w", "b"]
        .into_iter()
        .zip(&given)
        .zip(buffers)
        .map(parameter)
        .collect()
}

/// Ten steps of every rule, parameters in one block or in several.
#[test]
fn every_rule_steps_as_in_pytorch() {
    let golden = Golden::open("optimizers");
    assert!(golden.cases.len() >= 12);
    for (case, options) in &golden.cases {
        for together in [true, false] {
            let rule: Rule = serde_json::from_value(options["rule"].clone()).unwrap();
            let parameters = parameters(&golden, case, together);
            let clip = Clip {
                norm: options["clip_norm"].as_f64(),
                value: options["clip_value"].as_f64(),
            };
            let mut optimizer = Optimizer::new(&parameters, rule, options["lr"].as_f64().unwrap())
                .unwrap()
                .with_clip(clip)
                .unwrap();
            for step in 0..10 {
                // Σ p·g has the gradient g.
                let loss = |p: &Parameter| {
                    let g = golden.tensor(&format!("{case}/g/{step}/{}", p.name));
                    p.tensor.mul(&g).unwrap().sum_all().unwrap()
                };
                let loss = loss(&parameters[0]).add(&loss(&parameters[1])).unwrap();
                optimizer
                    .step(&parameters, &loss.backward().unwrap())
                    .unwrap();
                for p in &parameters {
                    golden.near(&format!("{case}/p/{step}/{}", p.name), &p.tensor, 2e-6);
                }
                if let Some(norm) = optimizer.gradient_norm() {
                    let (norm, want) = (
                        norm.to_vec().unwrap()[0],
                        &golden.arrays[&format!("{case}/norm")],
                    );
                    assert!(
                        abs_diff_eq!(norm, want.values[step], epsilon = 1e-5 * want.values[step]),
                        "{case}"
                    );
                }
            }
        }
    }
}

/// A step of every rule over a network, twice: the same bits; and from a saved state on.
#[test]
fn every_rule_repeats_itself_and_goes_on() {
    let device = Device::cpu();
    for rule in [
        json!({"kind": "sgd", "momentum": 0.9, "nesterov": true}),
        json!("sgd"),
        json!({"kind": "rmsprop", "momentum": 0.5, "centered": true}),
        json!("adamw"),
    ] {
        let rule: Rule = serde_json::from_value(rule).unwrap();
        let clip = Clip {
            norm: Some(0.5),
            value: Some(0.1),
        };
        let start = || {
            let mut training = Training::new(&device, 3);
            let parameters = training.network.parameters();
            let optimizer = Optimizer::new(parameters, rule, 1e-3).unwrap();
            training.optimizer = optimizer.with_clip(clip).unwrap();
            training
        };
        let mut whole = start();
        let losses = whole.run(0..4);
        assert_eq!(start().run(0..4), losses, "{rule:?}");
        let mut first = start();
        first.run(0..2);
        let mut second = start();
        let weights = first.network.weights().unwrap();
        second.network.set_weights(&weights).unwrap();
        let state = first.optimizer.state().unwrap();
        second
            .optimizer
            .set_state(&state, first.optimizer.steps())
            .unwrap();
        assert_eq!(second.run(2..4), losses[2..], "{rule:?}");
        assert_eq!(
            second.network.weights().unwrap(),
            whole.network.weights().unwrap(),
            "{rule:?}"
        );
    }
}

/// The gradients of one step.
fn gradients(network: &Network, step: u64) -> engine::Gradients {
    let (x, labels) = batch(network.device(), 4, step);
    let logits = network.forward(&x, Mode::Train { seed: 1, step }).unwrap();
    logits
        .cross_entropy(&labels, None)
        .unwrap()
        .backward()
        .unwrap()
}

/// Parameters lie together, and the backward pass writes their gradients together: a step is one launch.
#[test]
fn gradients_lie_one_behind_the_other() {
    let device = Device::cpu();
    let network = Network::new(&architecture(), &device, 1).unwrap();
    let together = |buffers: Vec<&Buffer>| Buffer::join(&buffers).is_some();
    let parameters = network.parameters();
    assert!(together(
        parameters.iter().map(|p| p.tensor.buffer()).collect()
    ));
    for (step, norm, launches) in [(0, None, 1), (1, None, 1), (2, Some(1.0), 2), (3, None, 1)] {
        let clip = Clip { norm, value: None };
        let optimizer = Optimizer::new(parameters, Rule::default(), 1e-3).unwrap();
        let mut optimizer = optimizer.with_clip(clip).unwrap();
        let gradients = gradients(&network, step);
        let buffer = |p: &Parameter| gradients.get(&p.tensor).unwrap().buffer().clone();
        let buffers: Vec<Buffer> = parameters.iter().map(buffer).collect();
        assert!(together(buffers.iter().collect()), "step {step}");
        let before = device.counters();
        optimizer.step(parameters, &gradients).unwrap();
        assert_eq!((device.counters() - before).launches, launches);
    }
}

/// Gradients that somebody keeps are not written over, and the step that finds their places taken does the same.
#[test]
fn gradients_that_are_kept_stay_as_they_are() {
    let train = |keep: bool| {
        let network = Network::new(&architecture(), &Device::cpu(), 1).unwrap();
        let mut optimizer = Optimizer::new(network.parameters(), Rule::default(), 1e-2).unwrap();
        let mut kept = Vec::new();
        for step in 0..3 {
            let gradients = gradients(&network, step);
            optimizer.step(network.parameters(), &gradients).unwrap();
            let first = |g: &engine::Gradients| {
                g.get(&network.parameters()[0].tensor)
                    .unwrap()
                    .to_vec()
                    .unwrap()
            };
            for (gradients, values) in &kept {
                assert_eq!(first(gradients), *values);
            }
            if keep {
                let values = first(&gradients);
                kept.push((gradients, values));
            }
        }
        network.weights().unwrap()
    };
    assert_eq!(train(true), train(false));
}

/// A parameter that the loss does not depend on stays as it is; one that is used twice gets the sum.
#[test]
fn parameters_without_a_gradient_stay() {
    let device = Device::cpu();
    let buffers = device.zeros_together(&[3, 70, 2]).unwrap();
    let parameter = |(i, buffer): (usize, Buffer)| {
        device.write(&buffer, &vec![1.0; buffer.len()]).unwrap();
        let shape = [buffer.len()];
        Parameter {
            name: format!("p{i}"),
            tensor: Tensor::from_buffer(buffer, shape).unwrap().parameter(),
            l2: 0.5,
        }
    };
    let parameters: Vec<Parameter> = buffers.into_iter().enumerate().map(parameter).collect();
    let rule = engine::optim::Sgd {
        weight_decay: 1.0,
        ..Default::default()
    };
    let mut optimizer = Optimizer::new(&parameters, rule, 0.25).unwrap();
    let values = || -> Vec<f32> {
        parameters
            .iter()
            .map(|p| p.tensor.to_vec().unwrap()[0])
            .collect()
    };
    // d/dp Σ p² = 2p, and a penalty of weight_decay + 2·l2 = 2: a step of -0.25·(2 + 2)·p.
    let square = |p: &Parameter| p.tensor.mul(&p.tensor).unwrap().sum_all().unwrap();
    let outer = square(&parameters[0]).add(&square(&parameters[2])).unwrap();
    optimizer
        .step(&parameters, &outer.backward().unwrap())
        .unwrap();
    assert_eq!(values(), [0.0, 1.0, 0.0]);
    let middle = square(&parameters[1]);
    optimizer
        .step(&parameters, &middle.backward().unwrap())
        .unwrap();
    assert_eq!(values(), [0.0; 3]);
    assert_eq!(optimizer.steps(), 2);
}

#[test]
fn rules_are_data() {
    let read = |text: &str| rule_of(text).map(|rule| (rule, serde_json::to_value(rule).unwrap()));
    assert_eq!(read("\"sgd\"").unwrap().1, json!("sgd"));
    assert_eq!(read("{\"kind\": \"adam\"}").unwrap().1, json!("adam"));
    let (rule, written) = read("{\"kind\": \"rmsprop\", \"momentum\": 0.9}").unwrap();
    assert_eq!(written["momentum"], 0.9);
    assert_eq!(serde_json::from_value::<Rule>(written).unwrap(), rule);
    for (text, say) in [
        ("\"adm\"", "unknown variant `adm`"),
        (
            "{\"kind\": \"sgd\", \"beta1\": 0.9}",
            "unknown field `beta1`",
        ),
        ("{\"momentum\": 0.9}", "missing field `kind`"),
        ("3", "an optimizer's name"),
    ] {
        let error = read(text).unwrap_err().to_string();
        assert!(error.contains(say), "{text}: {error}");
    }
}

fn rule_of(text: &str) -> serde_json::Result<Rule> {
    serde_json::from_str(text)
}
