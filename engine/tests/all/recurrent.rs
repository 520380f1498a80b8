//! GRU and LSTM: gradients of the operations, and the layers by hand and against the operations.

use crate::gradients::check;
use engine::gradcheck::random;
use engine::ops::{Activation, Direction, RecurrentOptions};
use engine::{Architecture, Array, Device, Mode, Network, Result, Tensor};

type Recurrent = fn(&Tensor, &[Direction], RecurrentOptions) -> Result<Tensor>;

/// A recurrent layer over `t[0]`, with the parameters of its directions behind.
fn recurrent(
    layer: Recurrent,
    t: &[Tensor],
    each: usize,
    options: RecurrentOptions,
) -> Result<Tensor> {
    let directions: Vec<Direction> = t[1..]
        .chunks_exact(each)
        .map(|p| Direction {
            weight_ih: &p[0],
            weight_hh: &p[1],
            bias: p.get(2).map(|ih| [ih, &p[3]]),
        })
        .collect();
    layer(&t[0], &directions, options)
}

/// An input and the parameters of so many directions.
fn recurrent_inputs(
    [n, t, features, h]: [usize; 4],
    gates: usize,
    directions: usize,
    bias: bool,
) -> Vec<Array> {
    let mut inputs = vec![random([n, t, features], 1, 0.0)];
    for i in 0..directions as u64 {
        inputs.push(random([gates * h, features], 10 * i + 2, 0.0));
        inputs.push(random([gates * h, h], 10 * i + 3, 0.0));
        if bias {
            inputs.push(random([gates * h], 10 * i + 4, 0.0));
            inputs.push(random([gates * h], 10 * i + 5, 0.0));
        }
    }
    for weights in &mut inputs[1..] {
        weights.values.iter_mut().for_each(|w| *w *= 0.5);
    }
    inputs
}

#[test]
fn recurrent_layers() {
    let layers: [(&str, Recurrent, usize); 2] =
        [("gru", Tensor::gru, 3), ("lstm", Tensor::lstm, 4)];
    for (name, layer, gates) in layers {
        for last in [false, true] {
            for directions in [1, 2] {
                let inputs = recurrent_inputs([2, 4, 3, 5], gates, directions, true);
                let options = RecurrentOptions {
                    last,
                    ..Default::default()
                };
                check(name, &inputs, |t| recurrent(layer, t, 4, options));
            }
        }
        for activation in Activation::ALL {
            let inputs = recurrent_inputs([2, 3, 2, 4], gates, 1, false);
            let options = RecurrentOptions {
                activation,
                ..Default::default()
            };
            check(&format!("{name} {activation:?}"), &inputs, |t| {
                recurrent(layer, t, 2, options)
            });
        }
        for shape in [[1, 1, 1, 1], [3, 1, 7, 2], [1, 9, 1, 3]] {
            let inputs = recurrent_inputs(shape, gates, 2, true);
            check(name, &inputs, |t| {
                recurrent(layer, t, 4, RecurrentOptions::default())
            });
        }
    }
}

/// Parameters that are not learned get no gradient, and nothing is kept for them.
#[test]
fn recurrent_layers_learn_what_is_tracked() {
    let device = Device::cpu();
    let inputs = recurrent_inputs([2, 3, 4, 5], 3, 1, true);
    for tracked in 0..5 {
        let t: Vec<Tensor> = (inputs.iter().enumerate())
            .map(|(i, a)| {
                let tensor = Tensor::from_vec(&device, &a.values, &a.shape).unwrap();
                if i == tracked {
                    tensor.parameter()
                } else {
                    tensor
                }
            })
            .collect();
        let y = recurrent(Tensor::gru, &t, 4, RecurrentOptions::default()).unwrap();
        let gradients = y.sum_all().unwrap().backward().unwrap();
        for (i, t) in t.iter().enumerate() {
            let shape = gradients.get(t).map(|g| g.shape().clone());
            assert_eq!(shape, (i == tracked).then(|| t.shape().clone()), "{i}");
        }
    }
}

#[test]
fn recurrent_shapes_that_do_not_fit_are_refused() {
    let device = Device::cpu();
    let zeros = |shape: &[usize]| Tensor::zeros(&device, shape).unwrap();
    let refused = |x: &[usize], parameters: [&[usize]; 4], expected: &str| {
        let t: Vec<Tensor> = [x].into_iter().chain(parameters).map(zeros).collect();
        let error = recurrent(Tensor::gru, &t, 4, RecurrentOptions::default()).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    };
    let good: [&[usize]; 4] = [&[15, 4], &[15, 5], &[15], &[15]];
    refused(&[2, 3], good, "[n, t, in]");
    refused(&[2, 3, 5], good, "2×3×5 and 15×4");
    refused(&[2, 0, 4], good, "empty side");
    refused(&[2, 3, 4], [&[20, 4], good[1], good[2], good[3]], "20×4");
    refused(&[2, 3, 4], [good[0], &[15, 4], good[2], good[3]], "15×4");
    refused(&[2, 3, 4], [good[0], &[15], good[2], good[3]], "[3·h, h]");
    refused(&[2, 3, 4], [good[0], good[1], &[5], good[3]], "and 5");
    refused(&[2, 3, 4], [good[0], good[1], good[2], &[15, 1]], "15×1");
    let x = zeros(&[2, 3, 4]);
    assert!(x.gru(&[], RecurrentOptions::default()).is_err());
}

/// What `ajufo-crnn` and the bidirectional branch of `dwivedi-parallel` end in, and an LSTM.
pub fn stacked() -> Architecture {
    Architecture::from_json(
        r#"{"input": [41, 128], "layers": [
            {"kind": "Gru", "hidden": 32},
            {"kind": "Gru", "hidden": 16, "bidirectional": true, "activation": "elu", "l2": 0.01},
            {"kind": "Lstm", "hidden": 24, "bidirectional": true, "bias": false},
            {"kind": "Lstm", "hidden": 8, "last": true},
            {"kind": "Linear", "out_features": 10}
        ]}"#,
    )
    .unwrap()
}

#[test]
fn recurrent_layers_by_hand() {
    let architecture = stacked();
    let json = architecture.to_json().unwrap();
    assert_eq!(Architecture::from_json(&json).unwrap(), architecture);
    let summary = architecture.summary().unwrap();
    let rows = summary.layers.iter();
    let rows: Vec<_> = rows
        .map(|l| {
            (
                l.name.as_str(),
                &l.output[..],
                l.parameters,
                l.multiply_adds,
            )
        })
        .collect();
    let gru = (96 * (128 + 32) + 2 * 96, 41 * 96 * (128 + 32));
    let both = (2 * (48 * (32 + 16) + 2 * 48), 2 * 41 * 48 * (32 + 16));
    let lstm = (2 * 96 * (32 + 24), 2 * 41 * 96 * (32 + 24));
    let last = (32 * (48 + 8) + 2 * 32, 41 * 32 * (48 + 8));
    assert_eq!(
        rows,
        [
            ("gru1", &[41, 32][..], gru.0, gru.1),
            ("gru2", &[41, 32], both.0, both.1),
            ("lstm1", &[41, 48], lstm.0, lstm.1),
            ("lstm2", &[8], last.0, last.1),
            ("linear1", &[10], 90, 80),
        ]
    );
    let network = Network::new(&architecture, &Device::cpu(), 1).unwrap();
    let named = |name: &str| {
        let find = network.parameters().iter().find(|p| p.name == name);
        find.unwrap_or_else(|| panic!("no {name}"))
    };
    assert_eq!(named("gru1.weight_ih_l0").tensor.shape()[..], [96, 128]);
    assert_eq!(named("gru1.weight_hh_l0").tensor.shape()[..], [96, 32]);
    assert_eq!(named("gru1.bias_ih_l0").tensor.shape()[..], [96]);
    assert_eq!(named("gru2.bias_hh_l0_reverse").tensor.shape()[..], [48]);
    assert_eq!(named("gru2.weight_ih_l0_reverse").l2, 0.01);
    assert_eq!(named("gru2.weight_hh_l0").l2, 0.0);
    assert!(
        network
            .parameters()
            .iter()
            .all(|p| p.name != "lstm1.bias_ih_l0")
    );
    // Uniform within 1 / √hidden, whatever comes in.
    let values = named("gru1.weight_ih_l0").tensor.to_vec().unwrap();
    let bound = values.iter().fold(0f32, |m, v| m.max(v.abs()));
    let limit = 1.0 / 32f32.sqrt();
    assert!(bound <= limit && bound > 0.99 * limit, "{bound}");
}

/// Every layer's numbers, from a network whose weights are the operation's.
#[test]
fn recurrent_layers_run_as_their_operations() {
    let device = Device::cpu();
    let network = Network::new(&stacked(), &device, 3).unwrap();
    let values: Vec<f32> = (0..2 * 41 * 128)
        .map(|i| (i % 13) as f32 / 13.0 - 0.5)
        .collect();
    let x = Tensor::from_vec(&device, values, [2, 41, 128]).unwrap();
    let mut outputs: Vec<Tensor> = Vec::new();
    let mut watch = |_: &str, output: &Tensor| {
        outputs.push(output.detach());
        Ok(())
    };
    network.forward_watched(&x, Mode::Eval, &mut watch).unwrap();
    let p = |i: usize| &network.parameters()[i].tensor;
    let direction = |i: usize| Direction {
        weight_ih: p(i),
        weight_hh: p(i + 1),
        bias: Some([p(i + 2), p(i + 3)]),
    };
    let plain = RecurrentOptions::default();
    let elu = RecurrentOptions {
        activation: engine::ops::Activation::Elu,
        ..plain
    };
    let last = RecurrentOptions {
        last: true,
        ..plain
    };
    let same = |a: &Tensor, b: Tensor| assert_eq!(a.to_vec().unwrap(), b.to_vec().unwrap());
    same(&outputs[0], x.gru(&[direction(0)], plain).unwrap());
    let both = outputs[0].gru(&[direction(4), direction(8)], elu);
    same(&outputs[1], both.unwrap());
    let unbiased = [12, 14].map(|i| Direction {
        bias: None,
        ..direction(i)
    });
    same(&outputs[2], outputs[1].lstm(&unbiased, plain).unwrap());
    same(
        &outputs[3],
        outputs[2].lstm(&[direction(16)], last).unwrap(),
    );
}
