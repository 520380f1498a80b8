//! Convolution, BatchNorm and max-pooling as one: gradients, and the same numbers as one after the other.

use crate::gradients::check;
use approx::abs_diff_eq;
use engine::gradcheck::random;
use engine::ops::{Activation, BatchNormOptions, ConvOptions, NormPool, PoolOptions};
use engine::{Architecture, Array, Device, Mode, Network, Optimizer, Result, Rule, Tensor};

/// `t` is x, weight, bias of the convolution, then weight and bias of the normalisation, where there are any.
fn whole(
    t: &[Tensor],
    [before, behind]: [Activation; 2],
    training: bool,
    pool: PoolOptions,
    apart: bool,
) -> Result<(Tensor, Vec<f32>)> {
    let device = t[0].device();
    let mean = Tensor::from_vec(device, [0.1, -0.2, 0.3], [3])?;
    let var = Tensor::from_vec(device, [0.5, 1.0, 2.0], [3])?;
    let options = ConvOptions {
        pad: [[1, 1]; 2],
        activation: before,
        ..ConvOptions::default()
    };
    let norm = BatchNormOptions {
        training,
        eps: 1e-3,
        activation: behind,
        ..Default::default()
    };
    let affine = (t.len() > 3).then(|| [&t[3], &t[4]]);
    let running = [&mean, &var];
    let y = match apart {
        true => t[0]
            .conv2d(&t[1], Some(&t[2]), options)?
            .batch_norm(running, affine, norm)?
            .max_pool2d(pool)?,
        false => {
            let behind = NormPool {
                running,
                affine,
                norm,
                pool,
            };
            t[0].conv2d_batch_norm_max_pool2d(&t[1], Some(&t[2]), options, behind)?
        }
    };
    Ok((y, [mean.to_vec()?, var.to_vec()?].concat()))
}

fn inputs() -> Vec<Array> {
    vec![
        random([2, 2, 5, 7], 1, 0.0),
        random([3, 2, 3, 3], 2, 0.0),
        random([3], 3, 0.0),
        random([3], 4, 0.0),
        random([3], 5, 0.0),
    ]
}

#[test]
fn gradients() {
    use Activation::{None, Sigmoid, Tanh};
    for pool in [[2, 2], [1, 3], [5, 7]].map(PoolOptions::new) {
        // Straight into a normalisation the convolution's bias does nothing: its gradient is rounding alone.
        for activations in [[Tanh, None], [Tanh, Sigmoid], [Sigmoid, Tanh]] {
            let all = inputs();
            let f = |t: &[Tensor]| Ok(whole(t, activations, true, pool, false)?.0);
            check("conv2d_batch_norm_max_pool2d", &all, f);
            check("plain", &all[..3], f);
        }
    }
}

/// Values and running statistics within rounding, and by running statistics bit by bit; gradients within rounding, also
/// of elu and relu.
#[test]
fn as_one_after_the_other() {
    let overlapping = PoolOptions {
        stride: [1, 1],
        ..PoolOptions::new([2, 3])
    };
    for (pool, training) in [
        (PoolOptions::new([2, 2]), true),
        (PoolOptions::new([2, 2]), false),
        (overlapping, true),
    ] {
        for activations in [
            [Activation::Elu, Activation::None],
            [Activation::None, Activation::Relu],
        ] {
            let run = |apart| -> Result<(Vec<f32>, Vec<f32>, Vec<f32>)> {
                let device = Device::cpu();
                let load =
                    |a: &Array| Ok(Tensor::from_vec(&device, &a.values, &a.shape)?.parameter());
                let t: Vec<Tensor> = inputs().iter().map(load).collect::<Result<_>>()?;
                let (y, running) = whole(&t, activations, training, pool, apart)?;
                let gradients = y.mul(&y)?.sum_all()?.backward()?;
                let gradients = t.iter().map(|t| gradients.get(t).unwrap().to_vec());
                let gradients = gradients.collect::<Result<Vec<_>>>()?.concat();
                Ok((y.to_vec()?, running, gradients))
            };
            let (a, b) = (run(true).unwrap(), run(false).unwrap());
            for (a, b) in [(&a.0, &b.0), (&a.1, &b.1), (&a.2, &b.2)] {
                assert_eq!(a.len(), b.len());
                for (a, b) in a.iter().zip(b) {
                    assert!(
                        abs_diff_eq!(a, b, epsilon = 1e-4 * (1.0 + a.abs())),
                        "{a} {b}"
                    );
                }
            }
            if !training {
                assert_eq!(a.0, b.0);
            }
        }
    }
}

/// Two blocks of recipe `ajufo-crnn`, smaller; the second with its activation behind the normalisation.
fn architecture() -> Architecture {
    Architecture::from_json(
        r#"{"input": [1, 32, 66], "layers": [
            {"kind": "Conv2d", "out_channels": 16, "kernel": 3, "padding": "same", "activation": "elu"},
            {"kind": "BatchNorm"},
            {"kind": "MaxPool2d", "kernel": 2},
            {"kind": "Conv2d", "out_channels": 16, "kernel": 3, "padding": "same"},
            {"kind": "BatchNorm", "affine": false},
            {"kind": "Activation", "function": "relu"},
            {"kind": "MaxPool2d", "kernel": [4, 2]},
            {"kind": "Flatten"},
            {"kind": "Linear", "out_features": 5}
        ]}"#,
    )
    .unwrap()
}

/// A network runs them so where nobody watches: same outputs, same running statistics, the memory foretold.
#[test]
fn in_a_network() {
    let (architecture, batch) = (architecture(), 32);
    let values = random([batch, 1, 32, 66], 1, 0.0).values;
    let train = Mode::Train { seed: 1, step: 0 };
    let load = |device: &Device| Tensor::from_vec(device, &values, [batch, 1, 32, 66]);
    let close = |a: &[f32], b: &[f32]| {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-4)
    };
    let watched = {
        let device = Device::cpu();
        let network = Network::new(&architecture, &device, 1).unwrap();
        let mut watch = |_: &str, _: &Tensor| Ok(());
        let x = load(&device).unwrap();
        let y = network.forward_watched(&x, train, &mut watch).unwrap();
        (y.to_vec().unwrap(), network.weights().unwrap())
    };
    let device = Device::cpu();
    let network = Network::new(&architecture, &device, 1).unwrap();
    let mut optimizer = Optimizer::new(network.parameters(), Rule::default(), 1e-3).unwrap();
    let x = load(&device).unwrap();
    let y = network.forward(&x, train).unwrap();
    assert!(close(&y.to_vec().unwrap(), &watched.0));
    for (name, array) in network.weights().unwrap() {
        assert!(close(&array.values, &watched.1[&name].values), "{name}");
    }
    let labels = device.upload_u32(&vec![0; batch]).unwrap();
    let gradients = y.cross_entropy(&labels, None).unwrap().backward().unwrap();
    optimizer.step(network.parameters(), &gradients).unwrap();
    let foretold = architecture.memory().unwrap().training(batch) as f64;
    let ratio = foretold / device.usage().peak_bytes as f64;
    assert!((0.85..1.3).contains(&ratio), "{ratio}");
}
