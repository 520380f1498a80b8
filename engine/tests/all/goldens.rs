//! Values, gradients and training against PyTorch's, from `tests/goldens` (its README tells how they are made).

use crate::golden::{Golden, pair};
use approx::abs_diff_eq;
use engine::architecture::layer::{Conv2d, Flatten, Linear, MaxPool2d};
use engine::ops::{
    Activation, BatchNormOptions, ConvOptions, Direction, Expr, LocalResponseNormOptions,
    PoolOptions, RecurrentOptions, elementwise,
};
use engine::{
    Architecture, Function, Layer, Mode, Network, Optimizer, Parameter, Rule, Tensor, optim,
};
use kernels::max_pool2d::MaxPool2d as MaxPool2dKernel;
use kernels::reduce::{Reduce, ReduceOp};
use serde_json::Value;

#[test]
fn matmul_and_linear() {
    let golden = Golden::open("matmul");
    for (case, options) in &golden.cases {
        let transposed = |key: &str| options[key].as_bool().unwrap();
        golden.check(case, &["a", "b"], |t| {
            t[0].matmul_transposed(&t[1], transposed("transpose_a"), transposed("transpose_b"))
        });
    }
    Golden::open("linear").check("linear", &["x", "w", "b"], |t| {
        t[0].linear(&t[1], Some(&t[2]), Activation::None)
    });
}

#[test]
fn conv2d() {
    let golden = Golden::open("conv2d");
    assert!(golden.cases.len() >= 11);
    for (case, options) in &golden.cases {
        let is = |key: &str| options[key].as_bool().unwrap();
        let conv = ConvOptions {
            stride: pair(&options["stride"]),
            pad: pair(&options["padding"]).map(|p| [p, p]),
            dilation: pair(&options["dilation"]),
            groups: options["groups"].as_u64().unwrap() as usize,
            activation: if is("relu") {
                Activation::Relu
            } else {
                Activation::None
            },
        };
        let inputs = if is("bias") {
            &["x", "w", "b"][..]
        } else {
            &["x", "w"]
        };
        golden.check(case, inputs, |t| t[0].conv2d(&t[1], t.get(2), conv));
    }
}

#[test]
fn max_pool2d() {
    let golden = Golden::open("max_pool2d");
    for (case, options) in &golden.cases {
        let pool = PoolOptions {
            kernel: pair(&options["kernel"]),
            stride: pair(&options["stride"]),
            pad: pair(&options["padding"]).map(|p| [p, p]),
        };
        golden.check(case, &["x"], |t| t[0].max_pool2d(pool));
        places(&golden, case, pool);
    }
}

#[test]
fn global_max_pool() {
    let golden = Golden::open("global_max_pool");
    assert!(golden.cases.len() >= 6);
    for (case, options) in &golden.cases {
        golden.check(case, &["x"], |t| t[0].global_max_pool());
        places(&golden, case, PoolOptions::new(pair(&options["kernel"])));
    }
}

/// Where each window's largest number stands, as PyTorch counts.
fn places(golden: &Golden, case: &str, pool: PoolOptions) {
    let x = golden.tensor(&format!("{case}/x"));
    let shape: [usize; 4] = x.shape().to_vec().try_into().unwrap();
    let kernel = MaxPool2dKernel::new(shape, pool.kernel).with(pool.stride, pool.pad);
    let len = golden.arrays[&format!("{case}/index")].values.len();
    let [y, index] = [(); 2].map(|()| golden.device.alloc(len).unwrap());
    let outputs = [&y, &index];
    golden
        .device
        .launch(&kernel, &[x.buffer()], &outputs)
        .unwrap();
    same_places(golden, case, &index);
}

fn same_places(golden: &Golden, case: &str, found: &engine::Buffer) {
    let found = found.to_vec_u32().unwrap();
    let want = &golden.arrays[&format!("{case}/index")].values;
    let want: Vec<u32> = want.iter().map(|place| *place as u32).collect();
    assert_eq!(found, want, "{case}");
}

#[test]
fn avg_pool2d() {
    let golden = Golden::open("avg_pool2d");
    assert!(golden.cases.len() >= 8);
    for (case, options) in &golden.cases {
        let pool = PoolOptions {
            kernel: pair(&options["kernel"]),
            stride: pair(&options["stride"]),
            pad: pair(&options["padding"]).map(|p| [p, p]),
        };
        let include_pad = options["count_include_pad"].as_bool().unwrap();
        golden.check(case, &["x"], |t| t[0].avg_pool2d(pool, include_pad));
    }
    golden.check("global", &["x"], |t| t[0].global_avg_pool());
}

/// Values, gradients, and the running statistics afterwards.
#[test]
fn batch_norm() {
    let golden = Golden::open("batch_norm");
    assert!(golden.cases.len() >= 7);
    for (case, options) in &golden.cases {
        let is = |key: &str| options[key].as_bool().unwrap();
        let norm = BatchNormOptions {
            training: is("training"),
            eps: options["eps"].as_f64().unwrap(),
            momentum: options["momentum"].as_f64().unwrap(),
            activation: Activation::None,
        };
        let statistics = ["running_mean", "running_var"];
        let running = statistics.map(|name| golden.tensor(&format!("{case}/{name}")));
        let inputs = if is("affine") {
            &["x", "w", "b"][..]
        } else {
            &["x"]
        };
        golden.check(case, inputs, |t| {
            let affine = t.get(1).zip(t.get(2)).map(|(w, b)| [w, b]);
            t[0].batch_norm(running.each_ref(), affine, norm)
        });
        for (name, tensor) in statistics.iter().zip(&running) {
            golden.same(&format!("{case}/{name}_after"), tensor);
        }
    }
}

#[test]
fn local_response_norm() {
    let golden = Golden::open("local_response_norm");
    assert!(golden.cases.len() >= 5);
    for (case, options) in &golden.cases {
        let number = |key: &str| options[key].as_f64().unwrap();
        let options = LocalResponseNormOptions {
            size: number("size") as usize,
            alpha: number("alpha"),
            beta: number("beta"),
            k: number("k"),
        };
        golden.check(case, &["x"], |t| t[0].local_response_norm(options));
    }
}

#[test]
fn reductions() {
    let golden = Golden::open("reductions");
    for (case, options) in &golden.cases {
        let axes: Vec<usize> = serde_json::from_value(options["axes"].clone()).unwrap();
        golden.check(case, &["x"], |t| {
            // From the last axis on, so that the others keep their numbers.
            axes.iter()
                .rev()
                .try_fold(t[0].clone(), |x, &axis| match options["op"].as_str() {
                    Some("sum") => x.sum(axis),
                    Some("mean") => x.mean(axis),
                    Some("max") => x.max(axis),
                    other => panic!("{case}: {other:?}"),
                })
        });
        if options["op"] == "max" {
            let x = golden.tensor(&format!("{case}/x"));
            let (before, rest) = x.shape().split_at(axes[0]);
            let of = [before.iter().product(), rest[0], rest[1..].iter().product()];
            let y = golden.device.alloc(of[0] * of[2]).unwrap();
            let kernel = Reduce::new(ReduceOp::ArgMax, of);
            golden.device.launch(&kernel, &[x.buffer()], &[&y]).unwrap();
            same_places(&golden, case, &y);
        }
    }
}

#[test]
fn activations() {
    let golden = Golden::open("activations");
    let check = |case: &str, f: &dyn Fn(&Tensor) -> engine::Result<Tensor>| {
        golden.check(case, &["x"], |t| f(&t[0]))
    };
    check("relu", &|x| x.relu());
    check("tanh", &|x| x.tanh());
    check("sigmoid", &|x| x.sigmoid());
    check("gelu", &|x| x.gelu());
    check("elu", &|x| x.activation(Function::Elu));
    check("elu", &|x| x.elu(1.0));
    check("elu_half", &|x| x.elu(0.5));
    check("leaky_relu", &|x| x.activation(Function::LeakyRelu));
    check("leaky_relu_fifth", &|x| x.leaky_relu(0.2));
    // No layer has it: an expression with a derivative of its own, as a user would write it.
    check("gelu_tanh", &|x| {
        let i = Expr::input(0);
        let cubic = i.clone() + i.clone() * i.clone() * i.clone() * 0.044_715;
        let gate = (cubic * (2.0 / std::f32::consts::PI).sqrt()).tanh() + 1.0;
        elementwise(&(i * gate * 0.5), &[x], &[])
    });
}

#[test]
fn softmax_and_cross_entropy() {
    let golden = Golden::open("softmax_cross_entropy");
    for (case, options) in &golden.cases {
        let x = golden.tensor(&format!("{case}/x")).parameter();
        golden.same(&format!("{case}/probability"), &x.softmax().unwrap());
        let weighted = options["weighted"].as_bool().unwrap();
        let weights = weighted.then(|| golden.tensor(&format!("{case}/weight")));
        let loss = x
            .cross_entropy(&golden.labels(&format!("{case}/label")), weights.as_ref())
            .unwrap();
        golden.same(&format!("{case}/loss"), &loss);
        golden.same(
            &format!("{case}/dx"),
            loss.backward().unwrap().get(&x).unwrap(),
        );
    }
}

#[test]
fn gru_and_lstm() {
    for (name, layer) in [
        ("gru", Tensor::gru as fn(&Tensor, &[Direction], _) -> _),
        ("lstm", Tensor::lstm),
    ] {
        let golden = Golden::open(name);
        assert!(golden.cases.len() >= 11);
        for (case, options) in &golden.cases {
            let is = |key: &str| options[key].as_bool().unwrap();
            let parameters = ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"];
            let parameters = &parameters[..if is("bias") { 4 } else { 2 }];
            let mut inputs = vec!["x".to_string()];
            for suffix in &["", "_reverse"][..if is("bidirectional") { 2 } else { 1 }] {
                inputs.extend(parameters.iter().map(|p| format!("{p}{suffix}")));
            }
            let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
            let options = RecurrentOptions {
                activation: match options["activation"].as_str() {
                    Some("relu") => Activation::Relu,
                    Some("elu") => Activation::Elu,
                    Some("sigmoid") => Activation::Sigmoid,
                    Some("tanh") => Activation::Tanh,
                    other => panic!("{case}: {other:?}"),
                },
                last: is("last"),
            };
            golden.check(case, &inputs, |t| {
                let directions: Vec<Direction> = t[1..]
                    .chunks_exact(parameters.len())
                    .map(|p| Direction {
                        weight_ih: &p[0],
                        weight_hh: &p[1],
                        bias: p.get(2).map(|ih| [ih, &p[3]]),
                    })
                    .collect();
                layer(&t[0], &directions, options)
            });
        }
    }
}

#[test]
fn cross_entropy_with_smoothed_labels() {
    let golden = Golden::open("label_smoothing");
    assert!(golden.cases.len() >= 6);
    for (case, options) in &golden.cases {
        let x = golden.tensor(&format!("{case}/x")).parameter();
        let weighted = options["weighted"].as_bool().unwrap();
        let weights = weighted.then(|| golden.tensor(&format!("{case}/weight")));
        let labels = golden.labels(&format!("{case}/label"));
        let smoothing = options["smoothing"].as_f64().unwrap() as f32;
        let loss = x
            .cross_entropy_smoothed(&labels, weights.as_ref(), smoothing)
            .unwrap();
        golden.same(&format!("{case}/loss"), &loss);
        let gradients = loss.backward().unwrap();
        golden.same(&format!("{case}/dx"), gradients.get(&x).unwrap());
    }
}

#[test]
fn adam() {
    let golden = Golden::open("adam");
    for (case, options) in &golden.cases {
        let number = |value: &Value| value.as_f64().unwrap();
        let rule = optim::Adam {
            beta1: number(&options["betas"][0]),
            beta2: number(&options["betas"][1]),
            eps: number(&options["eps"]),
            weight_decay: number(&options["weight_decay"]),
        };
        let p = golden.tensor(&format!("{case}/p"));
        // Its own numbers: an optimizer writes in place.
        let parameter = Parameter {
            name: "p".into(),
            tensor: p.scale(1.0).unwrap().parameter(),
            l2: 0.0,
        };
        let parameters = [parameter];
        let mut optimizer = Optimizer::new(&parameters, rule, number(&options["lr"])).unwrap();
        for step in 0..5 {
            let g = golden.tensor(&format!("{case}/g/{step}"));
            let loss = parameters[0].tensor.mul(&g).unwrap().sum_all().unwrap();
            optimizer
                .step(&parameters, &loss.backward().unwrap())
                .unwrap();
            golden.same(&format!("{case}/p/{step}"), &parameters[0].tensor);
        }
        let state = optimizer.state().unwrap();
        for which in ["m", "v"] {
            let array = &state[&format!("{which}/p")];
            let tensor = Tensor::from_vec(&golden.device, &array.values, &array.shape).unwrap();
            golden.same(&format!("{case}/{which}"), &tensor);
        }
    }
}

/// The network of recipe `ajufo-cnn` on a small picture: logits, loss, every gradient, ten steps of Adam.
#[test]
fn a_whole_network_learns_as_in_pytorch() {
    let golden = Golden::open("ajufo_cnn");
    let conv = |channels| Layer::from(Conv2d::new(channels, [3, 3]).with(Function::Relu));
    let pool = || Layer::from(MaxPool2d::new([2, 4]));
    let architecture = Architecture {
        input: vec![1, 32, 64],
        layers: vec![
            conv(32),
            pool(),
            conv(64),
            pool(),
            Flatten::default().into(),
            Linear::new(64).with(Function::Relu).into(),
            Linear::new(10).into(),
        ],
    };
    let weights = golden.arrays.iter().filter_map(|(name, array)| {
        Some((name.strip_prefix("weights/")?.to_string(), array.clone()))
    });
    let network = Network::with_weights(&architecture, &golden.device, &weights.collect()).unwrap();
    let (x, labels) = (golden.tensor("x"), golden.labels("label"));
    let mut optimizer = Optimizer::new(network.parameters(), Rule::default(), 1e-3).unwrap();
    let curve = &golden.arrays["loss_curve"].values;
    assert_eq!(curve.len(), 11);
    for (step, want) in curve.iter().enumerate() {
        let logits = network
            .forward(
                &x,
                Mode::Train {
                    seed: 0,
                    step: step as u64,
                },
            )
            .unwrap();
        let loss = logits.cross_entropy(&labels, None).unwrap();
        let found = loss.to_vec().unwrap()[0];
        assert!(
            abs_diff_eq!(found, want, epsilon = 1e-4 * want),
            "loss {found} before step {step}, PyTorch says {want}"
        );
        if step == 10 {
            golden.near("logits_after_10_steps", &logits, 1e-3);
            break;
        }
        let gradients = loss.backward().unwrap();
        if step == 0 {
            golden.same("logits", &logits);
            golden.same("loss", &loss);
            for p in network.parameters() {
                golden.same(
                    &format!("gradients/{}", p.name),
                    gradients.get(&p.tensor).unwrap(),
                );
            }
        }
        optimizer.step(network.parameters(), &gradients).unwrap();
    }
}

/// SciPy's DCT and librosa's inverse STFT.
#[test]
fn transforms() {
    let golden = Golden::open("transforms");
    assert!(golden.cases.len() >= 11);
    for (case, options) in &golden.cases {
        let whole = |key: &str| options[key].as_u64().unwrap() as usize;
        if case.starts_with("dct") {
            let x = golden.tensor(&format!("{case}/x"));
            let ortho = options["ortho"].as_bool().unwrap();
            let y = x.dct(1, whole("kept"), ortho).unwrap();
            golden.same(&format!("{case}/y"), &y);
            continue;
        }
        let [re, im, window] =
            ["re", "im", "window"].map(|name| golden.tensor(&format!("{case}/{name}")));
        let samples = golden.arrays[&format!("{case}/y")].values.len();
        let kernel = kernels::istft::Istft {
            clips: 1,
            frames: re.shape()[0],
            n_fft: whole("n_fft"),
            hop: whole("hop"),
            centre: options["center"].as_bool().unwrap(),
            samples,
        };
        let y = golden.device.alloc(samples).unwrap();
        let inputs = [re.buffer(), im.buffer(), window.buffer()];
        golden.device.launch(&kernel, &inputs, &[&y]).unwrap();
        let y = Tensor::from_buffer(y, [samples]).unwrap();
        golden.same(&format!("{case}/y"), &y);
    }
}
