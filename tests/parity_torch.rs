//! The engine against PyTorch: values and gradients of every layer definition, and a whole network's training.
//!
//! The golden arrays and how they were made are in `tests/goldens/`. Everything runs on the CPU and, with the feature
//! `gpu`, on this machine's adapter.

mod golden;

use engine::architecture::layer::{Conv2d, Flatten, Linear, MaxPool2d};
use engine::ops::{ConvOptions, PoolOptions};
use engine::{
    Adam, AdamSettings, Architecture, Array, Device, Function, Mode, Network, Parameter, Tensor,
    Weights,
};
use golden::{Golden, assert_close, devices};
use kernels::Activation;

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// A golden array as a tensor whose gradient is wanted.
fn parameter(golden: &Golden, device: &Device, name: &str) -> Result<Tensor, engine::Error> {
    let (shape, values) = golden.floats(name);
    Ok(Tensor::from_vec(device, values, shape)?.parameter())
}

/// Compares `y` with the golden one, then hands the golden `dy` back through it and compares the inputs' gradients.
fn check(
    golden: &Golden,
    case: &str,
    y: &Tensor,
    inputs: &[(&str, &Tensor)],
    tolerance: f32,
) -> Outcome {
    let key = |name: &str| format!("{case}/{name}");
    assert_close(
        &key("y"),
        &y.to_vec()?,
        &golden.floats(&key("y")).1,
        tolerance,
    );
    let dy = Tensor::from_vec(y.device(), golden.floats(&key("dy")).1, y.shape().clone())?;
    let gradients = y.mul(&dy)?.sum_all()?.backward()?;
    for (name, input) in inputs {
        let gradient = gradients
            .get(input)
            .ok_or_else(|| format!("{case}: no gradient of {name}"))?;
        let name = key(&format!("d{name}"));
        assert_close(
            &name,
            &gradient.to_vec()?,
            &golden.floats(&name).1,
            tolerance,
        );
    }
    Ok(())
}

#[test]
fn matmul() -> Outcome {
    let golden = Golden::read("matmul");
    for device in devices() {
        for (case, options) in golden.cases() {
            let a = parameter(&golden, &device, &format!("{case}/a"))?;
            let b = parameter(&golden, &device, &format!("{case}/b"))?;
            let y = a.matmul_transposed(
                &b,
                options["transpose_a"] == true,
                options["transpose_b"] == true,
            )?;
            check(&golden, case, &y, &[("a", &a), ("b", &b)], 2e-6)?;
        }
    }
    Ok(())
}

#[test]
fn conv2d() -> Outcome {
    let golden = Golden::read("conv2d");
    for device in devices() {
        for (case, options) in golden.cases() {
            let x = parameter(&golden, &device, &format!("{case}/x"))?;
            let w = parameter(&golden, &device, &format!("{case}/w"))?;
            let b = match options["bias"] == true {
                true => Some(parameter(&golden, &device, &format!("{case}/b"))?),
                false => None,
            };
            let conv = ConvOptions {
                stride: golden::pair(&options["stride"]),
                pad: golden::pair(&options["padding"]).map(|zeros| [zeros; 2]),
                dilation: golden::pair(&options["dilation"]),
                groups: golden::number(&options["groups"]),
                activation: if options["relu"] == true {
                    Activation::Relu
                } else {
                    Activation::None
                },
            };
            let y = x.conv2d(&w, b.as_ref(), conv)?;
            let mut inputs = vec![("x", &x), ("w", &w)];
            inputs.extend(b.iter().map(|b| ("b", b)));
            check(&golden, case, &y, &inputs, 4e-6)?;
        }
    }
    Ok(())
}

#[test]
fn max_pool2d() -> Outcome {
    let golden = Golden::read("max_pool2d");
    for device in devices() {
        for (case, options) in golden.cases() {
            let x = parameter(&golden, &device, &format!("{case}/x"))?;
            let pool = PoolOptions {
                kernel: golden::pair(&options["kernel"]),
                stride: golden::pair(&options["stride"]),
                pad: golden::pair(&options["padding"]).map(|places| [places; 2]),
            };
            // The gradient goes to the place that won, so this settles the places too: ties, NaN, padding.
            check(&golden, case, &x.max_pool2d(pool)?, &[("x", &x)], 1e-6)?;
        }
    }
    Ok(())
}

#[test]
fn reductions() -> Outcome {
    let golden = Golden::read("reductions");
    for device in devices() {
        for (case, options) in golden.cases() {
            let x = parameter(&golden, &device, &format!("{case}/x"))?;
            let mut y = x.clone();
            // From the last axis to the first, so that the others keep their numbers.
            for axis in golden::numbers(&options["axes"]).into_iter().rev() {
                y = match options["op"].as_str() {
                    Some("sum") => y.sum(axis)?,
                    Some("mean") => y.mean(axis)?,
                    Some("max") => y.max(axis)?,
                    other => return Err(format!("{case}: no reduction {other:?}").into()),
                };
            }
            check(&golden, case, &y, &[("x", &x)], 2e-6)?;
        }
    }
    Ok(())
}

#[test]
fn activations() -> Outcome {
    let golden = Golden::read("activations");
    for device in devices() {
        for (case, options) in golden.cases() {
            let x = parameter(&golden, &device, &format!("{case}/x"))?;
            let y = match case.as_str() {
                "relu" => x.relu()?,
                "tanh" => x.tanh()?,
                "sigmoid" => x.sigmoid()?,
                "gelu" => x.gelu()?,
                "elu" => x.activation(Function::Elu)?,
                "elu_half" => x.elu(golden::float(&options["alpha"]))?,
                "leaky_relu" => x.activation(Function::LeakyRelu)?,
                "leaky_relu_fifth" => x.leaky_relu(golden::float(&options["slope"]))?,
                // The engine's GELU is the exact one.
                "gelu_tanh" => continue,
                other => return Err(format!("no activation {other}").into()),
            };
            check(&golden, case, &y, &[("x", &x)], 2e-6)?;
        }
    }
    Ok(())
}

#[test]
fn linear() -> Outcome {
    let golden = Golden::read("linear");
    for device in devices() {
        let [x, w, b] =
            ["x", "w", "b"].map(|name| parameter(&golden, &device, &format!("linear/{name}")));
        let (x, w, b) = (x?, w?, b?);
        let y = x.linear(&w, Some(&b), Activation::None)?;
        check(
            &golden,
            "linear",
            &y,
            &[("x", &x), ("w", &w), ("b", &b)],
            2e-6,
        )?;
    }
    Ok(())
}

#[test]
fn softmax_cross_entropy() -> Outcome {
    let golden = Golden::read("softmax_cross_entropy");
    for device in devices() {
        for (case, options) in golden.cases() {
            let x = parameter(&golden, &device, &format!("{case}/x"))?;
            let labels = device.upload_u32(&golden.integers(&format!("{case}/label")))?;
            let weights = match options["weighted"] == true {
                true => Some(parameter(&golden, &device, &format!("{case}/weight"))?.detach()),
                false => None,
            };
            let loss = x.cross_entropy(&labels, weights.as_ref())?;
            let want = |name: &str| golden.floats(&format!("{case}/{name}")).1;
            assert_close(
                &format!("{case}/loss"),
                &loss.to_vec()?,
                &want("loss"),
                2e-6,
            );
            assert_close(
                &format!("{case}/probability"),
                &x.softmax()?.to_vec()?,
                &want("probability"),
                2e-6,
            );
            let gradients = loss.backward()?;
            let dx = gradients.get(&x).ok_or("no gradient of x")?;
            assert_close(&format!("{case}/dx"), &dx.to_vec()?, &want("dx"), 2e-6);
        }
    }
    Ok(())
}

#[test]
fn adam() -> Outcome {
    let golden = Golden::read("adam");
    for device in devices() {
        for (case, options) in golden.cases() {
            let beta = |at: usize| options["betas"][at].as_f64().unwrap_or(f64::NAN);
            let setting = |name: &str| options[name].as_f64().unwrap_or(f64::NAN);
            let settings = AdamSettings {
                learning_rate: setting("lr"),
                beta1: beta(0),
                beta2: beta(1),
                eps: setting("eps"),
                weight_decay: setting("weight_decay"),
            };
            let p = parameter(&golden, &device, &format!("{case}/p"))?;
            let parameters = [Parameter {
                name: "p".into(),
                tensor: p.clone(),
                l2: 0.0,
            }];
            let mut adam = Adam::new(&parameters, settings)?;
            for step in 0..5 {
                // A loss whose gradient is the golden one: p · g, summed.
                let g = Tensor::from_vec(
                    &device,
                    golden.floats(&format!("{case}/g/{step}")).1,
                    p.shape().clone(),
                )?;
                let gradients = p.mul(&g)?.sum_all()?.backward()?;
                adam.step(&parameters, &gradients)?;
                let name = format!("{case}/p/{step}");
                assert_close(&name, &p.to_vec()?, &golden.floats(&name).1, 2e-6);
            }
        }
    }
    Ok(())
}

/// The network of recipe `ajufo-cnn` on a small picture with PyTorch's weights.
fn ajufo_cnn(golden: &Golden, device: &Device) -> Result<Network, engine::Error> {
    let architecture = Architecture {
        input: vec![1, 32, 64],
        layers: vec![
            Conv2d::new(32, [3, 3]).with(Function::Relu).into(),
            MaxPool2d::new([2, 4]).into(),
            Conv2d::new(64, [3, 3]).with(Function::Relu).into(),
            MaxPool2d::new([2, 4]).into(),
            Flatten {}.into(),
            Linear::new(64).with(Function::Relu).into(),
            Linear::new(10).into(),
        ],
    };
    let weights: Weights = golden
        .under("weights/")
        .into_iter()
        .map(|name| {
            let (shape, values) = golden.floats(&format!("weights/{name}"));
            (
                name,
                Array {
                    shape: shape.into(),
                    values,
                },
            )
        })
        .collect();
    Network::with_weights(&architecture, device, &weights)
}

#[test]
fn whole_network() -> Outcome {
    let golden = Golden::read("ajufo_cnn");
    for device in devices() {
        let network = ajufo_cnn(&golden, &device)?;
        let (shape, values) = golden.floats("x");
        let x = Tensor::from_vec(&device, values, shape)?;
        let labels = device.upload_u32(&golden.integers("label"))?;
        let mut adam = Adam::new(network.parameters(), AdamSettings::default())?;
        let mut curve = Vec::new();
        for step in 0..=10 {
            let logits = network.forward(&x, Mode::Train { seed: 0, step })?;
            let loss = logits.cross_entropy(&labels, None)?;
            curve.extend(loss.to_vec()?);
            let gradients = loss.backward()?;
            if step == 0 {
                assert_close(
                    "logits",
                    &logits.to_vec()?,
                    &golden.floats("logits").1,
                    1e-5,
                );
                for parameter in network.parameters() {
                    let gradient = gradients
                        .get(&parameter.tensor)
                        .ok_or("a parameter without gradient")?;
                    let name = format!("gradients/{}", parameter.name);
                    assert_close(&name, &gradient.to_vec()?, &golden.floats(&name).1, 1e-5);
                }
            }
            if step == 10 {
                let want = golden.floats("logits_after_10_steps").1;
                assert_close("logits_after_10_steps", &logits.to_vec()?, &want, 1e-3);
            } else {
                adam.step(network.parameters(), &gradients)?;
            }
        }
        // Adam divides by the gradient's own size, so rounding in gradients near zero shows in the weights.
        assert_close("loss_curve", &curve, &golden.floats("loss_curve").1, 1e-4);
    }
    Ok(())
}
